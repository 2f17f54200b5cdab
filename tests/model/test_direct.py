"""A published head is read as the task's classes, and nothing else wins."""

import pytest
import torch
from torch import nn
from voxbench.model.direct import Direct
from voxbench.plugins import find_architecture


class Fixed(nn.Module):
    """Logits that are given, whatever the image."""

    def __init__(self, logits: list[float]) -> None:
        super().__init__()
        self.logits = torch.tensor(logits)

    def forward(self, features, maps):
        assert len(maps) == 3
        shape = (features.shape[0], -1, *features.shape[2:])
        return self.logits.view(1, -1, 1, 1, 1).expand(shape)


def test_only_outputs_that_are_postprocessed_count_in_the_order_of_the_head():
    backbone = find_architecture("unet").build("tiny", 1)
    outputs, classes = ["colon", "spleen", "liver"], ["liver", "Spleen", "colon", "rib"]
    network = Direct(backbone, Fixed([1.0, 2.0, 3.0]), outputs, classes, ["liver", "spleen"])
    assert list(network.shared.items()) == [("Spleen", 1), ("liver", 2)]
    result = network(torch.zeros(1, 1, 16, 16, 16))[0, :, 0, 0, 0]
    assert result.tolist() == [0.0, 3.0, 2.0, -1e4, -1e4]
    assert network.separate
    assert not Direct(backbone, Fixed([1.0, 2.0, 3.0]), outputs, classes).separate


def winner(logits, outputs, classes) -> set[int]:
    network = Direct(find_architecture("unet").build("tiny", 1), Fixed(logits), outputs, classes)
    result = network(torch.zeros(2, 1, 16, 16, 16))
    assert result.shape == (2, 1 + len(classes), 16, 16, 16)
    assert torch.isfinite(result).all()
    return set(result.argmax(dim=1).unique().tolist())


@pytest.mark.parametrize(
    ("logits", "expected"),
    [
        ([5.0, -1.0, -2.0], 0),  # the head's first output is no class of the task
        ([5.0, 1.0, 2.0], 1),
        ([5.0, 3.0, 2.0], 3),
        ([-5.0, -0.1, -0.2], 0),
    ],
)
def test_each_sigmoid_is_decided_at_one_half(logits, expected):
    outputs, classes = ["colon", "spleen", "Left kidney"], ["kidney_left", "liver", "spleen"]
    assert winner(logits, outputs, classes) == {expected}


@pytest.mark.parametrize(
    ("logits", "expected"),
    [([1.0, 2.0, 3.0], 0), ([1.0, 3.0, 2.0], 1), ([4.0, 3.0, 2.0], 0), ([-9.0, -3.0, -8.0], 1)],
)
def test_a_softmax_class_must_beat_every_other_output(logits, expected):
    assert winner(logits, ["background", "spleen", "colon"], ["spleen"]) == {expected}
