"""Score a folder of predictions against a folder of references: files in, tables out.

`pair` finds the cases of two folders, `read` reads their label maps, `folder` scores them while the
next are being read, `summary` writes what came of it. Nothing here knows a network.
"""

from voxbench.score.folder import CaseResult, Job, score_folders
from voxbench.score.pair import Pairing, pair
from voxbench.score.summary import ClassMean, means, write

__all__ = [
    "CaseResult",
    "ClassMean",
    "Job",
    "Pairing",
    "means",
    "pair",
    "score_folders",
    "write",
]
