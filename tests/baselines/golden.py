"""Published networks' activations, held against those of the baselines that load their weights.

The files are described in their folder's README: no published weight is needed, a rule makes them.
`python -m tests.baselines.golden FOLDER > docs/networks.md` writes the table of the documentation.
"""

import json
import math
import sys
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor
from voxbench.api import Published
from voxbench_baselines.ct_fm import CTFM
from voxbench_baselines.genesis import GenesisChestCT
from voxbench_baselines.medicalnet import MedicalNet
from voxbench_baselines.stu_net import STUNet
from voxbench_baselines.suprem import SuPreMSwinUNETR, SuPreMUNet
from voxbench_baselines.swin_unetr import SwinUNETRTang
from voxbench_baselines.unimiss import UniMiSS

from tests.baselines.layouts import Loaded, State, loaded

HEAD = """# The networks that run, and the published ones

Written by `python -m tests.baselines.golden FOLDER > docs/networks.md`: don't edit. The published
code of each family was run on noise with weights that a rule makes; a file of the published layout
with these weights went through the baseline that loads it. *Largest difference* is that between
their activations, over all *outputs*: the encoder's maps, the features and, where the baseline has
it, the head's logits. *Tolerance* is eight times what rounding changes in that output (the
published code in float32 against itself in float64).

| Family | Baseline | Published code | Outputs | Largest difference | in | Tolerance |
|---|---|---|---|---|---|---|
"""


class Golden(NamedTuple):
    """A network's facts, and its arrays by name."""

    meta: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, folder: Path, name: str) -> "Golden":
        with np.load(folder / f"{name}.npz") as arrays:
            return cls(json.loads((folder / f"{name}.json").read_text()), dict(arrays))

    def weights(self) -> dict[str, Tensor]:
        """Of its published code, by the rule of the folder's README.

        Raises:
            AssertionError: numpy draws other numbers than it did.
        """
        made: dict[str, np.ndarray] = {}
        for name, shape, dtype in self.meta["tensors"]:
            if name in self.meta["aliases"]:
                made[name] = made[self.meta["aliases"][name]]
            elif name in self.meta["stored"]:
                made[name] = self.arrays[self.meta["stored"][name]].astype(dtype)
            else:
                made[name] = np.zeros(shape, dtype) if "int" in dtype else _drawn(name, shape)
        crc = 0
        for tensor in made.values():
            crc = zlib.crc32(np.ascontiguousarray(tensor).tobytes(), crc)
        assert crc == self.meta["weights_crc32"]
        return {name: torch.from_numpy(tensor) for name, tensor in made.items()}

    def volume(self) -> Tensor:
        """The image that it saw."""
        drawn = np.random.default_rng(0).standard_normal(self.meta["input"]["shape"], np.float32)
        assert zlib.crc32(drawn.tobytes()) == self.meta["input"]["crc32"]
        return torch.from_numpy(drawn)

    def differences(self, found: State) -> dict[str, tuple[float, float]]:
        """Largest difference and tolerance of each output that was found."""
        result = {}
        for key, tensor in found.items():
            told = self.meta["outputs"][key]
            assert list(tensor.shape) == told["shape"], key
            samples = tensor.contiguous().numpy().reshape(-1)[:: told["step"]]
            largest = np.abs(samples - self.arrays[f"out/{key}"]).max()
            result[key] = float(largest), told["tolerance"]
        return result


def _drawn(name: str, shape: list[int]) -> np.ndarray:
    one = np.float32(1)
    z = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape, np.float32)
    if name.endswith("running_var"):
        return one + np.float32(0.2) * np.abs(z)
    if name.endswith("weight") and len(shape) > 1:
        return z * np.float32(1 / math.sqrt(math.prod(shape[1:])))
    return (one if name.endswith("weight") else np.float32(0)) + np.float32(0.1) * z


class Family(NamedTuple):
    """A golden file and the baseline that must agree with it.

    Attributes:
        kind: the baseline, at the file's size.
        save: writes the weights in the published layout, below a path without ending.
        outputs: of the loaded network for an image, under the file's keys.
    """

    kind: Callable[..., Published]
    save: Callable[[Path, State], Path]
    outputs: Callable[[Published, Loaded, Tensor], dict[str, Tensor]]


def differences(folder: Path, name: str) -> dict[str, tuple[float, float]]:
    """Largest difference and tolerance of each output of a family, through its baseline.

    Raises:
        AssertionError: an output of the file is not compared.
    """
    golden, family = Golden.of(folder, name), FAMILIES[name]
    with TemporaryDirectory() as place, torch.no_grad():
        baseline = family.kind(weights=str(family.save(Path(place) / "w", golden.weights())))
        found = family.outputs(baseline, loaded(baseline), golden.volume())
    assert set(golden.meta["outputs"]) - set(found) <= BEYOND.get(name, set())
    return golden.differences(found)


def wrapped(path: Path, weights: State, wrapper: str, prefix: str = "") -> Path:
    """A torch file: `wrapper` and `prefix` as its authors have them."""
    torch.save({wrapper: {prefix + name: tensor for name, tensor in weights.items()}}, path)
    return path


def flat(path: Path, weights: State) -> Path:
    """A safetensors file."""
    save_file(dict(weights), path := path.with_suffix(".safetensors"))
    return path


