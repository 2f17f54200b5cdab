"""A file's own baseline is named first; where nothing tells two apart, both are."""

from collections.abc import Mapping
from functools import cache

import pytest
import torch
from torch import Tensor
from voxbench.files import hex_digest
from voxbench.model.layout import FileLayout
from voxbench.model.weights import Contents
from voxbench.plugins import BASELINES, Ref
from voxbench.published import match
from voxbench.published.catalogue import outline, published_baselines
from voxbench.published.match import matches
from voxbench_baselines.universal_model import UNIVERSAL_OUTPUTS

from tests.baselines import test_dodnet as dodnet
from tests.baselines import test_meddinov3 as meddinov3
from tests.baselines import test_nnunet as nnunet
from tests.baselines import test_openmind as openmind
from tests.baselines import test_openmind_primus as primus
from tests.baselines import test_stu_net as stu_net
from tests.baselines import test_unimiss as unimiss
from tests.baselines.layouts import in_2d, plain, renamed
from tests.model import controller

CONTROLLED = controller.state(UNIVERSAL_OUTPUTS, features=48, coarsest=768)
CONTROLLED_UNET = controller.state(UNIVERSAL_OUTPUTS, features=64, coarsest=512)


def made(name: str, size: str):
    return BASELINES.make(Ref.of(name, {"size": size}))


def own(name: str, size: str, *parts: str, **heads: tuple[int, ...]) -> dict[str, Tensor]:
    """A file whose names are those of the network, and a head."""
    return plain(made(name, size), *parts) | drawn(
        {head.replace("__", "."): shape for head, shape in heads.items()}
    )


