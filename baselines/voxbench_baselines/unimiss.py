"""UniMiSS: self-distillation on CT volumes and chest X-rays with one transformer for both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Checkpoint, Preprocessing, Published, Window

from voxbench_baselines.suprem import hosted

if TYPE_CHECKING:
    from torch import Tensor
    from voxbench.toolkit import Backbone


@dataclass(frozen=True, kw_only=True)
class UniMiSS(Published):
    """UniMiSS's transformer, encoder and decoder; the student, as its fine-tuning takes it.

    The decoder's last level, `transposeconv_stage3` and `stage3_de`, was not pre-trained and
    starts anew.
    """

    architecture: str = "mit"
    size: str = "small"

    card: ClassVar[BaselineCard] = BaselineCard(
        name="unimiss",
        strategy="self-supervised",
        pretraining_data=(
            *("MOTS", "LIDC-IDRI", "Tianchi", "RibFrac", "TCIA-COVID-19"),
            *("NIH ChestX-ray8", "UniMiSS-5022"),
        ),
        volumes=5022,
        licence="MIT (repository); SuPreM's copy is under Apache-2.0 (its model card)",
        reference="Xie et al., UniMiSS, ECCV 2022",
        # SimpleITK's z, y, x arrays of mostly LPS images, written to NIfTI and read by nibabel as
        # x, y, z, then transposed to z, x, y; mirrored along every axis. Values were divided by
        # 1024 and not clipped: here they are clipped where 12 bits end.
        contract=Preprocessing(
            axes="SLP",
            spacing_mm=(3.0, 1.0, 1.0),
            intensity=Window(low=-1024, high=3072, to=(-1, 3)),
            crop="none",
        ),
        left_over=("*2D*", "*cls_tokens*", "head.*"),
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        size: hosted(f"self_supervised_unimiss_nnunet_{size}_5022.pth")
        for size in ("tiny", "small")
    }

    def translate(
        self, published: Mapping[str, "Tensor"], backbone: "Backbone"
    ) -> Mapping[str, "Tensor"]:
        """Its 3D names below their parts; heads and class tokens find no place there.

        Nor do tensors of its 2D side. The class token's place is dropped from every position
        embedding that has one. More channels repeat the stem, as its fine-tuning does.
        """
        state = backbone.state_dict()
        tensors = {}
        for name, tensor in published.items():
            place = _place(name)
            known = place in state
            tensors[place if known else name] = _fit(tensor, state[place]) if known else tensor
        return tensors


def _place(name: str) -> str:
    inner = name.replace("3D", "")
    outer, _, rest = inner.partition(".")
    return f"encoder.{rest}" if outer == "transformer" else f"decoder.{inner}"


def _fit(tensor: "Tensor", wanted: "Tensor") -> "Tensor":
    """Position embeddings (1, n, width) without the first, the stem with more channels."""
    if tensor.ndim == 3 and tensor.shape[1] == wanted.shape[1] + 1:
        return tensor[:, 1:]
    if tensor.ndim == 5 and tensor.shape[1] == 1:
        return tensor.repeat(1, wanted.shape[1], 1, 1, 1)
    return tensor
