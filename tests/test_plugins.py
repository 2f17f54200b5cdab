"""Plugins are found by name, and a wrong one is named with its owner."""

from pathlib import Path

import pytest
from voxbench import plugins
from voxbench.design.cell import Ref
from voxbench.errors import DataError, PluginError
from voxbench.plugins import ARCHITECTURES, BASELINES, TASKS, find_baseline, find_task

LOOSE = """
from dataclasses import dataclass
from typing import ClassVar
from voxbench.api import Baseline, BaselineCard

@dataclass(frozen=True, kw_only=True)
class Mine(Baseline):
    width: int = 3
    card: ClassVar = BaselineCard(name="mine", strategy="scratch", licence="x", reference="y")
"""

NETWORK = """
from torch import nn
from voxbench.api import Architecture
from voxbench.model.backbones.squeezenet import SQUEEZENET
from voxbench.toolkit import Encoder, decoded

class Mine(Encoder):
    strides = (1,)
    stages = [("conv.",)]

    def __init__(self, width, in_channels):
        super().__init__()
        self.channels = (width,)
        self.conv = nn.Conv3d(in_channels, width, 3, padding=1)

    def forward(self, x):
        return [self.conv(x)]

MINE = Architecture("mine", {"thin": 8, "wide": 16}, lambda width, n: decoded(Mine(width, n)))
"""


@pytest.fixture
def loose(tmp_path: Path, monkeypatch):
    for registry in (TASKS, BASELINES, ARCHITECTURES):
        monkeypatch.setattr(registry, "loose", {})
    return tmp_path


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(PluginError, match=r"unknown baseline 'scrach'.*Did you mean 'scratch'"):
        find_baseline("scrach")
    with pytest.raises(PluginError, match="unknown task 'nowhere'"):
        find_task("nowhere")


def test_an_unknown_field_gets_the_nearest_one():
    with pytest.raises(PluginError, match=r"unknown field 'archtecture'.*'architecture'"):
        find_baseline(Ref.of("scratch", {"archtecture": "unet"}))


def test_an_unknown_architecture_gets_the_nearest_one_before_anything_runs():
    with pytest.raises(PluginError, match=r"'scratch': unknown architecture 'unett'.*'unet'"):
        find_baseline(Ref.of("scratch", {"architecture": "unett"}))


def test_a_folder_task_needs_its_root():
    with pytest.raises(DataError, match="needs `root`"):
        find_task("nnunet-folder")


def test_a_root_that_is_not_there_says_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("VOXBENCH_DATA", str(tmp_path))
    with pytest.raises(DataError) as error:
        find_task(Ref.of("masks-folder", {"root": "brians"}))
    assert str(error.value) == (
        f"{tmp_path}/brians: no such folder, the `root` of task 'masks-folder'; a relative one "
        f"starts from VOXBENCH_DATA, which is {tmp_path}."
    )


def test_defaults_are_filled_in_so_that_equal_arms_are_equal():
    short = BASELINES.complete(Ref("scratch"))
    long = BASELINES.complete(Ref.of("scratch", short.values))
    assert short == long
    assert short.values["architecture"] == "unet"


def test_a_field_that_was_added_later_names_nothing_at_its_default():
    before = BASELINES.complete(Ref("supervised"))
    assert "label_noise" not in before.values
    assert BASELINES.complete(Ref.of("supervised", {"label_noise": 0})) == before
    noisy = BASELINES.complete(Ref.of("supervised", {"label_noise": 0.3}))
    assert noisy.to_json() != before.to_json()
    assert noisy.values["label_noise"] == 0.3


def test_a_loose_file_is_a_plugin(loose):
    (loose / "mine.py").write_text(LOOSE)
    plugins.include(loose)
    assert find_baseline(Ref.of("mine", {"width": 5})).width == 5


def test_a_loose_file_brings_a_network(loose):
    (loose / "net.py").write_text(NETWORK)
    plugins.include(loose)
    assert "squeezenet" not in ARCHITECTURES.loose, "it only imports that one"
    backbone = find_baseline(Ref.of("scratch", {"architecture": "mine", "size": "wide"})).backbone(
        2
    )
    assert backbone.state_dict()["encoder.conv.weight"].shape == (16, 2, 3, 3, 3)


def test_a_broken_loose_file_is_named(loose):
    (loose / "broken.py").write_text("import nothing_there")
    with pytest.raises(PluginError, match=r"broken\.py: can't be imported.*nothing_there"):
        plugins.include(loose)


def test_a_folder_without_plugins_is_named(loose):
    with pytest.raises(PluginError, match=r"no \*\.py file"):
        plugins.include(loose)


def test_two_owners_of_one_name_are_both_named(loose):
    (loose / "mine.py").write_text(LOOSE.replace('"mine"', '"scratch"'))
    plugins.include(loose)
    with pytest.raises(PluginError, match=r"'scratch' is registered twice, by .* and "):
        find_baseline("scratch")


def test_a_relative_root_starts_from_the_data_root(tmp_path, monkeypatch):
    monkeypatch.setenv("VOXBENCH_DATA", str(tmp_path))
    assert find_task(Ref.of("msd-hippocampus", {"root": "mine"})).root == tmp_path / "mine"
    assert find_task("msd-hippocampus").root == tmp_path / "Task04_Hippocampus"


def test_a_root_may_be_written_with_a_tilde_or_a_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MINE", str(tmp_path))
    for written in ("~/data", "$MINE/data", "${MINE}/data"):
        assert find_task(Ref.of("msd-heart", {"root": written})).root == tmp_path / "data"
    monkeypatch.setenv("VOXBENCH_DATA", "~/all")
    assert find_task(Ref.of("msd-heart", {"root": "~nobody-here/x"})).root == (
        tmp_path / "all" / "~nobody-here" / "x"
    )


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"size": 3}, "size: Input should be a valid string, got 3"),
        ({"volumes": "3"}, "volumes: Input should be a valid integer, got '3'"),
        ({"volumes": True}, "volumes: Input should be a valid integer, got True"),
        ({"decoder": "no"}, "decoder: Input should be a valid boolean, got 'no'"),
        ({"ratio": "0.5"}, "ratio: Input should be a valid number, got '0.5'"),
    ],
)
def test_a_field_of_another_type_is_refused_with_its_value(fields, told):
    with pytest.raises(PluginError, match="masked-autoencoder") as caught:
        find_baseline(Ref.of("masked-autoencoder", {"source": "phantom-atlas", **fields}))
    assert told in str(caught.value)
