"""MoCo v2 for any backbone (He et al., CVPR 2020; Chen et al., arXiv:2003.04297, 2020)."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from voxbench.toolkit import Backbone, Encoder, Objective, Teacher, Terms

from voxbench_baselines.objectives.contrast import queue_contrast
from voxbench_baselines.objectives.pooled import pooled
from voxbench_baselines.objectives.views import two_views, view_shape

if TYPE_CHECKING:
    from voxbench_baselines.moco import MoCo

_FEATURES = 128  # of a vector, as published


class MoCoObjective(Objective):
    """The student's vector of one view is to find the teacher's of the other, also in a queue.

    Args:
        backbone: whose encoder is pre-trained.
        options: of the baseline.
    """

    queue: Tensor
    count: Tensor

    def __init__(self, backbone: Backbone, options: "MoCo") -> None:
        super().__init__(backbone)
        self.options = options
        self.student = Projected(backbone.encoder, options.width)
        self.teacher = Teacher(self.student)
        self.register_buffer("queue", torch.zeros(options.queue, _FEATURES))
        self.register_buffer("count", torch.zeros((), dtype=torch.long))

    def before_step(self, progress: float) -> None:
        """Let the teacher follow."""
        self.teacher.follow(self.student, self.options.momentum)

    def forward(self, images: Tensor, _labels: Tensor, _labelled: Tensor) -> Terms:
        """The contrast of images (b, c, d, h, w); in training, their vectors join the queue.

        Raises:
            SpecError: the network can't be trained on such crops.
        """
        shape = view_shape(images.shape[2:], self.backbone, self.options.crop)
        first, second = two_views(images, shape, 1)
        query, key = self.student(first), self.teacher(second).float()
        kept = self.count.clamp_max(len(self.queue))
        term = queue_contrast(query, key, self.queue, kept, self.options.temperature)
        if self.training:
            self.enqueue(key)
        return {"contrast": term}

    @torch.no_grad()
    def enqueue(self, keys: Tensor) -> None:
        """Put vectors in place of the oldest."""
        places = (self.count + torch.arange(len(keys), device=keys.device)) % len(self.queue)
        self.queue = self.queue.index_copy(0, places, keys)
        self.count += len(keys)


class Projected(nn.Module):
    """Mean and maximum of every map, through the published two layers.

    Args:
        encoder: that gives the maps.
        width: of the layer between.
    """

    def __init__(self, encoder: Encoder, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.projector = nn.Sequential(
            nn.Linear(2 * sum(encoder.channels), width), nn.ReLU(), nn.Linear(width, _FEATURES)
        )

    def forward(self, images: Tensor) -> Tensor:
        """(b, c, d, h, w) → (b, features)."""
        maps = [pooled(features) for features in self.encoder(images)]
        vectors: Tensor = self.projector(torch.cat(maps, dim=1))
        return vectors
