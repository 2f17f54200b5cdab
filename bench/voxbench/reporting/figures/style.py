"""How figures look, and how they are saved: the same values give the same bytes."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxbench.files import remove_leavings, write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MplFigure

# Okabe and Ito's colours, which stay apart under colour blindness and in print; no yellow
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "^", "D", "v", "P")
GREYS = ("#4d4d4d", "#8c8c8c", "#6e6e6e", "#a6a6a6")
PAGE = 7.2  # inches across a page of two columns; a column has about half of it
INK, FAINT = "#262626", "#d9d9d9"

STYLE: dict[str, Any] = {
    "svg.hashsalt": "voxbench",  # else the names inside an SVG are random
    "svg.fonttype": "path",
    "text.parse_math": False,  # names of arms are no formulas
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
}


@contextmanager
def new_figure(height: float, width: float = PAGE) -> Iterator["MplFigure"]:
    """A figure of `width` by `height` inches in this style, whatever the user's own is."""
    import matplotlib as mpl
    from matplotlib.figure import Figure as MplFigure

    with mpl.rc_context({**mpl.rcParamsDefault, **STYLE}):
        yield MplFigure(figsize=(width, height))


def save_figure(figure: "MplFigure", stem: Path) -> list[Path]:
    """Write `<stem>.svg` and `<stem>.png`, without a date; see `save_table`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    remove_leavings(stem.parent)
    svg, png = io.BytesIO(), io.BytesIO()
    figure.set_dpi(200)
    FigureCanvasAgg(figure).print_png(png)  # `savefig` draws all of it twice
    for part in (figure, *figure.axes):
        part.patch.set(facecolor="none", edgecolor="none")
    FigureCanvasSVG(figure).print_svg(svg, metadata={"Date": None})
    paths = [stem.with_name(f"{stem.name}.{ending}") for ending in ("svg", "png")]
    for path, content in zip(paths, (svg, png), strict=True):
        write_atomically(path, content.getvalue())
    return paths


def marker_of(arm: int) -> str:
    """The marker of an arm: where colours begin again, they meet other markers."""
    return MARKERS[(arm + arm // len(COLOURS)) % len(MARKERS)]