def drawn(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Tensors that take no room."""
    return {name: torch.zeros(()).expand(shape) for name, shape in shapes.items()}


def swin(heads: Mapping[str, Tensor], *parts: str) -> dict[str, Tensor]:
    return own("swin-unetr-5050", "base", *parts) | dict(heads)


def disrupted() -> dict[str, Tensor]:
    state = {}
    for name, tensor in own("swin-unetr-5050", "base").items():
        inner = name.replace("swinViT.patch_embed", "encoder.patch_embed")
        if inner.startswith("swinViT.layers"):
            layer, rest = inner.removeprefix("swinViT.").split(".0.", 1)
            inner = f"encoder.{layer}.0.0.{rest}"
        state[inner] = tensor
    return state | drawn(
        {"encoder.mask_token": (1, 1, 48), "out.conv.conv.weight": (1, 48, 1, 1, 1)}
    )


def tang() -> dict[str, Tensor]:
    state = swin({}, "encoder.swinViT.")
    heads = {"rotation_head.weight": (4, 768), "conv.0.weight": (384, 768, 3, 3, 3)}
    return renamed(state, {"swinViT.": "", "mlp.linear": "mlp.fc"}) | drawn(heads)


OUT = {"out.conv.conv.weight": (21, 48, 1, 1, 1), "out.conv.conv.bias": (21,)}
FAMILIES = {
    "ct-fm base": lambda: own("ct-fm", "base", "encoder."),
    "deepbet base": lambda: own("deepbet", "base"),
    "dodnet base": lambda: drawn(dodnet.layout(32)),
    "genesis-chest-ct base": lambda: own(
        "genesis-chest-ct", "base", out_tr__final_conv__weight=(1, 64, 1, 1, 1)
    ),
    "hippodeep base": lambda: own(
        "hippodeep", "base", convout1x__weight=(1, 16, 1, 1, 1), convout1x__bias=(1,)
    ),
    "imagenet-efficientnet lite0": lambda: in_2d(
        own("imagenet-efficientnet", "lite0", "encoder.", _fc__weight=(1000, 1280))
    ),
    "imagenet-inflated 34": lambda: in_2d(
        own("imagenet-inflated", "34", "encoder.", fc__weight=(1000, 512))
    ),
    "imagenet-inflated 50": lambda: in_2d(
        own("imagenet-inflated", "50", "encoder.", fc__weight=(1000, 2048))
    ),
    "meddinov3 base": lambda: drawn(meddinov3.layout(*meddinov3.VIT_B)),
    "medicalnet 101": lambda: own("medicalnet", "101", "encoder."),
    "merlin 152": lambda: {
        f"encode_image.i3_resnet.{name}": tensor.expand(64, 3, 3, 7, 7)
        if name == "conv1.weight"
        else tensor
        for name, tensor in own("merlin", "152", "encoder.", classifier__bias=(1692,)).items()
    },
    "obelisk base": lambda: own(
        "obelisk", "base", conv77U__weight=(9, 9, 3, 3, 3), conv77U__bias=(9,)
    ),
    "openmind-resenc-l base MAE": lambda: drawn(openmind.layout(*openmind.RESENC_L)),
    "openmind-resenc-l base SimCLR": lambda: drawn(openmind.of_objective("SimCLR")),
    "openmind-resenc-l base VF": lambda: drawn(openmind.of_objective("VF")),
    "openmind-primus-m medium MAE": lambda: drawn(primus.layout(*primus.PRIMUS_M)),
    "openmind-primus-m medium SimMIM": lambda: drawn(primus.of_objective("SimMIM")),
    "openmind-primus-m medium-64 VoCo": lambda: drawn(primus.of_objective("VoCo")),
    "stu-net base": lambda: drawn(stu_net.layout(32, 1)),
    "suprem-segresnet small": lambda: own(
        *("suprem-segresnet", "small"),
        conv_final__2__conv__weight=(32, 16, 1, 1, 1),
        conv_final__2__conv__bias=(32,),
    ),
    "swin-unetr-5050 base": lambda: swin(drawn(OUT)),
    "swin-unetr-dae base": disrupted,
    "swin-unetr-tang base": tang,
    "totalsegmentator base organs": lambda: drawn(nnunet.layout(25)),
    "totalsegmentator base ribs": lambda: drawn(nnunet.layout(27)),
    "unimiss small": lambda: {
        name.removeprefix("backbone."): t for name, t in drawn(unimiss.layout("small")).items()
    },
    "voco base-v2": lambda: own("voco", "base-v2", "encoder."),
    "vocomni base-v2": lambda: own("vocomni", "base-v2") | drawn(OUT),
    "vocomni-nnunet base": lambda: drawn(nnunet.layout(21)),
}
TIES = {
    ("suprem-swin-unetr base", "universal-model-swin-unetr base"): lambda: swin(CONTROLLED),
    ("suprem-unet base", "universal-model-unet base"): lambda: (
        own("suprem-unet", "base") | CONTROLLED_UNET
    ),
    ("medicalnet 18", "medicalnet-23 18"): lambda: own("medicalnet", "18", "encoder."),
}


def beside(family: str) -> dict[str, object]:
    """What lies beside the tensors of a file of nnssl or nnU-Net."""
    objective = family.split()[-1]
    if family.startswith("totalsegmentator"):
        return {"init_args": nnunet.told(objective)}
    if not family.startswith("openmind"):
        return {}
    trainers = {"MAE": "BaseEvaMAETrainer_BS8", "VF": "VolumeFusionTrainer_BS8"}
    plan = primus.plan_of(objective) if "primus" in family else openmind.PLAN
    trainer = trainers.get(objective, f"{objective}Trainer")
    return {"nnssl_adaptation_plan": plan, "trainer_name": trainer}


@pytest.fixture(autouse=True)
def once(monkeypatch):
    """Every network is outlined once."""
    monkeypatch.setattr(match, "outline", outlined)


outlined = cache(outline)


@pytest.fixture
def path(tmp_path):
    """A file that is none of the published ones."""
    (tmp_path / "w.pth").write_bytes(b"as published")
    return tmp_path / "w.pth"


def found(path, state, beside=None):
    contents = Contents(state)
    contents.beside, contents.layout = beside or {}, FileLayout("torch")
    return matches(path, contents, published_baselines())


def first(ranked) -> list[str]:
    return [f"{one.baseline} {one.size}" for one in ranked if one.rank == 1 and not one.reason]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_published_file_finds_its_baseline_and_no_other_first(path, family):
    ranked = found(path, FAMILIES[family](), beside(family))
    assert first(ranked) == [family]
    assert ranked[0].head is not False


@pytest.mark.parametrize("tied", TIES)
def test_files_of_one_layout_are_a_tie(path, tied):
    assert tuple(first(found(path, TIES[tied]()))) == tied


def test_the_checksum_of_a_card_ends_a_tie(path, monkeypatch):
    kind = BASELINES.find("universal-model-swin-unetr")
    offer = kind.checkpoints["base"].model_copy(
        update={"checksum": f"md5:{hex_digest(path, 'md5')}"}
    )
    monkeypatch.setattr(kind, "checkpoints", {"base": offer})
    ranked = found(path, swin(CONTROLLED))
    assert first(ranked) == ["universal-model-swin-unetr base"]
    assert (ranked[0].proof, ranked[1].rank) == ("checksum", 2)


def test_a_head_that_is_missing_counts_against_its_card(path):
    ranked = {one.baseline: one for one in found(path, FAMILIES["swin-unetr-5050 base"]())}
    assert ranked["swin-unetr-5050"].head is None
    assert ranked["universal-model-swin-unetr"].rank > 1
    assert "out.conv.conv.weight" in ranked["universal-model-swin-unetr"].reason


def test_a_file_that_was_cut_down_to_the_network_fits_every_card_of_it(path):
    state = FAMILIES["swin-unetr-5050 base"]()
    bare = {name: tensor for name, tensor in state.items() if not name.startswith("out.")}
    ranked = {one.baseline: one for one in found(path, bare)}
    universal = ranked["universal-model-swin-unetr"]
    assert (universal.reason, universal.head) == (None, False)
    assert ranked["swin-unetr-5050"].rank < universal.rank
