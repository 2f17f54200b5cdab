import pytest
from voxbench.reporting.figures import aside
from voxbench.reporting.figures.draw import draw_figures
from voxbench.reporting.figures.style import PAGE

from tests.reporting.figures.test_curve import DICE, content


@pytest.fixture(autouse=True)
def _another_process(monkeypatch):
    monkeypatch.setattr(aside, "_MEANS", 1)
    monkeypatch.setattr(aside, "available_cores", lambda: 2)


def test_another_process_draws_the_same(tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    with aside.figures_aside(*content(), DICE, 0.01, there, {}, PAGE) as finished:
        drawn = draw_figures(*content(), DICE, 0.01, here, {})
        monkeypatch.delattr(aside, "draw_figures")  # it is not drawn here
        found = finished()
    assert [figure.title for figure in found] == [figure.title for figure in drawn]
    for path in (path for figure in drawn for path in figure.paths):
        assert (there / path.relative_to(here)).read_bytes() == path.read_bytes()


def test_what_it_can_t_draw_is_raised_by_what_waits(tmp_path):
    (tmp_path / "file").write_text("")
    on = aside.figures_aside(*content(), DICE, 0.01, tmp_path / "file", {}, PAGE)
    with on as finished, pytest.raises(OSError, match="file"):
        finished()
