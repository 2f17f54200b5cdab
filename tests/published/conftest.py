"""A folder of this test's own, and a server to fill it from."""

import random

import pytest

from tests.published.server import Server

CONTENT = random.Random(0).randbytes(300_000)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where downloaded weights are kept."""
    monkeypatch.setenv("VOXBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "published"


@pytest.fixture
def server():
    """A server of `CONTENT`."""
    running = Server(CONTENT)
    yield running
    running.close()
