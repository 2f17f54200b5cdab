"""What a device can compute with."""

from voxbench.design.recipe import Pretraining, Recipe
from voxbench.errors import SpecError


def check_precision(schedule: Recipe | Pretraining, device: str) -> None:
    """Refuse half precision without a GPU: Lightning would run it as bfloat16.

    Args:
        schedule: of a training.
        device: "cpu" or "cuda:N".

    Raises:
        SpecError: the device is the processor, and the precision 16.
    """
    if schedule.precision == "16" and device == "cpu":
        raise SpecError(
            'precision: "16" needs a GPU, and this would run on the processor; set "bf16" or "32".'
        )
