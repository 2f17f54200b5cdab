"""A job of several devices gets its worker's card and others that no job has."""

from types import SimpleNamespace

import pytest
from voxbench.running.engines.cards import devices_for, is_lent
from voxbench.running.worker import Worker

MACHINE = ["cuda:0", "cuda:1", "cuda:2"]


def given(count: int, *busy: list[str], device: str = "cuda:1") -> list[str] | None:
    job = SimpleNamespace(devices=count)
    processes = [SimpleNamespace(devices=devices) for devices in busy]
    return devices_for(job, Worker("root", "sweep", device), MACHINE, processes)


@pytest.mark.parametrize(
    ("count", "busy", "wanted"),
    [
        (1, [["cuda:0"]], ["cuda:1"]),
        (2, [["cuda:0"]], ["cuda:1", "cuda:2"]),
        (3, [], ["cuda:1", "cuda:0", "cuda:2"]),
        (2, [["cuda:0", "cuda:2"]], None),
        (4, [], ["cuda:1"]),
    ],
)
def test_others_are_given_where_enough_are_free(count, busy, wanted):
    assert given(count, *busy) == wanted


def test_on_a_processor_a_worker_shares_its_own_threads():
    assert given(2, device="cpu") == ["cpu"]


def test_a_card_that_is_lent_is_not_its_worker_s():
    processes = [SimpleNamespace(devices=["cuda:1", "cuda:0"]), SimpleNamespace(devices=[])]
    assert [is_lent(device, processes) for device in MACHINE] == [True, False, False]
