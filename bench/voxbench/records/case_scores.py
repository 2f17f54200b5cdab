"""The scores of a test case, as a record has them."""

from pydantic import Field

from voxbench.records.part import GrownPart, NanFloat, RecordPart, Told


class ClassScores(RecordPart):
    """Scores of one class in one case; NaN is undefined (both masks empty).

    Attributes:
        dice: overlap, in [0, 1].
        nsd: normalised surface Dice at the class's tolerance, in [0, 1].
        hd95_mm: 95th percentile of the distances between the surfaces.
        volume_mm3_prediction: of the predicted mask.
        volume_mm3_reference: of the reference.
        flag: "" or why a score is what it is: both_empty, prediction_empty, reference_empty,
            failed.
    """

    dice: NanFloat
    nsd: NanFloat
    hd95_mm: NanFloat
    volume_mm3_prediction: NanFloat
    volume_mm3_reference: NanFloat
    flag: str = ""


class CaseScores(GrownPart):
    """Scores of one test case.

    Attributes:
        case: its id.
        patient: the person.
        classes: class → scores.
        failure: why it could not be predicted.
        raters: where several annotated it, rater → class → Dice with what that rater says; nothing
            of a rater who gave no label map. `classes` are scored against the task's label.
    """

    later = frozenset({"raters"})

    case: str
    patient: str
    classes: dict[str, ClassScores]
    failure: Told | None = None
    raters: dict[str, dict[str, NanFloat]] = Field(default={})
