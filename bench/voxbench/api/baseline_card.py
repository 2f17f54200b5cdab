"""What a baseline is, and the files that are published for it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from voxbench.design.preprocessing import Preprocessing

HEADS = (
    *("head.*", "heads.*", "*_head.*", "fc.*", "classifier.*", "out.*", "output.*"),
    *("projector.*", "projection.*", "predictor.*", "mask_token"),
)
"""Usual names of what is trained beside the network that others go on with."""


class Checkpoint(BaseModel):
    """A published weights file.

    Attributes:
        file: its name.
        url: where `voxbench weights get` finds it; None where a person must ask for it.
        page: where it is offered, with its terms.
        checksum: "sha256:…" or "md5:…", as its authors or the model's host state it; of a sha256
            the first eight digits are enough, which torchvision's file names tell.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str = Field(pattern=r"^\w[\w.-]*$")
    url: str | None = Field(default=None, pattern=r"^https?://")
    page: str = Field(pattern=r"^https?://")
    checksum: str | None = Field(
        default=None, pattern=r"^(sha256:[0-9a-f]{8}([0-9a-f]{56})?|md5:[0-9a-f]{32})$"
    )

    @classmethod
    def hugging_face(
        cls, repository: str, hosted: str, md5: str | None = None, file: str | None = None
    ) -> "Checkpoint":
        """The file `hosted` of a repository; `file` where that name says too little."""
        page = f"https://huggingface.co/{repository}"
        url = f"{page}/resolve/main/{hosted}"
        return cls(file=file or hosted, url=url, page=page, checksum=md5 and f"md5:{md5}")


class BaselineCard(BaseModel):
    """What a baseline is, validated when it is defined.

    Attributes:
        name: as it is written in a sweep.
        strategy: the family that tables group by.
        pretraining_data: corpora the weights have seen, as the ledger names them; empty for
            scratch and for weights that are made here (theirs are the source's).
        volumes: that the weights were pre-trained on, where that is known (images, if 2D).
        gpu_hours: of pre-training, where its authors tell.
        licence: of the weights.
        reference: whom to cite.
        contract: grid and intensity the weights expect; None takes the task's own. Its
            scratch twin is given the same one. A CT window becomes percentiles where the task is
            no CT.
        channels: of the images the weights expect; None takes any number.
        outputs: structures of the published head, in its order, for `direct` inference; empty
            where there is no head. With "background" among them they exclude one another
            (softmax), else each is decided alone (sigmoid).
        postprocessed: those of `outputs` that the authors' own inference segments, for
            `direct-postprocessed`: the largest component of each (26 neighbours) where its
            probability is above one half; of two that overlap, the later one of `outputs`.
        min_loaded: share of the encoder's parameters that must come from the weights.
        left_over: tensors of the file that no part of the network takes, as patterns of their
            names ("*" stands for anything); a file with other unused tensors is refused. By
            default the usual names of heads.
        note: what to know before results are compared: which numbers of the paper are not those
            of these weights, what the authors' own inference does that `direct` does not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    strategy: Literal["scratch", "imagenet", "self-supervised", "supervised", "control"]
    pretraining_data: tuple[str, ...] = ()
    volumes: int | None = Field(default=None, gt=0)
    gpu_hours: float | None = Field(default=None, ge=0)
    licence: str = Field(min_length=1)
    reference: str = Field(min_length=1)
    contract: Preprocessing | None = None
    channels: int | None = Field(default=None, gt=0)
    outputs: tuple[str, ...] = ()
    postprocessed: tuple[str, ...] = ()
    min_loaded: float = Field(default=1.0, gt=0, le=1)
    left_over: tuple[str, ...] = HEADS
    note: str = ""

    @model_validator(mode="after")
    def _known(self) -> "BaselineCard":
        if unknown := set(self.postprocessed) - set(self.outputs):
            raise ValueError(f"postprocessed: {', '.join(sorted(unknown))} is no output")
        if self.postprocessed and "background" in self.outputs:
            raise ValueError("postprocessed: outputs that exclude one another don't overlap")
        return self
