"""A baseline's network gives what the published code gave with the same weights."""

from pathlib import Path

import pytest

from tests.baselines.golden import FAMILIES, HEAD, differences

PAGE = Path(__file__).parent.parent.parent / "docs" / "networks.md"


@pytest.mark.realdata
@pytest.mark.parametrize("name", FAMILIES)
def test_a_published_network_and_ours_agree(real_networks, name):
    found = differences(real_networks, name)
    assert found
    assert {key: far for key, (far, tolerance) in found.items() if far > tolerance} == {}


def test_the_committed_page_tells_of_every_family():
    told = PAGE.read_text(encoding="utf-8")
    assert told.startswith(HEAD)
    rows = told.removeprefix(HEAD).splitlines()
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == list(FAMILIES)
