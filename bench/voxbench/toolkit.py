"""What a plugin builds with, beside the contracts of `voxbench.api`; built-in ones use no more.

- networks: `Backbone` of an `Encoder` and a `Decoder`, or an encoder `decoded` by the common
  decoder; `SmallBatchNorm3d` and `with_small_batches` where weights come with statistics of batch
  norms;
- published weights: 2D kernels `inflate`d by an `Inflation`, a colour stem that is
  `regrey`ed, the heads `ConvolutionHead` and `ControlledHead`;
- weights that `voxbench pretrain` wrote: `read_card`;
- pre-training: an `Objective` with the `Term`s of its loss and a `Teacher` that follows as a moving
  average; the `Share` of a batch that it is given, by default the `WHOLE`; its schedule, a
  `Pretraining`; a `PreparedCase`, and `sample_foreground` of a label map;
  a random `stream` by name; `find_baseline` of a `Ref`, another baseline;
- tasks: a folder's own description, `DatasetJson` or what else `read_json` and `read_table` read,
  and the card that follows from it: `make_card` of `card_name`, `modality_of`, `median_spacing`,
  `tolerances`, `corpora_of`; `volume_files` of a folder, by the `stem_of` their names, one of which
  `holds_series` of DICOM; `arrange_cases`, which finds patients and a published split beside the
  data, or `find_split` the split alone, `published_folds` its folds; a `part_named` by a word;
  `values_held` by label maps; `write_atomically`.

Nothing is imported before it is used, so that listing plugins costs no torch.
"""

from typing import TYPE_CHECKING

from voxbench.lazy import lazily

_HOMES = {
    "voxbench.data.cache": ("PreparedCase", "sample_foreground"),
    "voxbench.data.case_table": ("read_table",),
    "voxbench.data.dataset_json": ("DatasetJson", "read_json"),
    "voxbench.data.folder_cases": ("FolderCases", "arrange_cases"),
    "voxbench.data.published_folds": ("published_folds",),
    "voxbench.data.published_split": ("find_split", "part_named"),
    "voxbench.data.folder_card": (
        *("card_name", "corpora_of", "make_card", "median_spacing", "modality_of", "tolerances"),
    ),
    "voxbench.data.values_held": ("values_held",),
    "voxbench.data.volume_files": ("ENDINGS", "holds_series", "stem_of", "volume_files"),
    "voxbench.design.cell": ("Ref",),
    "voxbench.design.recipe": ("Pretraining",),
    "voxbench.design.seeds": ("stream",),
    "voxbench.files": ("write_atomically",),
    "voxbench.fit.share": ("WHOLE", "Share"),
    "voxbench.fit.terms": ("Term", "Terms"),
    "voxbench.model.backbones.backbone": ("Backbone", "Decoder", "Encoder"),
    "voxbench.model.backbones.decoder": ("decoded",),
    "voxbench.model.backbones.norm": ("SmallBatchNorm3d", "with_small_batches"),
    "voxbench.model.heads": ("ControlledHead", "ConvolutionHead"),
    "voxbench.model.inflate": ("Inflation", "inflate", "regrey"),
    "voxbench.model.weights": ("read_settings",),
    "voxbench.plugins": ("find_baseline",),
    "voxbench.pretrain.card": ("read_card",),
    "voxbench.pretrain.objective": ("Objective", "Teacher"),
}

if TYPE_CHECKING:
    from voxbench.data.cache import PreparedCase as PreparedCase
    from voxbench.data.cache import sample_foreground as sample_foreground
    from voxbench.data.case_table import read_table as read_table
    from voxbench.data.dataset_json import DatasetJson as DatasetJson
    from voxbench.data.dataset_json import read_json as read_json
    from voxbench.data.folder_card import card_name as card_name
    from voxbench.data.folder_card import corpora_of as corpora_of
    from voxbench.data.folder_card import make_card as make_card
    from voxbench.data.folder_card import median_spacing as median_spacing
    from voxbench.data.folder_card import modality_of as modality_of
    from voxbench.data.folder_card import tolerances as tolerances
    from voxbench.data.folder_cases import FolderCases as FolderCases
    from voxbench.data.folder_cases import arrange_cases as arrange_cases
    from voxbench.data.published_folds import published_folds as published_folds
    from voxbench.data.published_split import find_split as find_split
    from voxbench.data.published_split import part_named as part_named
    from voxbench.data.values_held import values_held as values_held
    from voxbench.data.volume_files import ENDINGS as ENDINGS
    from voxbench.data.volume_files import holds_series as holds_series
    from voxbench.data.volume_files import stem_of as stem_of
    from voxbench.data.volume_files import volume_files as volume_files
    from voxbench.design.cell import Ref as Ref
    from voxbench.design.recipe import Pretraining as Pretraining
    from voxbench.design.seeds import stream as stream
    from voxbench.files import write_atomically as write_atomically
    from voxbench.fit.share import WHOLE as WHOLE
    from voxbench.fit.share import Share as Share
    from voxbench.fit.terms import Term as Term
    from voxbench.fit.terms import Terms as Terms
    from voxbench.model.backbones.backbone import Backbone as Backbone
    from voxbench.model.backbones.backbone import Decoder as Decoder
    from voxbench.model.backbones.backbone import Encoder as Encoder
    from voxbench.model.backbones.decoder import decoded as decoded
    from voxbench.model.backbones.norm import SmallBatchNorm3d as SmallBatchNorm3d
    from voxbench.model.backbones.norm import with_small_batches as with_small_batches
    from voxbench.model.heads import ControlledHead as ControlledHead
    from voxbench.model.heads import ConvolutionHead as ConvolutionHead
    from voxbench.model.inflate import Inflation as Inflation
    from voxbench.model.inflate import inflate as inflate
    from voxbench.model.inflate import regrey as regrey
    from voxbench.model.weights import read_settings as read_settings
    from voxbench.plugins import find_baseline as find_baseline
    from voxbench.pretrain.card import read_card as read_card
    from voxbench.pretrain.objective import Objective as Objective
    from voxbench.pretrain.objective import Teacher as Teacher
else:
    __getattr__ = lazily(__name__, _HOMES)
