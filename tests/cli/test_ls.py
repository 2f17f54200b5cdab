"""`voxbench ls` lists what there is, and shows all that one plugin says of itself."""

import json

import pytest


def shown(voxbench, *words: str) -> dict:
    code, out, _ = voxbench("ls", *words, "--json")
    assert code == 0
    return json.loads(out)


def lines(voxbench, *words: str) -> list[list[str]]:
    code, out, _ = voxbench("ls", *words)
    assert code == 0
    return [line.split() for line in out.splitlines() if line.strip()]


@pytest.mark.parametrize(
    ("what", "name"),
    [
        *(("tasks", "task"), ("baselines", "baseline"), ("sweeps", "sweep")),
        ("architectures", "architecture"),
    ],
)
def test_lists_can_be_read_by_a_program(voxbench, what, name):
    assert all(row[name] for row in shown(voxbench, what))


def test_a_baseline_s_whole_card_can_be_read(voxbench):
    told = shown(voxbench, "baselines", "hippodeep")
    assert (told["contract"]["axes"], told["outputs"]) == ("RAS", ["hippocampus"])
    assert told["axes"]["size"] == "base"
    assert told["checkpoints"]["base"]["checksum"].startswith("sha256:38d9340a")
    rows = lines(voxbench, "baselines", "hippodeep")
    assert ["outputs", "hippocampus"] in rows
    assert any(row[:4] == ["file", "of", "size", "base"] for row in rows)
    assert ["size", "str", "base", "width", "and", "depth", "of", "that", "architecture."] in rows


def test_a_task_s_card_and_fields_can_be_read(voxbench):
    told = shown(voxbench, "tasks", "phantom-lesion")
    assert told["classes"] == {"liver": 1, "liver_lesion": 2}
    field = next(field for field in told["fields"] if field["name"] == "patients")
    assert field.pop("purpose").startswith("in the training ")
    assert field == {"name": "patients", "type": "int", "required": False, "default": 24}
    rows = lines(voxbench, "tasks", "phantom-lesion")
    assert ["classes", "liver", "1;", "liver_lesion", "2"] in rows
    assert any(row[:6] == ["test_patients", "int", "10", "in", "the", "test"] for row in rows)


def test_a_task_that_reads_its_card_from_a_folder_shows_its_fields(voxbench):
    told = shown(voxbench, "tasks", "nnunet-folder")
    assert told["card"] == "read from its folder"
    required = {field["name"]: field["required"] for field in told["fields"]}
    assert required.pop("root")
    assert not any(required.values())


def test_a_task_with_a_folder_of_its_own_says_where_it_is_looked_for(voxbench):
    root = shown(voxbench, "tasks", "msd-heart")["fields"][0]
    assert (root["name"], root["default"], root["required"]) == ("root", "Task02_Heart", False)


def test_the_tensors_of_a_network_can_be_read(voxbench):
    told = shown(voxbench, "architectures", "unet3d", "--size", "base")
    assert told["parameters"]["base"] == pytest.approx(19.08e6, abs=1e4)
    assert told["tensors"]["encoder.down_tr64.ops.0.conv1.weight"] == [32, 1, 3, 3, 3]
    assert (told["divisor"], told["features"], told["smallest_patch"]) == (8, 64, [32, 32, 32])


def test_without_a_size_the_first_one_is_shown(voxbench):
    rows = lines(voxbench, "architectures", "unet")
    assert ["parameters", "tiny", "0.16", "M;", "small", "5.02", "M;", "base", "26.07", "M"] in rows
    assert ["encoder.levels.0.0.0.weight", "16", "x", "1", "x", "3", "x", "3", "x", "3"] in rows
    assert ["decoder.ups.1.bias", "16"] in rows


def test_a_list_of_many_is_told_by_its_first_and_a_program_reads_all(voxbench):
    [row] = [row for row in lines(voxbench, "tasks") if row[0] == "phantom-atlas"]
    assert " ".join(row[2:]).startswith("aorta, gall_bladder, kidney_left and 22 more Apache-2.0")
    [told] = [row for row in shown(voxbench, "tasks") if row["task"] == "phantom-atlas"]
    assert len(told["classes"].split(", ")) == 25
    assert lines(voxbench, "tasks")[-1] == ["all", "of", "one:", "voxbench", "ls", "tasks", "NAME"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("baselines", "hipodeep"), "Did you mean 'hippodeep'"),
        (("tasks", "msd-hart"), "Did you mean 'msd-heart'"),
        (("corpora", "LiTS"), "a name is for tasks, baselines, architectures and engines, not"),
        (("architectures", "unett"), "Did you mean 'unet'"),
        (("architectures", "unet", "--size", "tin"), "Did you mean 'tiny'"),
        (("architectures", "--size", "tiny"), "--size is for one architecture"),
    ],
)
def test_a_mistake_is_told(voxbench, words, said):
    code, _, error = voxbench("ls", *words)
    assert code == 2
    assert said in error
