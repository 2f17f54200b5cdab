"""Direct inference: a published head on a task that shares its classes, without training."""

import pytest
import torch
from torch import nn
from voxbench import plugins
from voxbench.api import BaselineCard, Published
from voxbench.plugins import BASELINES
from voxbench.records import Store
from voxbench.reporting.report import write_report
from voxbench.running.bind import bind
from voxbench.running.options import Options
from voxbench.running.sweep import run_sweep

from tests.running.conftest import make_sweep

PLUGIN = '''
from dataclasses import dataclass
from typing import ClassVar
from voxbench.api import BaselineCard, Published

@dataclass(frozen=True, kw_only=True)
class Bright(Published):
    """Finds what is bright: a mean of 3x3x3 voxels above 0.85."""

    card: ClassVar = BaselineCard(
        name="bright", strategy="supervised", licence="x", reference="y", outputs=("Cube", "ball")
    )

    def backbone(self, in_channels):
        from tests.running.test_direct import backbone
        return backbone()

    def translate(self, published, backbone):
        return {"encoder.smooth.weight": published["smooth.weight"]}

    def head(self, published, backbone):
        from tests.running.test_direct import Bright
        return Bright()
'''


class Bright(nn.Module):
    def forward(self, features, maps):
        return torch.cat([features - 0.85, torch.full_like(features, 99.0)], dim=1)


def backbone():
    from voxbench.model.backbones.backbone import Backbone, Decoder, Encoder

    class Smooth(Encoder):
        channels, strides, stages = (1,), (1,), [("smooth.",)]

        def __init__(self):
            super().__init__()
            self.smooth = nn.Conv3d(1, 1, 3, padding=1, bias=False)

        def forward(self, x):
            return [self.smooth(x)]

    class Same(Decoder):
        out_channels, stages = 1, []

        def forward(self, maps):
            return maps[0]

    return Backbone(Smooth(), Same())


@pytest.fixture
def bright(example, tmp_path):
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "bright.py").write_text(PLUGIN)
    plugins.include(folder)
    weights = tmp_path / "bright.pth"
    torch.save({"smooth.weight": torch.full((1, 1, 3, 3, 3), 1 / 27)}, weights)
    return {"name": "bright", "weights": str(weights)}


def test_a_head_segments_without_training(bright, tmp_path):
    sweep = make_sweep(baselines=[bright], adaptation=["direct"], fractions=["2 shots", 1.0])
    run_sweep(sweep, tmp_path / "out", Options(jobs=1))
    (record,) = Store(tmp_path / "out")
    assert record.status == "ok", record.failure
    assert (record.arm.fraction, record.arm.twin, record.cost.steps) == ("0 shots", None, 0)
    assert record.data.train == []
    assert record.weights.audit.loaded_share == 1
    assert min(case.classes["cube"].dice for case in record.cases) > 0.9


def with_card(monkeypatch, **fields) -> None:
    kind: type[Published] = BASELINES.find("bright")
    monkeypatch.setattr(kind, "card", BaselineCard(**kind.card.model_dump() | fields))


def test_masks_processed_as_the_authors_do_are_a_cell_of_their_own(bright, tmp_path, monkeypatch):
    with_card(monkeypatch, postprocessed=("Cube",))
    sweep = make_sweep(baselines=[bright], adaptation=["direct", "direct-postprocessed"])
    run_sweep(sweep, tmp_path / "out", Options(jobs=1))
    plain, processed = sorted(Store(tmp_path / "out"), key=lambda record: record.arm.adaptation)
    assert processed.status == "ok", processed.failure
    assert (processed.arm.adaptation, processed.arm.fraction) == ("direct-postprocessed", "0 shots")
    assert plain.key != processed.key
    for one, other in zip(plain.cases, processed.cases, strict=True):
        assert other.classes["cube"].dice >= one.classes["cube"].dice > 0.9


def test_masks_are_not_processed_in_a_way_that_nobody_published(bright, example, monkeypatch):
    (cell,) = bind(make_sweep(baselines=[bright], adaptation=["direct-postprocessed"]))
    assert "nothing is known of how its authors process its masks" in cell.trainings.reason
    with_card(monkeypatch, postprocessed=("ball",))
    (cell,) = bind(make_sweep(baselines=[bright], adaptation=["direct-postprocessed"]))
    assert cell.trainings.reason == "its head has no class of the task: it gives ball"


def test_direct_inference_is_one_row_beside_the_trained_arms(bright, tmp_path):
    sweep = make_sweep(baselines=[bright], adaptation=["full", "direct"], seeds=1, twins=False)
    run_sweep(sweep, tmp_path / "out", Options(jobs=1))
    write_report(tmp_path / "out", tmp_path / "report")
    rows = (tmp_path / "report" / "tables" / "means.csv").read_text().splitlines()
    assert sum("0 shots" in row for row in rows) == 1
    curves = list((tmp_path / "report" / "figures").glob("*.svg"))
    assert len(curves) == 1


def test_arms_that_cannot_infer_say_why(bright, example):
    arms = [bright, {"name": "masked-autoencoder", "size": "tiny", "source": "cubes"}]
    cells = bind(make_sweep(baselines=arms, adaptation=["direct"]))
    assert {cell.arm.baseline.partition("[")[0]: cell.trainings.reason for cell in cells} == {
        "bright": None,
        "masked-autoencoder": "its weights have no head to infer with",
    }


def test_a_head_without_a_class_of_the_task_is_skipped(bright, example, monkeypatch):
    with_card(monkeypatch, outputs=("liver",))
    (cell,) = bind(make_sweep(baselines=[bright], adaptation=["direct"]))
    assert cell.trainings.reason == "its head has no class of the task: it gives liver"


def test_a_head_is_not_used_without_its_decoder(bright, example):
    (cell,) = bind(make_sweep(baselines=[{**bright, "decoder": False}], adaptation=["direct"]))
    assert cell.trainings.reason == "a head needs the decoder that it was trained with"
