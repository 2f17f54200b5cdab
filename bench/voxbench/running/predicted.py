"""What a prediction model says of a case, on the grid of its files."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxbench.data.geometry import uncropped
from voxbench.design.cell import Ref
from voxbench.predict.members import MODELS, Subject, predict_members
from voxbench.score.uncertainty.case import Maps, Predicted
from voxbench.uncertainty.measures import Measures


def predicted(
    model: Ref,
    subject: Subject,
    measures: Sequence[str],
    spacing_mm: tuple[float, ...],
    raters: Sequence[NDArray[Any]] = (),
    *,
    each: bool = False,
    by_class: bool = False,
) -> Predicted:
    """All that the members say of a case.

    Args:
        model: prediction model.
        subject: the prepared case and the networks.
        measures: that are asked for.
        spacing_mm: of the files' grid, mm.
        raters: label maps on that grid.
        each: keep the label map of each member.
        by_class: keep what the maps of each class need.
    """
    drawn = list[NDArray[np.uint8]]()
    members = predict_members(
        MODELS.make(model), subject, by_class=by_class, labels=drawn if each else None
    )
    grid = subject.prepared.grid

    def asked(found: Measures) -> Maps:
        return {name: uncropped(getattr(found, name), grid) for name in measures}

    mean = np.empty((members.classes, *grid.native), np.float32)
    for index, own in enumerate(mean):
        own[...] = uncropped(members.mean_of(index), grid)
    mean[0][~uncropped(np.ones(members.shape, bool), grid)] = 1  # background around the crop
    return Predicted(
        asked(members.measures()),
        mean,
        uncropped(members.labels.astype(np.uint8), grid),
        [uncropped(own, grid) for own in drawn],
        raters,
        spacing_mm,
        (lambda index: asked(members.of_class(index))) if by_class else None,
    )
