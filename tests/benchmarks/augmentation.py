"""The level `full` beside nnU-Net's own transforms: what they do, and patches of 96³ a second.

    python -m tests.benchmarks.augmentation

Needs batchgeneratorsv2 and scikit-image. Its side is `nnUNetTrainer.get_training_transforms` of
nnU-Net 2.8 without deep supervision, on crops as its loader makes them (30° and a scale of 0.85:
154 voxels for 96), with its rule where a crop may lie. Both see the same volumes, in memory of this
process; every figure is taken from patches that came out, by one definition.
"""

import os
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch
from batchgeneratorsv2.transforms.intensity.brightness import MultiplicativeBrightnessTransform
from batchgeneratorsv2.transforms.intensity.contrast import BGContrast, ContrastTransform
from batchgeneratorsv2.transforms.intensity.gamma import GammaTransform
from batchgeneratorsv2.transforms.intensity.gaussian_noise import GaussianNoiseTransform
from batchgeneratorsv2.transforms.noise.gaussian_blur import GaussianBlurTransform
from batchgeneratorsv2.transforms.spatial.low_resolution import SimulateLowResolutionTransform
from batchgeneratorsv2.transforms.spatial.mirroring import MirrorTransform
from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
from batchgeneratorsv2.transforms.utils.random import RandomTransform
from scipy.ndimage import gaussian_filter
from voxbench.data import appearance, cache
from voxbench.data.augment import augment, moves
from voxbench.data.cache import Prepared, PreparedCase
from voxbench.data.geometry import choose_grid
from voxbench.data.outside import copy_window
from voxbench.data.patches import Patches
from voxbench.design.preprocessing import Preprocessing

PATCH = 96
CROP = 154
PADDED = -1
PATCHES = 400
ROUNDS, COUNT = 5, 24
SHAPES = {"200³": (200, 200, 200), "120 × 160 × 110": (120, 160, 110)}


def intensity_transforms() -> dict[str, RandomTransform]:
    """nnU-Net's, by the name of the chance in `data.appearance`."""
    quarter, curve = BGContrast((0.75, 1.25)), BGContrast((0.7, 1.5))
    each = {"synchronize_channels": False, "p_per_channel": 1}
    half = {"synchronize_channels": False, "p_per_channel": 0.5}
    made = {
        "noise": GaussianNoiseTransform((0, 0.1), p_per_channel=1, synchronize_channels=True),
        "blur": GaussianBlurTransform((0.5, 1.0), synchronize_axes=False, benchmark=True, **half),
        "brightness": MultiplicativeBrightnessTransform(quarter, **each),
        "contrast": ContrastTransform(quarter, preserve_range=True, **each),
        "low_resolution": SimulateLowResolutionTransform(
            (0.5, 1), synchronize_axes=True, ignore_axes=None, **half
        ),
        "inverted_gamma": GammaTransform(curve, p_invert_image=1, p_retain_stats=1, **each),
        "gamma": GammaTransform(curve, p_invert_image=0, p_retain_stats=1, **each),
    }
    chances = appearance.Chances()._asdict()  # equal in both, as trainer and module say
    return {name: RandomTransform(one, chances[name]) for name, one in made.items()}


def spatial_transform() -> SpatialTransform:
    """nnU-Net's by default."""
    return SpatialTransform(
        (PATCH,) * 3,
        patch_center_dist_from_border=0,
        random_crop=False,
        p_rotation=0.2,
        rotation=(-np.pi / 6, np.pi / 6),
        p_scaling=0.2,
        scaling=(0.7, 1.4),
        p_synchronize_scaling_across_axes=1,
        border_mode_seg="constant",
        padding_value_seg=PADDED,
    )


def stored(shape: tuple[int, int, int]) -> PreparedCase:
    """A z-scored volume with some texture, one class everywhere."""
    random = np.random.default_rng(0)
    image = gaussian_filter(random.normal(size=shape).astype(np.float32), 2)
    image = ((image - image.mean()) / image.std())[None]
    grid = choose_grid(image, np.eye(4), Preprocessing(crop="none"))
    path = cache.prepared_folder() / "x".join(map(str, shape))
    label = np.ones(shape, np.uint8)
    cache.store_case(path, Prepared(image, label, grid, [-4.0]), ["all"], None, [])
    return PreparedCase("case", "patient", path)


