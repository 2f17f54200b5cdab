"""Inference with a published head: no fine-tuning, the classes shared by name."""

from collections.abc import Sequence
from operator import itemgetter

import torch
from torch import Tensor, nn

from voxbench.design.structures import shared
from voxbench.model.backbones import Backbone

_NEVER = -1e4  # a logit that is never the largest; finite, so that windows can be averaged


class Direct(nn.Module):
    """Image (b, c, d, h, w) → logits (b, 1 + classes, d, h, w); channel 0 is background.

    Args:
        backbone: encoder and decoder, loaded.
        head: gives logits of `outputs` from features and maps, as `Published.head` returns it.
        outputs: the head's structures; with "background" they exclude one another.
        classes: the task's, in the order of its card; those that the head lacks never win.
        postprocessed: outputs that count alone, each as a mask of its own; None takes all, and of
            each voxel's logits the largest.

    Attributes:
        shared: class → place of its output, in the order of the outputs.
        separate: that the masks are processed each alone, as the card's `postprocessed` says.
    """

    def __init__(
        self,
        backbone: Backbone,
        head: nn.Module,
        outputs: Sequence[str],
        classes: Sequence[str],
        postprocessed: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.outputs = tuple(outputs)
        self.classes = tuple(classes)
        kept = outputs if postprocessed is None else postprocessed
        found = sorted(shared(outputs, classes).items(), key=itemgetter(1))
        self.shared = {name: place for name, place in found if outputs[place] in kept}
        self.separate = postprocessed is not None

    def forward(self, image: Tensor) -> Tensor:
        """Logits of every voxel."""
        maps = self.backbone.encoder(image)
        logits = self.head(self.backbone.decoder(maps), maps)
        result = torch.full_like(logits[:, :1], _NEVER).repeat(1, 1 + len(self.classes), 1, 1, 1)
        result[:, 0] = self._background(logits)
        for name, place in self.shared.items():
            result[:, 1 + self.classes.index(name)] = logits[:, place]
        return result

    def _background(self, logits: Tensor) -> Tensor:
        """What a class must exceed: every other output, or a probability of one half."""
        if "background" not in self.outputs:
            return torch.zeros_like(logits[:, 0])
        rest = [i for i in range(len(self.outputs)) if i not in self.shared.values()]
        return logits[:, rest].amax(dim=1)
