"""Processes that train together end together, whatever becomes of one of them."""

import os
import signal
from functools import partial

import pytest
from voxbench import stopping
from voxbench.errors import SpecError, in_words, is_machine_fault
from voxbench.fit.together import lent, together, visible_cards
from voxbench.progress import heard_by

from tests.fit import tasks


def test_a_rank_that_dies_is_the_machine_s_fault_and_ends_the_others():
    with pytest.raises(ChildProcessError) as caught:
        together(tasks.die_second, 2, "cpu", 2)
    assert in_words(caught.value) == "rank 1 of 2 died with signal 9 (out of memory?)."
    assert is_machine_fault(caught.value)


@pytest.mark.slow
def test_a_mistake_of_a_rank_is_raised_here():
    with pytest.raises(SpecError, match="a mistake"):
        together(tasks.refuse_second, 2, "cpu", 2)


@pytest.mark.slow
def test_the_first_gives_the_result_and_alone_tells_how_far_it_is():
    told = []
    with heard_by(told.append):
        result = together(tasks.sum_up, 3, "cpu", 3)
    assert result.item() == 1 + 2 + 3
    assert [stage.done for stage in told] == [1]


@pytest.mark.slow
def test_asked_to_stop_the_first_stores_where_it_is_and_all_end(tmp_path):
    place = tmp_path / "stored"
    with (
        stopping.on_signals(),
        heard_by(lambda _news: os.kill(os.getpid(), signal.SIGUSR1)),
        pytest.raises(stopping.Stopped),
    ):
        together(partial(tasks.stop_when_asked, place), 2, "cpu", 2)
    assert place.read_text() == "stored"


def test_more_devices_than_there_are_are_refused_with_the_way_out():
    with (
        lent(["3", "5"]),
        pytest.raises(SpecError, match=r"devices: 4, but there are 2 GPUs .* changes no result"),
    ):
        together(tasks.sum_up, 4, "cuda:0", 2)


def test_the_cards_of_a_training_are_those_lent_or_those_that_its_process_sees(monkeypatch):
    monkeypatch.setitem(os.environ, "CUDA_VISIBLE_DEVICES", "2,3")
    assert visible_cards() == ["2", "3"]
    with lent(["0", "7"]):
        assert visible_cards() == ["0", "7"]
