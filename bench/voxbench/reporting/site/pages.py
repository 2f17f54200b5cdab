"""Pages from templates: everything that is not markup is escaped."""

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from voxbench.analyses.table import Column, number
from voxbench.files import remove_leavings, write_atomically
from voxbench.reporting.page import SMOKE
from voxbench.stats.metric import ALL, METRICS

STATIC = Path(__file__).parent / "static"
FOLDERS = ("tasks", "uncertainty", "baselines", "results", "cases")
MARK = b'<meta name="generator" content="voxbench">'


class Pages:
    """Renders templates into a folder, and remembers what it wrote."""

    def __init__(self, site: Path) -> None:
        self.site = site
        self.files: list[Path] = []
        self.environment = Environment(
            loader=PackageLoader("voxbench.reporting.site"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.globals |= {
            "metrics": METRICS,
            "SMOKE": SMOKE.replace("*", ""),
        }
        self.environment.filters |= {"digits": _digits, "breakable": _breakable, "rises": _rises}

    def page(self, template: str, path: str, **content: Any) -> None:
        """Write one page; `path` is from the root of the site."""
        root = "../" * path.count("/")
        text = self.environment.get_template(template).render(root=root, **content)
        self._write(path, text.encode())

    def text(self, path: str, content: str) -> None:
        """Write a file that is no page."""
        self._write(path, content.encode())

    def static(self, *names: str) -> None:
        """Copy files as they are."""
        for name in names:
            self._write(f"static/{name}", (STATIC / name).read_bytes())

    def tidy(self) -> None:
        """Remove pages that an earlier call made and this one did not, and what it left."""
        written = set(self.files)
        for folder in {path.parent for path in written}:
            remove_leavings(folder)
        for name in (".", *FOLDERS):
            for path in (self.site / name).glob("*.html"):
                if path not in written and MARK in path.read_bytes():
                    path.unlink()

    def _write(self, path: str, content: bytes) -> None:
        target = self.site / path
        write_atomically(target, content)
        self.files.append(target)


def rendered(markdown: str) -> Markup:
    """Markdown of our own as HTML; HTML in it is text."""
    from markdown_it import MarkdownIt

    return Markup(MarkdownIt("commonmark", {"html": False}).render(markdown))  # noqa: S704 (escaped)


def _breakable(text: str) -> Markup:
    """Escaped, with the places where the label of an arm may be broken."""
    return Markup("<wbr>").join(re.split(r"(?<=[,\[=])", text))


def _rises(column: Column) -> bool:
    """Whether more of it is better, so that the first click shows the best first."""
    metric = ALL.get(column.keys[0] if column.keys else column.title)
    return bool(metric and metric.sign > 0) or column.keys[:1] == ("effect",)


def _digits(value: float, metric: str) -> str:
    return number(METRICS[metric].digits)(value)
