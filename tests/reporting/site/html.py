"""What tests read in a page."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

VOID = {"meta", "link", "img", "input", "br", "wbr", "hr"}


class Page(HTMLParser):
    """Tags with their attributes, the texts of cells by table, and whether all tags close."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.text = ""
        self._table: str | None = None
        self._cell = False
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.tags.append((tag, found))
        if tag not in VOID and not self._drawn(tag):
            self.open.append(tag)
        if tag == "table":
            self._table = found.get("id") or str(len(self.tables))
            self.tables[self._table] = []
        elif tag == "tr" and self._table:
            self.tables[self._table].append([])
        elif tag in ("td", "th") and self._table:
            self.tables[self._table][-1].append("")
            self._cell = True

    def _drawn(self, tag):
        return tag == "path"

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()
        elif tag not in VOID and not self._drawn(tag):
            raise AssertionError(f"{self.path}: </{tag}> closes <{self.open[-1:]}>")
        if tag == "table":
            self._table = None
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data):
        self.text += data
        if self._cell and self._table:
            self.tables[self._table][-1][-1] += data

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def ids(self):
        return [found["id"] for _, found in self.tags if "id" in found]

    @property
    def links(self):
        """Every reference to a file or an anchor."""
        names = {"a": "href", "link": "href", "script": "src", "img": "src"}
        for tag, name in names.items():
            for found in self.of(tag):
                if name in found and not found[name].startswith("data:"):
                    yield found[name]

    def target(self, link: str) -> Path:
        parts = urlsplit(link)
        assert not parts.scheme, link
        assert not parts.netloc, link
        path = unquote(parts.path)
        return (self.path.parent / path).resolve() if path else self.path.resolve()


def pages(site: Path) -> list[Page]:
    return [Page(path) for path in sorted(site.rglob("*.html"))]
