import pytest

from tests.reporting.site.demo import made, whole_store


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of a site with every kind of page."""
    root = whole_store(tmp_path_factory.mktemp("store"))
    return made(root, root / "report").parent
