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


def test_the_fewest_fields_tell_a_setting_from_the_others():
    usual = {"steps": 500, "batch": 2, "patch": [16, 16, 16], "learning_rate": 0.01}
    changes = [{}, {"steps": 200}, {"batch": 4, "patch": [8, 8, 8], "learning_rate": 0.1}]
    cells = [{"recipe": {**usual, **change}} for change in changes]
    chosen = {"tuning": "66ccf3", "trials": 12, "values": {"recipe.learning_rate": 0.02}}
    records = [
        record(cases(lambda i, c: 0.5), seed=seed, cell=cell)
        for seed, cell in enumerate([*cells, {"recipe": usual, "tuned": chosen}])
    ]
    words = setting_words(by_arm(records))
    usually = "500 steps, learning rate 0.01"
    assert set(words.values()) == {"200 steps", "batch 4", "12 trials", usually}


def test_settings_that_were_tuned_otherwise_are_told_apart_by_their_digests():
    usual, values = {"steps": 500}, {"recipe.learning_rate": 0.02}
    records = [
        record(cases(lambda i, c: 0.5), seed=seed, cell={"recipe": usual, "tuned": tuned})
        for seed, tuned in enumerate(
            {"tuning": how, "trials": 12, "values": values} for how in ("66ccf3", "aa0c1d")
        )
    ]
    records.append(record(cases(lambda i, c: 0.5), seed=2, cell={"recipe": usual}))
    assert len(set(setting_words(by_arm(records)).values())) == 3
