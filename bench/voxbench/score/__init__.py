"""Score a folder of predictions against a folder of references: files in, tables out.

`pair` finds the cases of two folders, `options` settles what is asked of them, `folder` scores them
while the next are being read, `grid` brings a prediction onto its reference's voxels, `summary`
writes what came of it. Nothing here knows a network.
"""

from voxbench.score.folder import CaseResult, score_folders
from voxbench.score.options import ScoreOptions, choose_options
from voxbench.score.pair import CasePairs, pair_cases
from voxbench.score.summary import ClassMean, class_means, write_summary

__all__ = [
    "CasePairs",
    "CaseResult",
    "ClassMean",
    "ScoreOptions",
    "choose_options",
    "class_means",
    "pair_cases",
    "score_folders",
    "write_summary",
]
