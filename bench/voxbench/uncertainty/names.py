"""The figures of the applications: how tables call them, and what they can be."""

AGREEMENT = "pairwise Dice"
DETECTION = ("AUROC", "AUPR", "FPR at 95%", "OoD in the top half")
"""The fields of `detection.Detection`."""
FAILURE = ("AURC", "E-AURC", "AUGRC")
"""The fields of `failure.FailureDetection`, each of a risk."""

_SIGNS = {"AUROC": 1, "AUPR": 1, "NCC": 1, "missed": 0}
_BOUNDS = {"NCC": (-1.0, 1.0), "GED²": (-2.0, 2.0)}


def sign_of(figure: str) -> int:
    """+1 where more is better, −1 where less is, 0 where neither is."""
    return _SIGNS.get(figure, -1)


def bounds_of(figure: str) -> tuple[float, float]:
    """The smallest and the largest that there can be."""
    return _BOUNDS.get(figure, (0.0, 1.0))


def difference_bounds(figure: str) -> tuple[float, float]:
    """The smallest and the largest difference of two."""
    least, most = bounds_of(figure)
    return least - most, most - least
