"""What people write in TOML files, and what no file of theirs may hold."""

import pytest
from voxbench.design.sweep_file import read_sweep
from voxbench.errors import SpecError

SWEEP = 'name = "s"\ntasks = ["a"]\nbaselines = ["b"]\n'


def read(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "s.toml"
    path.write_text(text, encoding=encoding)
    return read_sweep(path)


def test_a_byte_order_mark_is_no_part_of_the_file(tmp_path):
    assert read(tmp_path, SWEEP, "utf-8-sig") == read(tmp_path, SWEEP)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("seeds = 2020-01-01", "seeds: a date or time, 2020-01-01"),
        ("fractions = [inf]", "fractions.0: must be finite, got inf"),
        ("draws = [1e400]", "draws.0: must be finite"),
        ("[recipe]\nlearning_rate = nan", "recipe.learning_rate: must be finite, got nan"),
        ('[sources.x]\nname = "y"\nwhen = 07:30:00', "sources.x.when: a date or time, 07:30:00"),
        ('[sources.x]\nname = "y"\nshare = -inf', "sources.x.share: must be finite, got -inf"),
        ("seeds = [9223372036854775808]", "seeds.0: an integer beyond 64 bits"),
        (f"seeds = 0x{'f' * 5000}", "seeds: an integer beyond 64 bits"),
        (f"seeds = {'9' * 5000}", "seeds: an integer beyond 64 bits"),
        (f"seeds = {'[' * 200}{']' * 200}", "seeds.0.0.0.0.0.0.0.0: nested more than 8 deep"),
        (f"seeds = {'[' * 50_000}{']' * 50_000}", "nested more than 8 deep"),
        (f"a{'.a' * 50_000} = 1", "a key of more than 8 parts"),
        (f"[a{'.a' * 50_000}]", "a key of more than 8 parts"),
        (f"name = '{'x' * 2**22}'", "larger than 4 MiB"),
    ],
)
def test_what_no_setting_can_be_is_told_with_its_key(tmp_path, line, told):
    with pytest.raises(SpecError) as caught:
        read(tmp_path, SWEEP + line)
    assert told in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_list_of_many_numbers_is_no_deep_key(tmp_path):
    numbers = ", ".join(["0.5"] * 100)
    with pytest.raises(SpecError, match="fractions: named twice"):
        read(tmp_path, f"{SWEEP}fractions = [{numbers}]")
