"""Direct inference with a head that was trained here, beside the weights."""

import pytest
import torch
from voxbench import plugins
from voxbench.api import TaskCard
from voxbench.pretrain.plan import made_folder
from voxbench.records import Store
from voxbench.running.bind import bind
from voxbench.running.options import Options
from voxbench.running.sweep import run_sweep
from voxbench_baselines.annotation import chosen_structures
from voxbench_baselines.supervised import Supervised

from tests.running.conftest import make_sweep

PLUGIN = '''
from dataclasses import dataclass, replace

import numpy as np
from voxbench.api import Case
from tests.example_plugin.voxbench_example.cubes import Cubes, write

@dataclass(frozen=True, kw_only=True)
class Holes(Cubes):
    """Bright cubes as of the task, under another value and spelling, and dark ones."""

    @property
    def card(self):
        told = {"name": "holes", "classes": {"hole": 1, "Cube": 2}, "corpora": ("holes",)}
        return super().card.model_copy(update=told | {"tolerance_mm": {"hole": 1.0, "Cube": 1.0}})

    def _case(self, i):
        image, label = (self.root / f"{i:03}_{kind}.nii.gz" for kind in ("image", "label"))
        if not label.exists():
            random = np.random.default_rng(100 + i)
            mask = np.zeros((32, 32, 32), np.uint8)
            for value in (1, 2):
                x, y, z = random.integers(2, 18, 3)
                mask[x : x + 12, y : y + 12, z : z + 12] = value
            bright = np.array([0.0, -1.0, 1.0])[mask]
            write(image, (bright + random.normal(0, 0.5, mask.shape)).astype(np.float32))
            write(label, mask)
        return Case(f"{i:03}", (image,), label, patient=f"{i:03}")
'''
SUPERVISED = {"name": "supervised", "size": "tiny", "source": "holes"}
CARD = TaskCard(
    name="three", modality="CT", channels=("CT",), classes={"a": 1, "b": 2, "c": 3},
    spacing_mm=(1.0, 1.0, 1.0), tolerance_mm={"a": 1.0, "b": 1.0, "c": 1.0},
    licence="x", reference="y",
)  # fmt: skip


@pytest.fixture
def holes(example, tmp_path):
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "holes.py").write_text(PLUGIN)
    plugins.include(folder)


def sweep_of(*baselines, steps=4, **changes):
    schedule = {"steps": steps, "patch": [16, 16, 16], "augmentation": "none"}
    made = {"adaptation": ["direct"], "pretraining": schedule | {"learning_rate": 0.02}}
    return make_sweep(baselines=[*baselines], **{**made, **changes})


def run(root, *baselines, **changes):
    run_sweep(sweep_of(*baselines, **changes), root, Options(jobs=1))
    return list(Store(root))


def test_a_head_made_here_segments_the_classes_that_it_shares_by_name(holes, tmp_path):
    (record,) = run(tmp_path / "out", SUPERVISED, steps=60)
    assert record.status == "ok", record.failure
    assert (record.arm.fraction, record.arm.twin, record.cost.steps) == ("0 shots", None, 0)
    assert record.data.train == []
    assert record.weights.volumes == 7
    # by the row of the holes it would be 0, and 0.1 if all were predicted
    assert min(case.classes["cube"].dice for case in record.cases) > 0.3


def trained(root, seed):
    """A sweep whose weights are there, and the file of their head."""
    schedule = {"steps": 2, "patch": [16, 16, 16], "augmentation": "none", "seed": seed}
    (record,) = run(root, SUPERVISED, pretraining=schedule)
    assert record.status == "ok", record.failure
    (cell,) = bind(sweep_of(SUPERVISED, pretraining=schedule))
    return schedule, made_folder(cell.trainings.needs) / "head.safetensors"


def test_weights_without_their_head_are_refused_with_a_way_out(holes, tmp_path):
    schedule, head = trained(tmp_path / "before", seed=71)
    head.unlink()
    (record,) = run(tmp_path / "out", SUPERVISED, pretraining=schedule)
    assert record.status == "failed"
    assert "the head that was trained with these weights was not kept; delete" in record.failure


def test_a_damaged_head_is_told(holes, tmp_path):
    schedule, head = trained(tmp_path / "before", seed=72)
    head.write_bytes(head.read_bytes()[:20])
    (record,) = run(tmp_path / "out", SUPERVISED, pretraining=schedule)
    assert "head.safetensors: damaged" in record.failure


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"decoder": False}, "a head needs the decoder that it was trained with"),
        ({"structures": 9}, "supervised: structures = 9, but source 'holes' has 2 classes"),
        ({"source": "cubes"}, "its supervised source is the task itself"),
        ({"name": "masked-autoencoder"}, "its weights have no head to infer with"),
        ({"name": "negative-control"}, "its weights have no head to infer with"),
    ],
)
def test_arms_that_cannot_infer_say_why(holes, fields, reason):
    (cell,) = bind(sweep_of(SUPERVISED | fields))
    assert cell.trainings.reason.startswith(reason)


def test_a_structure_that_was_not_trained_on_is_no_output(holes):
    (used,) = chosen_structures(["hole", "Cube"], 1, seed=0)
    (cell,) = bind(sweep_of(SUPERVISED | {"structures": 1}))
    wanted = None if used == "Cube" else "its head has no class of the task: it gives hole"
    assert cell.trainings.reason == wanted


def test_the_rows_of_a_head_are_those_of_its_outputs():
    """Row i of the objective's head gives i + 1: what is left of it, by name."""
    trained = {"head.weight": torch.zeros(3, 4, 1, 1, 1), "head.bias": torch.arange(1.0, 4.0)}
    for count in (1, 2, 3):
        own = Supervised(size="tiny", structures=count)
        outputs = own.outputs(CARD, seed=5)
        head = own.head(trained, CARD, seed=5)
        assert set(outputs) == chosen_structures("abc", count, 5)
        logits = head(torch.ones(1, 4, 2, 2, 2), [])
        assert [" abc"[int(value)] for value in logits[0, :, 0, 0, 0]] == [*outputs]


def test_how_the_weights_were_augmented_is_part_of_the_key(holes):
    keys = []
    for name in ("none", "full"):
        schedule = {"steps": 4, "patch": [16, 16, 16], "augmentation": name}
        (cell,) = bind(sweep_of(SUPERVISED, pretraining=schedule))
        keys.append(cell.key)
    assert len({*keys}) == 2
