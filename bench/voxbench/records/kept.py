"""Where the weights of a finished cell lie, beside its record."""

from pathlib import Path


def weights_path(root: Path, key: str) -> Path:
    """`ROOT/weights/KEY.safetensors`: all tensors of the trained network, head included."""
    return root / "weights" / f"{key}.safetensors"
