"""What others may read tells no folder, user or host of a machine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.records import Record, Store, places
from voxbench.records.case_scores import CaseScores
from voxbench.records.places import holds_place, without_places
from voxbench.records.record import Arm


@pytest.mark.parametrize(
    ("told", "public"),
    [
        ('File "/home/alice/My Data/cache.py", line 3', 'File "…/cache.py", line 3'),
        ("/mnt/nas/alice/x.nii.gz: no such file", "…/x.nii.gz: no such file"),
        ("weights=/home/alice/w.pth]", "weights=…/w.pth]"),
        ("file:///home/alice/x (/tmp/a/b.json)", "…/x (…/b.json)"),
        (r"C:\Users\alice\x.pth is bad", "…/x.pth is bad"),
        (r"\\nas\share\a\b.pth", "…/b.pth"),
        ("/home/Alice Smith/my data/x.nii: bad", "…/x.nii: bad"),
        ("/home/alice is full", "… is full"),
    ],
)
def test_absolute_paths_are_cut_to_the_name_of_the_file(told, public):
    assert without_places(told) == public


@pytest.mark.parametrize(
    "told",
    ["see https://a.org/b/c.html", "left/right, 1/2 and a/b/c", "$VOXBENCH_DATA/a/b.nii", "m / s"],
)
def test_what_is_no_absolute_path_stays(told):
    assert without_places(told) == told


@given(st.text(alphabet="/\\ab.:~ '\"", max_size=40))
def test_a_public_text_stays_as_it_is(text):
    once = without_places(text)
    assert without_places(once) == once


@pytest.fixture
def machine(monkeypatch):
    """Of alice, whose data lie in /srv/lab/data."""
    monkeypatch.setenv("VOXBENCH_DATA", "/srv/lab/data")
    monkeypatch.setattr(places.getpass, "getuser", lambda: "alice")
    monkeypatch.setattr(places.platform, "node", lambda: "ward7.clinic.example")
    for known in (places._known, places._names):
        known.cache_clear()
    yield
    for known in (places._known, places._names):
        known.cache_clear()


def test_the_data_root_is_named_and_user_and_host_are_not(machine):
    told = "/srv/lab/data/t/x.nii: alice may not, says ward7.clinic.example (ward7)"
    assert without_places(told) == "$VOXBENCH_DATA/t/x.nii: … may not, says … (…)"


def test_a_record_is_public_whenever_it_was_written(tmp_path):
    arm = Arm(
        task="t", baseline="b", twin=None, strategy="scratch", network="n", fraction="100%",
        draw=0, seed=0, adaptation="full",
    )  # fmt: skip
    case = CaseScores(case="c", patient="c", classes={}, failure="/home/alice/c.nii: bad")
    record = Record(
        key="k", status="failed", smoke=False, sweep="s", arm=arm, cell={}, environment={},
        seeds={}, failure="/home/alice/w.pth: bad", cases=[case],
    )  # fmt: skip
    assert not holds_place(record.model_dump())
    path = Store(tmp_path).path("k")
    Store(tmp_path).write(record)
    path.write_text(path.read_text().replace("…/", "/home/alice/"))
    assert not holds_place(Store(tmp_path).read("k").model_dump())
    [scored] = Store(tmp_path).scored()
    assert (scored.failure, scored.scores.failures) == ("…/w.pth: bad", ("…/c.nii: bad",))