def ours(case: PreparedCase, level: str) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """Step → an image (c, d, h, w) and labels (d, h, w); 0 lies outside the volume."""
    stream = Patches([case], {"all": 1}, (PATCH,) * 3, 1, 0.0, seed=0, moves=moves(level, 1))

    def patch(step: int) -> tuple[np.ndarray, np.ndarray]:
        batch = augment(stream.batch(step), level, 1, step, mirrors=(0, 1, 2))
        return batch.images[0], batch.labels[0]

    return patch


def theirs(case: PreparedCase, level: str) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """The same of nnU-Net."""
    changes = intensity_transforms().values() if level == "full" else ()
    transforms = [spatial_transform(), *changes, MirrorTransform((0, 1, 2))]
    random = np.random.default_rng(0)
    wider = CROP - PATCH

    def patch(_step: int) -> tuple[np.ndarray, np.ndarray]:
        corner = []
        for size in case.label.shape:
            padded = max(wider, CROP - size)
            corner.append(int(random.integers(-(padded // 2), size + padded // 2 - CROP + 1)))
        image, label = (
            np.empty((1, *(CROP,) * 3), np.float32),
            np.empty((1, *(CROP,) * 3), np.int16),
        )
        copy_window(case.image[0], corner, image[0], 0)
        copy_window(case.label, corner, label[0], PADDED)
        data = {"image": torch.from_numpy(image), "segmentation": torch.from_numpy(label)}
        for transform in transforms:
            data = transform(**data)
        return data["image"].numpy(), np.maximum(data["segmentation"].numpy()[0], 0)

    return patch


def outside() -> None:
    """Share of a patch's voxels that no voxel of the case is behind."""
    print("| volume | | patches with filler | filler in all patches | most in one |")
    print("|---|---|---|---|---|")
    for name, shape in SHAPES.items():
        case = stored(shape)
        for whose, make in (("voxbench", ours), ("nnU-Net", theirs)):
            patch = make(case, "spatial")
            shares = np.array([(patch(step)[1] == 0).mean() for step in range(PATCHES)])
            told = f"{np.mean(shares > 0):.0%} | {shares.mean():.2%} | {shares.max():.0%}"
            print(f"| {name} | {whose} | {told} |")


def frequencies() -> None:
    """Share of channels that a change alters, and the deviation of the difference it makes."""
    image = np.random.default_rng(0).normal(size=(2, 12, 12, 12)).astype(np.float32)
    image = (image - image.mean((1, 2, 3), keepdims=True)) / image.std((1, 2, 3), keepdims=True)
    random, count = np.random.default_rng(1), 4000
    print("\n| change | voxbench | nnU-Net |\n|---|---|---|")
    for name, transform in intensity_transforms().items():
        chance = appearance.CHANCES._asdict()[name]
        never = appearance.Chances(*(0.0,) * 7)
        appearance.CHANCES = never._replace(**{name: chance})
        mine = [appearance.distorted(image, random) - image for _ in range(count)]
        appearance.CHANCES = appearance.Chances()
        their = [
            transform(image=torch.from_numpy(image.copy()))["image"].numpy() - image
            for _ in range(count)
        ]
        found = [np.array([one.std((1, 2, 3)) for one in each]) for each in (mine, their)]
        told = [
            f"{np.mean(one > 0):.3f}; "
            + ", ".join(f"{value:.3f}" for value in np.quantile(one[one > 0], (0.05, 0.5, 0.95)))
            for one in found
        ]
        print(f"| {name} | {told[0]} | {told[1]} |")


def speed() -> None:
    """Patches a second on one thread, rounds interleaved."""
    case = stored(SHAPES["200³"])
    print("\n| level | voxbench, patches/s | nnU-Net, patches/s | ratio |\n|---|---|---|---|")
    for level in ("spatial", "full"):
        makers = {name: make(case, level) for name, make in (("a", ours), ("b", theirs))}
        rates: dict[str, list[float]] = {name: [] for name in makers}
        for start in range(ROUNDS + 1):
            for name, patch in makers.items():
                started = time.thread_time()
                for step in range(COUNT):
                    patch(start * COUNT + step)
                rates[name].append(COUNT / (time.thread_time() - started))
        mine, their = (median(values[1:]) for values in rates.values())
        print(f"| {level} | {mine:.0f} | {their:.0f} | {mine / their:.2f} |", flush=True)


def main() -> None:
    """Print the tables."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VOXBENCH_CACHE"] = folder
        assert cache.prepared_folder().is_relative_to(Path(folder))
        outside()
        frequencies()
        speed()


if __name__ == "__main__":
    main()