def _medicalnet(path: Path, weights: State) -> Path:
    published = {n: t for n, t in weights.items() if not n.startswith("conv_seg.")}
    return wrapped(path, published, "state_dict", "module.")


def _tang(path: Path, weights: State) -> Path:
    own = {
        name.removeprefix("swinViT.").replace("mlp.linear", "mlp.fc"): tensor
        for name, tensor in weights.items()
    }
    own |= {"norm.weight": torch.ones(768), "norm.bias": torch.ones(768)}
    own |= {"rotation_head.weight": torch.ones(4, 768), "contrastive_head.weight": torch.ones(512)}
    return wrapped(
        path, own | {"conv.0.weight": torch.ones(384, 768, 3, 3, 3)}, "state_dict", "module."
    )


def _unimiss(path: Path, weights: State) -> Path:
    """With the last level of the fine-tuning network, which the released file lacks."""
    published = {}
    for name, tensor in weights.items():
        if "cls_conv" in name:
            continue
        if name.split(".")[-1] in {"pos_embed4", "DecPosEmbed0", "DecPosEmbed1", "DecPosEmbed2"}:
            tensor = torch.cat([torch.ones(1, 1, tensor.shape[2]), tensor], dim=1)
        published[name.replace("patch_embed", "patch_embed3D")] = tensor
    return wrapped(path, published, "student", "module.backbone.")


def whole(baseline: Published, network: Loaded, image: Tensor) -> dict[str, Tensor]:
    """Encoder maps, features and, where the card has outputs, logits."""
    maps = network.backbone.encoder(image)
    features = network.backbone.decoder(maps)
    found = {f"map{i}": one for i, one in enumerate(maps)} | {"features": features}
    if baseline.card.outputs:
        head = baseline.head(network.published, network.backbone)
        found["logits"] = head(features, maps)
    return found


def _encoder(baseline: Published, network: Loaded, image: Tensor) -> dict[str, Tensor]:
    return {f"map{i}": one for i, one in enumerate(network.backbone.encoder(image))}


def _swin(baseline: Published, network: Loaded, image: Tensor) -> dict[str, Tensor]:
    return _hidden(baseline, network, image) | whole(baseline, network, image)


def _hidden(baseline: Published, network: Loaded, image: Tensor) -> dict[str, Tensor]:
    """Outputs of the transformer's stages."""
    stages = network.backbone.encoder.swinViT(image, True)
    return {f"hidden{i}": stage for i, stage in enumerate(stages)}


def _residual(baseline: Published, network: Loaded, image: Tensor) -> dict[str, Tensor]:
    names = ("map0", "layer1", "layer2", "layer3_every2", "layer4_every4")
    return dict(zip(names, network.backbone.encoder(image), strict=True))


def _convolved(head: str, baseline: Published, network: Loaded, image: Tensor) -> dict[str, Tensor]:
    """With the logits of a convolution that the baseline leaves out."""
    found = whole(baseline, network, image)
    weight, bias = (network.published[f"{head}.{name}"] for name in ("weight", "bias"))
    logits = F.conv3d(found["features"], weight, bias)
    return found | {"logits": logits}


FAMILIES: Mapping[str, Family] = {
    "ct_fm": Family(CTFM, flat, _encoder),
    "medicalnet_18": Family(partial(MedicalNet, size="18"), _medicalnet, _residual),
    "models_genesis": Family(
        GenesisChestCT,
        partial(wrapped, wrapper="state_dict", prefix="module."),
        partial(_convolved, "out_tr.final_conv"),
    ),
    "stunet_small": Family(
        partial(STUNet, size="small"), partial(wrapped, wrapper="state_dict"), whole
    ),
    "suprem_swin_unetr": Family(
        SuPreMSwinUNETR, partial(wrapped, wrapper="net", prefix="module."), _swin
    ),
    "suprem_unet": Family(SuPreMUNet, partial(wrapped, wrapper="net", prefix="module."), whole),
    "tang_swinvit": Family(SwinUNETRTang, _tang, _hidden),
    "unimiss_small": Family(UniMiSS, _unimiss, whole),
}
BEYOND = {
    "medicalnet_18": {"layer3", "layer4", "logits"},  # denser than the baseline's; its head
    "models_genesis": {"output"},  # the sigmoid of the logits
    "unimiss_small": {"stage3_de", "logits"},  # features before they are enlarged; a new head
}
"""Outputs of the files that a baseline doesn't have."""


def table(folder: Path) -> str:
    """The page of the documentation."""
    return HEAD + "".join(f"| {' | '.join(_row(folder, name))} |\n" for name in FAMILIES)


def _row(folder: Path, name: str) -> tuple[str, ...]:
    found = differences(folder, name)
    key = max(found, key=found.__getitem__)
    largest, tolerance = found[key]
    code = Golden.of(folder, name).meta["code"].partition("(")[0].split()[:2]
    baseline = FAMILIES[name].kind().card.name
    return (
        name,
        baseline,
        " ".join(code),
        f"{len(found)}",
        f"{largest:.1e}",
        key,
        f"{tolerance:.1e}",
    )


if __name__ == "__main__":
    sys.stdout.write(table(Path(sys.argv[1])))
