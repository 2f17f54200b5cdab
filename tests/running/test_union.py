"""A sweep pre-trains on several data sets as on one, and its cells say which."""

import json
import re

import pytest
from voxbench.design.cell import Cell
from voxbench.errors import SpecError
from voxbench.records import Store
from voxbench.running.bind import bind
from voxbench.running.options import Options
from voxbench.running.remarks import remarks
from voxbench.running.sweep import run_sweep

from tests.data.toy import save, volumes
from tests.running.conftest import make_sweep

ARM = {"name": "masked-autoencoder", "size": "tiny"}


def folder(root, *classes):
    """A raw folder of four volumes with two labels."""
    for index in range(4):
        image, label = volumes(seed=index)
        save(root / "imagesTr" / f"case{index}_0000.nii.gz", image)
        save(root / "labelsTr" / f"case{index}.nii.gz", label)
    described = {"channel_names": {"0": "MR"}, "labels": dict(zip(classes, (1, 4), strict=True))}
    (root / "dataset.json").write_text(json.dumps(described))
    return {"name": "nnunet-folder", "root": str(root), "patients": "case"}


@pytest.fixture
def more(tmp_path):
    return folder(tmp_path / "more", "cube", "box")


def union_sweep(more, said, **arm):
    named = {"cubes+more": {"union": ["cubes", "more"]}} if isinstance(said, str) else {}
    return make_sweep(
        baselines=[{**ARM, "source": said, **arm}], sources={"more": more, **named}, seeds=1
    )


@pytest.mark.parametrize(
    "said", [{"union": ["cubes", "more"]}, [{"union": ["more", "cubes"]}], "cubes+more"]
)
def test_a_source_may_be_a_union_wherever_it_is_named(example, more, said):
    cell = bind(union_sweep(more, said))[0]
    assert cell.arm.baseline == "masked-autoencoder[size=tiny,source=cubes+more]"
    assert [ref.name for ref in cell.cell.source] == ["cubes", "nnunet-folder"]
    told = cell.cell.to_json()
    assert Cell.from_json(json.loads(json.dumps(told))).to_json() == told
    assert cell.key == bind(union_sweep(more, {"union": ["more", "cubes"]}))[0].key


def test_supervision_by_several_data_sets_ends_in_a_fine_tuned_cell(example, more, tmp_path):
    arm = {"name": "supervised", "size": "tiny", "source": {"union": ["more", "other"]}}
    sources = {"more": more, "other": folder(tmp_path / "other", "ball", "Cube")}
    sweep = make_sweep(baselines=[arm], sources=sources, seeds=1, twins=False)
    lines = remarks(bind(sweep))
    assert "more-other: training volumes: 2 of more, 2 of other" in lines
    assert "more-other: 3 classes, of several data sets: cube (more, other)" in lines
    run_sweep(sweep, tmp_path, Options(jobs=1))
    [record] = Store(tmp_path)
    assert record.status == "ok", record.failure
    assert record.weights.masks == 4 * 2


def test_a_task_within_a_union_is_no_source_of_supervision_for_itself(example, more):
    arm = {"name": "supervised"}
    cells = bind(union_sweep(more, "cubes+more", **arm))
    assert "its supervised source is the task itself" in cells[0].trainings.reason


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ({"u": {"union": ["cubes"]}}, "sources.u: union: at least two names"),
        ({"u": {"union": ["cubes", "cubes"]}}, "sources.u: union: at least two names"),
        ({"u": {"union": ["cubes", "x"], "root": "y"}}, "sources.u: union: takes the place"),
        ({"u": {"root": "y"}}, "sources.u: name: the plugin, or union"),
        ({"u": {"union": ["cubes", "cubse"]}}, "sources.u: unknown source 'cubse'"),
        (
            {"u": {"union": ["cubes", "v"]}, "v": {"union": ["cubes", "phantom-atlas"]}},
            "sources.u: 'v' is a union itself",
        ),
    ],
)
def test_a_union_that_can_not_be_is_one_error(example, sources, message):
    with pytest.raises(SpecError, match=re.escape(message)):
        bind(make_sweep(baselines=[{**ARM, "source": "u"}], sources=sources))
