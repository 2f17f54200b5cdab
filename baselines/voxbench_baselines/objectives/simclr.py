"""SimCLR for any backbone (Chen et al., ICML 2020)."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from voxbench.toolkit import Backbone, Objective, Terms

from voxbench_baselines.objectives.contrast import info_nce
from voxbench_baselines.objectives.embedding import Embedding
from voxbench_baselines.objectives.views import two_views, view_shape

if TYPE_CHECKING:
    from voxbench_baselines.simclr import SimCLR


class SimCLRObjective(Objective):
    """Two views of each place; each is to find the other among those of all places.

    The encoder alone is trained, by the means of all of its maps, as in nnssl.

    Args:
        backbone: whose encoder is pre-trained.
        options: of the baseline.
    """

    def __init__(self, backbone: Backbone, options: "SimCLR") -> None:
        super().__init__(backbone)
        self.options = options
        self.embedding = Embedding(backbone.encoder, options.width)

    def forward(self, images: Tensor, _labels: Tensor, _labelled: Tensor) -> Terms:
        """The contrast of images (b, c, d, h, w).

        Raises:
            SpecError: the network can't be trained on such crops.
        """
        options = self.options
        shape = view_shape(images.shape[2:], self.backbone, options.crop)
        views = torch.cat(two_views(images, shape, options.places))
        return {"contrast": info_nce(self.embedding(views), options.temperature)}
