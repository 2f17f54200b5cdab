"""deepbet, supervised on the brain in T1 MR of the head, from an installable package."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Checkpoint, Preprocessing, Published, ZScore
from voxbench.errors import WeightsError

if TYPE_CHECKING:
    from torch import Tensor, nn
    from voxbench.toolkit import Backbone

DEEPBET_DEVIATION = 0.226  # of the images it was trained on
_LOGITS = 2


@dataclass(frozen=True, kw_only=True)
class Deepbet(Published):
    """The network of deepbet's first step, which sees the whole head in 128 x 128 x 128 voxels.

    Its images had mean 0.449 and a deviation of 0.226. The stem is scaled by the latter; the
    norm behind it takes the former away (but at the image's border).
    """

    architecture: str = "linknet"
    size: str = "base"

    card: ClassVar[BaselineCard] = BaselineCard(
        name="deepbet",
        strategy="supervised",
        pretraining_data=("OpenNeuro",),
        volumes=7837,
        licence="MIT",
        reference="Fisch et al., deepbet, Computers in Biology and Medicine 179, 2024",
        # The volumes are the paper's; the package doesn't say what its file was trained on.
        # nibabel's canonical axes; a head of 200 x 256 x 256 mm, as assumed here,
        # became 128 voxels each way
        contract=Preprocessing(
            axes="RAS", spacing_mm=(1.6, 2.0, 2.0), intensity=ZScore(), crop="none"
        ),
        channels=1,
        left_over=(),
        outputs=("background", "brain"),
    )

    scales: ClassVar[Mapping[str, float]] = {"init.0.weight": DEEPBET_DEVIATION}
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "base": Checkpoint(
            file="bbox_model.pt",
            page="https://github.com/wwu-mmll/deepbet",
            checksum="sha256:39a7b2b5f799faa1391ea97bfcdc0b9299f20d84f2316a4ff8918dc4685e40aa",
        )
    }

    def file(self) -> Path:
        """The file of the installed package, unless `weights` names another."""
        if self.weights is not None:
            return super().file()
        try:
            package = distribution("deepbet")
        except PackageNotFoundError as error:
            raise WeightsError(
                "deepbet needs its weights: pip install 'voxbench[deepbet]'."
            ) from error
        return Path(str(package.locate_file(f"data/models/{self.checkpoint.file}")))

    def head(self, published: Mapping[str, "Tensor"], backbone: "Backbone") -> "nn.Module":
        """The last two features are the logits."""
        import torch
        from voxbench.toolkit import ConvolutionHead

        weight = torch.eye(backbone.out_channels)[-_LOGITS:, :, None, None, None]
        return ConvolutionHead(weight, torch.zeros(_LOGITS))
