from voxbench.analyses.read import by_arm
from voxbench.analyses.settings import setting_words

from tests.analyses.records import cases, record


def test_settings_are_told_apart_by_the_fields_that_differ():
    long = {"recipe": {"steps": 500, "batch": 2}}
    short = {"recipe": {"steps": 200, "batch": 2}}
    records = [
        record(cases(lambda i, c: 0.5), cell=long),
        record(cases(lambda i, c: 0.5), seed=1, cell=short),
        record(cases(lambda i, c: 0.5), task="alone"),
    ]
    words = setting_words(by_arm(records))
    assert sorted(words.values()) == ["", "200 steps", "500 steps"]
