import http.client
import threading

import pytest
from voxbench.reporting.site.serve import server


@pytest.fixture
def ask(tmp_path):
    """GET a path of a site that has one page, and a record beside it."""
    site = tmp_path / "store/report"
    site.mkdir(parents=True)
    (site / "index.html").write_text("the index")
    (tmp_path / "secret.txt").write_text("secret")
    known = tmp_path / "store/key.json"
    known.write_text("the record")
    serving = server(site, [known], 0)
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()

    def get(path):
        connection = http.client.HTTPConnection(*serving.server_address, timeout=10)
        connection.request("GET", path)
        answer = connection.getresponse()
        found = answer.status, answer.read().decode()
        connection.close()
        return found

    yield get
    serving.shutdown()
    thread.join()
    serving.server_close()


def test_the_index_is_what_the_address_shows(ask):
    assert ask("/") == (200, "the index")


def test_a_record_beside_the_site_is_found_where_a_browser_looks_for_it(ask):
    assert ask("/records/key.json") == (200, "the record")


@pytest.mark.parametrize("path", ["/secret.txt", "/../secret.txt", "/..%2f..%2fsecret.txt"])
def test_nothing_else_is_served(ask, path):
    status, text = ask(path)
    assert status == 404
    assert "secret" not in text.replace("secret.txt", "")
