"""The critical-difference diagram, of as many arms as a leaderboard has."""

from xml.etree import ElementTree

import numpy as np
import pytest
from voxbench.reporting.figures.critical import draw_critical
from voxbench.stats.friedman import friedman

ARMS = tuple(
    f"masked-autoencoder[cube=(8, 8, 2),size=tiny,source=openkbp,volumes={2**n}]" for n in range(19)
)


@pytest.fixture
def found():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(34, 1)) + np.linspace(0, 0.8, 19) + rng.normal(size=(34, 19)) / 2
    return friedman(scores)


def test_the_names_of_nineteen_arms_lie_inside_and_apart(found, tmp_path, monkeypatch):
    boxes = []

    def measured(figure, stem):
        figure.canvas.draw()
        width, height = figure.canvas.get_width_height()
        for text in figure.axes[0].texts:
            box = text.get_window_extent()
            assert 0 <= box.x0 < box.x1 <= width, text.get_text()
            assert 0 <= box.y0 < box.y1 <= height, text.get_text()
            boxes.append((text.get_text(), box))
        return []

    monkeypatch.setattr("voxbench.reporting.figures.critical.save_figure", measured)
    draw_critical(found, ARMS, tmp_path / "critical")
    names = [box for name, box in boxes if name.startswith("Masked")]
    assert len(names) == 19
    assert not any(a.overlaps(b) for i, a in enumerate(names) for b in names[:i])


def test_the_same_ranks_give_the_same_bytes(found, tmp_path):
    first, again = (draw_critical(found, ARMS, tmp_path / name) for name in ("a", "b"))
    assert [path.suffix for path in first] == [".svg", ".png"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    ElementTree.parse(first[0])
