"""Scores as columns are those of the record, whether read whole or in parts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.errors import RecordError
from voxbench.records.case_scores import CaseScores, ClassScores
from voxbench.records.scored import scores_of
from voxbench.records.scores import NUMBERS

from tests.analyses.records import cases, record, stored

NUMBER = st.floats(0, 1e6) | st.just(float("nan"))
SCORE = st.builds(ClassScores, **dict.fromkeys(NUMBERS, NUMBER), flag=st.sampled_from(["", "x"]))
NAMES = st.sampled_from(["liver", 'a "b"', '\n "cases": [', "\n ]", "é"])
CASE = st.builds(
    CaseScores,
    case=NAMES,
    patient=NAMES,
    classes=st.dictionaries(NAMES, SCORE),
    failure=st.none() | NAMES,
    raters=st.dictionaries(NAMES, st.dictionaries(NAMES, NUMBER)),
)


@given(st.lists(CASE, max_size=4))
def test_a_stored_record_has_the_scores_that_were_written(tmp_path_factory, found):
    store = stored(tmp_path_factory.mktemp("store"), record(found))
    [read] = store.scored()
    told = [case.model_dump_json() for case in read.scores.by_case()]
    assert told == [case.model_dump_json() for case in found]


def test_the_facts_are_those_of_the_whole_record(tmp_path):
    store = stored(tmp_path, record(cases(lambda i, c: 0.5)), record(None, seed=1))
    for scored, whole in zip(store.scored(), store, strict=True):
        assert scored.model_dump() == whole.model_dump(exclude={"cases"})


@pytest.mark.parametrize("indent", [None, 0, 1, 2])
@pytest.mark.parametrize("last", ["cases", "key"])
def test_any_layout_of_a_record_is_read(tmp_path, indent, last):
    store = stored(tmp_path, record(cases(lambda i, c: 0.5)))
    [path] = store.files()
    told = json.loads(path.read_bytes())
    told[last] = told.pop(last)
    path.write_text(json.dumps(told, indent=indent))
    [read] = store.scored()
    assert read.scores.numbers[:, 0].tolist() == [0.5] * 8


def test_scores_are_read_when_they_are_asked_for(tmp_path):
    store = stored(tmp_path, record(cases(lambda i, c: 0.5)))
    [path] = store.files()
    path.write_text(path.read_text().replace('"dice": 0.5', '"dice": "half"', 1))
    [read] = store.scored()
    with pytest.raises(RecordError, match=r"not a record .*dice"):
        scores_of(read)


def test_a_record_that_changed_meanwhile_is_not_mixed(tmp_path):
    store = stored(tmp_path, record(cases(lambda i, c: 0.5)))
    [read] = store.scored()
    store.write(record(cases(lambda i, c: 0.7), cell={"recipe": {"steps": 1}}))
    with pytest.raises(RecordError, match="has changed while it was read"):
        scores_of(read)


@pytest.mark.parametrize("size", [16, 300, 2000])
def test_where_its_facts_lie_in_a_file_changes_nothing(tmp_path, monkeypatch, size):
    store = stored(tmp_path, record(cases(lambda i, c: 0.01 * i, 40)))
    [whole] = store.scored()
    monkeypatch.setattr("voxbench.records.scored._END_BYTES", size)
    [read] = store.scored()
    assert read.model_dump() == whole.model_dump()
    assert (read.scores.numbers == whole.scores.numbers).all()
