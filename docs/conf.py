"""The documentation site: `nox -s docs` builds it, without network, into `docs/_build`."""

import sys
import tomllib
from pathlib import Path

from pydantic import BaseModel
from sphinx.application import Sphinx

REPOSITORY = Path(__file__).parent.parent
sys.path.insert(0, str(REPOSITORY))  # for docs.generators

project = "voxbench"
author = "The voxbench contributors"
copyright = author  # noqa: A001 (Sphinx's name)
release = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"voxbench {release}"
html_copy_source = False
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

autodoc_default_options = {
    "members": True,
    "member-order": "bysource",
    "exclude-members": "model_config",
}
autodoc_typehints = "signature"
default_role = "code"  # what docstrings write `so`
napoleon_use_ivar = True  # attributes beside their class, once
toc_object_entries = False


def _fill(_app: Sphinx, _page: str, source: list[str]) -> None:
    from docs.generators.pages import filled

    source[0] = filled(source[0])


def _shorten(
    _app: Sphinx, _what: str, _name: str, found: object, *_: object
) -> tuple[str, None] | None:
    """Leave the signature of a model out: it repeats its attributes with their rules."""
    is_model = isinstance(found, type) and issubclass(found, BaseModel)
    return ("", None) if is_model else None


def setup(app: Sphinx) -> None:
    """Let every page be filled as it is read."""
    app.connect("source-read", _fill)
    app.connect("autodoc-process-signature", _shorten)
