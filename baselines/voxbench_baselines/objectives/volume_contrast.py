"""VoCo for any backbone: where in the volume does a crop lie (Wu et al., CVPR 2024)."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from voxbench.errors import SpecError
from voxbench.toolkit import Backbone, Objective, Teacher, Term, Terms

from voxbench_baselines.objectives.cosine import cosines
from voxbench_baselines.objectives.crops import crops_at
from voxbench_baselines.objectives.distort import shifted
from voxbench_baselines.objectives.embedding import Embedding
from voxbench_baselines.objectives.turn import reoriented

if TYPE_CHECKING:
    from voxbench_baselines.volume_contrast import VolumeContrast

_MOMENTUM = 0.9  # of the teacher
_CHANGED = 0.2  # probability of a mirroring along each axis, and of a turn
_SHIFTED = 0.1  # probability of another brightness
_SURE = 1e-6  # keeps the logarithm finite, as published
_CONSTANTS, _PLACES = 101, 13  # that the best constant answer is looked for among


class CropGrid(NamedTuple):
    """Base crops side by side: how many along each axis, and voxels of each."""

    grid: tuple[int, int, int]
    crop: tuple[int, int, int]


class VolumeContrastObjective(Objective):
    """Cut a patch into base crops; tell by similarity how much of each a random crop holds.

    The released loss: similarities are the positive parts of cosines, the mean of those between
    the student's random crops and the teacher's base crops and the other way round. Every
    crop is mirrored, turned and made brighter by itself. The encoder alone is trained.

    Args:
        backbone: whose encoder is pre-trained.
        options: of the baseline.
    """

    def __init__(self, backbone: Backbone, options: "VolumeContrast") -> None:
        super().__init__(backbone)
        self.options = options
        self.student = Embedding(backbone.encoder, options.width)
        self.teacher = Teacher(self.student)

    def before_step(self, progress: float) -> None:
        """Let the teacher follow."""
        self.teacher.follow(self.student, _MOMENTUM)

    def forward(self, images: Tensor, _labels: Tensor, _labelled: Tensor) -> Terms:
        """Overlaps told, and base crops apart, in images (b, c, d, h, w).

        Raises:
            SpecError: the patch is too small to be cut.
        """
        batch, options = len(images), self.options
        cut = crop_grid(images.shape[2:], self.backbone, options.bases, options.crop)
        starts = random_starts(batch, options.crops, cut, images.device)
        pieces = torch.cat([crops_at(images, starts, cut.crop), base_crops(images, cut)])
        pieces = varied(pieces)
        if options.crop:
            pieces = F.interpolate(pieces, size=[options.crop] * 3, mode="trilinear")
        randoms, bases = randoms_and_bases(self.student(pieces), batch, options.crops)
        taught_randoms, taught_bases = randoms_and_bases(self.teacher(pieces), batch, options.crops)
        similar = (
            cosines(randoms, taught_bases).relu() + cosines(taught_randoms, bases).relu()
        ) / 2
        overlaps = crop_overlaps(starts, cut)
        positive, negative = overlap_loss(overlaps, similar)
        constant = torch.full_like(overlaps, best_constant(cut))
        right = similar.argmax(2) == overlaps.argmax(2)
        return {
            "overlap": Term(
                positive + negative,
                {"constant": sum(overlap_loss(overlaps, constant), torch.zeros(()).to(overlaps))},
                right.float().mean(),
                1 / overlaps.shape[2],
            ),
            "overlap of holders": Term(positive, weight=0),
            "overlap of others": Term(negative, weight=0),
            "bases apart": Term(alikeness(bases), weight=options.regularisation),
        }


def varied(pieces: Tensor) -> Tensor:
    """Mirror, turn and brighten each crop by itself, as often and as much as published."""
    return shifted(reoriented(pieces, _CHANGED, _CHANGED), _SHIFTED)


def randoms_and_bases(vectors: Tensor, batch: int, crops: int) -> tuple[Tensor, Tensor]:
    """Those of random crops (b, crops, features) and of base crops (b, bases, features)."""
    randoms, bases = vectors[: batch * crops], vectors[batch * crops :]
    return randoms.view(batch, crops, -1), bases.view(batch, -1, vectors.shape[1])


def overlap_loss(overlaps: Tensor, similar: Tensor) -> tuple[Tensor, Tensor]:
    """How wrong similarities are where there is overlap, weighted by it, and where there is none.

    Each is averaged for a patch and then over the batch.

    Args:
        overlaps: (b, crops, bases), 0…1.
        similar: (b, crops, bases), 0…1.
    """
    wrong = -torch.log(1 - (overlaps - similar).abs() + _SURE)
    positive = (overlaps * wrong).sum((1, 2)) / (overlaps.sum((1, 2)) + _SURE)
    apart = (overlaps == 0).float()
    negative = (apart * similar.square()).sum((1, 2)) / (apart.sum((1, 2)) + _SURE)
    return positive.mean(), negative.mean()


@cache
def best_constant(cut: CropGrid) -> float:
    """The one similarity that answers best for crops anywhere."""
    rooms = [(count - 1) * side for count, side in zip(*cut, strict=True)]
    along = [torch.linspace(0, room, _PLACES).long() for room in rooms]
    overlaps = crop_overlaps(torch.cartesian_prod(*along).unsqueeze(0), cut)
    values = torch.linspace(0, 1, _CONSTANTS)
    losses = [sum(overlap_loss(overlaps, torch.full_like(overlaps, c))) for c in values.tolist()]
    return float(values[torch.tensor(losses).argmin()])


def alikeness(bases: Tensor) -> Tensor:
    """Mean squared positive cosine of the pairs of a patch's base crops, (b, n, features).

    The second of each pair takes no gradient, as published.
    """
    count = bases.shape[1]
    first, second = torch.triu_indices(count, count, offset=1, device=bases.device)
    return cosines(bases, bases.detach()).relu().square()[:, first, second].mean()


def crop_grid(
    shape: Sequence[int], backbone: Backbone, bases: int, resampled: int | None
) -> CropGrid:
    """Cut a patch into `bases` by `bases` crops in the plane of its first two axes.

    What a multiple of the network's stride leaves over at the patch's far end is not used.

    Raises:
        SpecError: the network can't be trained on such crops.
    """
    multiple = 1 if resampled else backbone.divisor
    grid = (bases, bases, 1)
    sides = [n // count // multiple * multiple for n, count in zip(shape, grid, strict=True)]
    try:
        if not all(sides):
            raise SpecError("a crop has no voxel.")
        backbone.check_patch([resampled] * 3 if resampled else sides)
    except SpecError as error:
        raise SpecError(
            f"patch {tuple(shape)}: volume-contrast cuts it into {bases} by {bases} crops of "
            f"{tuple(sides)} voxels, and this network can't be trained on them ({error}) Make the "
            f"first two axes of pretraining.patch at least {bases * backbone.divisor}, set `crop`, "
            "what crops are resampled to, or fewer `bases`."
        ) from None
    return CropGrid(grid, (sides[0], sides[1], sides[2]))


def base_crops(images: Tensor, cut: CropGrid) -> Tensor:
    """The base crops of each image, (b · bases, c, *crop), an image's in the grid's order."""
    (i, j, k), (d, h, w) = cut
    batch, channels = images.shape[:2]
    tiles = images[:, :, : i * d, : j * h, : k * w].reshape(batch, channels, i, d, j, h, k, w)
    return tiles.permute(0, 2, 4, 6, 1, 3, 5, 7).reshape(-1, channels, d, h, w)


def random_starts(batch: int, crops: int, cut: CropGrid, device: torch.device) -> Tensor:
    """First voxels of crops anywhere within the base crops: (b, crops, 3)."""
    room = [(count - 1) * side + 1 for count, side in zip(*cut, strict=True)]
    share = torch.rand(batch, crops, 3, device=device)
    return (share * torch.tensor(room, device=device)).long()


def crop_overlaps(starts: Tensor, cut: CropGrid) -> Tensor:
    """The share of each random crop that lies in each base crop: (b, crops, bases), sums to 1."""
    shares = torch.ones(*starts.shape[:2], 1, device=starts.device)
    for axis, (count, side) in enumerate(zip(*cut, strict=True)):
        bases = side * torch.arange(count, device=starts.device)
        apart = (starts[..., axis, None] - bases).abs()
        along = (side - apart).clamp_min(0) / side
        shares = (shares.unsqueeze(3) * along.unsqueeze(2)).flatten(2)
    return shares
