"""The documentation site: `nox -s docs` builds it, without network, into `docs/_build`."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent.parent))  # for docs.generators

project = "voxbench"
author = "The voxbench contributors"
copyright = author  # noqa: A001 (Sphinx's name)
version = release = version_of("voxbench")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"voxbench {release}"
html_copy_source = False
myst_heading_anchors = 3

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
napoleon_use_ivar = True  # attributes beside their class, once
toc_object_entries = False


def _fill(_app: Sphinx, _page: str, source: list[str]) -> None:
    from docs.generators.pages import filled

    source[0] = filled(source[0])


def setup(app: Sphinx) -> None:
    """Let every page be filled as it is read."""
    app.connect("source-read", _fill)
