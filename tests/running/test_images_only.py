"""A sweep pre-trains on images without labels and fine-tunes on a task that has them."""

import json

import numpy as np
import pytest
from voxbench.errors import SpecError
from voxbench.records import Store
from voxbench.running.bind import bind
from voxbench.running.options import Options
from voxbench.running.sweep import run_sweep

from tests.data.toy import save, volumes
from tests.running.conftest import make_sweep


@pytest.fixture
def images(tmp_path):
    """A raw folder of four images and nothing else."""
    for index in range(4):
        save(tmp_path / "data" / "imagesTr" / f"case{index}_0000.nii.gz", volumes(seed=index)[0])
    described = {"channel_names": {"0": "MR"}, "file_ending": ".nii.gz"}
    (tmp_path / "data" / "dataset.json").write_text(json.dumps(described))
    return {"name": "nnunet-folder", "root": str(tmp_path / "data"), "patients": "case"}


def masked(source="images"):
    return [{"name": "masked-autoencoder", "size": "tiny", "source": source}]


def test_pretraining_on_images_alone_ends_in_a_fine_tuned_cell(example, images, tmp_path):
    sweep = make_sweep(baselines=masked(), sources={"images": images}, seeds=1)
    run_sweep(sweep, tmp_path, Options(jobs=1))
    by_arm = {record.arm.strategy: record for record in Store(tmp_path)}
    record = by_arm["self-supervised"]
    assert record.status == "ok", record.failure
    assert (record.weights.volumes, record.weights.masks) == (2, 0)
    assert record.weights.audit.loaded_share == 1.0
    assert np.isfinite([case.classes["cube"].dice for case in record.cases]).all()
    assert record.contamination.status == "unknown", "its corpora are not named in the ledger"
    assert by_arm["scratch"].status == "ok"


def test_a_supervised_arm_on_images_alone_is_one_error_at_planning(example, images):
    arms = [{"name": "supervised", "size": "tiny", "source": "images"}]
    with pytest.raises(SpecError, match="supervised: is trained on labels, and its source 'im"):
        bind(make_sweep(baselines=arms, sources={"images": images}))


def test_a_task_without_labels_is_one_error_at_planning(example, images):
    with pytest.raises(SpecError, match="task 'data': has no labels to train on and to score by"):
        bind(make_sweep(tasks=[images]))


def test_the_key_of_an_arm_without_labels_knows_none(example, images, tmp_path):
    def keys():
        sweep = make_sweep(baselines=masked(), sources={"images": images}, twins=False)
        return [cell.key for cell in bind(sweep)]

    without = keys()
    for index in range(4):
        save(tmp_path / "data" / "labelsTr" / f"case{index}.nii.gz", volumes(seed=index)[1])
    described = {"channel_names": {"0": "MR"}, "labels": {"kidney_left": 1, "kidney_right": 4}}
    (tmp_path / "data" / "dataset.json").write_text(json.dumps(described))
    assert keys() == without
