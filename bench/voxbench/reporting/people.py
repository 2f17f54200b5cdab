"""Names for people: an arm by its strategy and source, a fraction by who was labelled."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_LABEL = re.compile(r"(?P<name>[^\[#]+)(?:\[(?P<axes>.*)\])?(?P<rest>[^\]]*)", re.DOTALL)
_COMMA = re.compile(r",(?![^\[({]*[\])}])")
_PLUGIN = re.compile(r"[a-z0-9][a-z0-9.-]*")
_WORD = re.compile(r"stu-net|[^-]+")
_FEW = 3
_ASIDE = ("architecture", "size", "weights")  # told only where the rest names several arms
_AUTHORS = """CT DAE DoDNet EfficientNet FM Genesis ImageNet L M MedDINOv3 MedicalNet MoCo nnU-Net
OBELISK OpenMind ResEnc SegResNet SimCLR SparK SqueezeNet SSL STU-Net SuPreM Swin Tang
TotalSegmentator U-Net UNETR UniMiSS VoCo VoComni"""  # as they spell what they made
_SPELT = {word.casefold().replace("-", ""): word for word in _AUTHORS.split()}


class ArmName(NamedTuple):
    """What is trained, as «Masked autoencoder», and how it differs, as «on malf, 28 volumes»."""

    title: str
    detail: str

    def __str__(self) -> str:
        """Both."""
        return " ".join(filter(None, self))


def arm_names(labels: Iterable[str]) -> dict[str, ArmName]:
    """Label of a record → its name, no two alike.

    Network and weights are part of it only where arms have the rest of their names in common.
    """
    known = list(dict.fromkeys(labels))
    short = {label: _named(label, _ASIDE) for label in known}
    several = Counter(short.values())
    names = {
        label: name if several[name] == 1 else _named(label, ()) for label, name in short.items()
    }
    alike = Counter(names.values())
    return {
        label: name if alike[name] == 1 else ArmName(label, "") for label, name in names.items()
    }


def with_source(label: str, source: str) -> str:
    """The label with its source among its axes, also where that is the baseline's default."""
    found = _LABEL.fullmatch(label)
    if found is None or "source=" in (found["axes"] or ""):
        return label
    axes = ",".join(filter(None, [found["axes"], f"source={source}"]))
    return f"{found['name']}[{axes}]{found['rest']}"


def _named(label: str, aside: Iterable[str]) -> ArmName:
    found = _LABEL.fullmatch(label)
    if found is None:
        return ArmName(label, "")
    axes = [_axis(text) for text in _COMMA.split(found["axes"] or "") if text]
    axes.sort(key=lambda axis: axis[0] != "source")
    told = [_told(name, value) for name, value in axes if name not in aside]
    detail = ", ".join(filter(None, [*told, found["rest"].strip()]))
    return ArmName(_title(found["name"].strip()), detail)


def _title(name: str) -> str:
    """Of a plugin; what others call their arms stays as it is."""
    if not _PLUGIN.fullmatch(name):
        return name
    words = [_SPELT.get(word.replace("-", ""), word) for word in _WORD.findall(name)]
    first = words[0].capitalize() if words[0].islower() else words[0]
    return " ".join([first, *words[1:]])


def _axis(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _told(name: str, value: str) -> str:
    """`volumes=28` as «28 volumes», `crop=16` as «crop 16»."""
    if name == "source":
        return f"on {value}"
    if name in _ASIDE:
        return value
    if name == "volumes":
        return f"{value} volumes"
    return f"{name.replace('_', ' ')} {value}".strip()


def labelled(fraction: str) -> str:
    """`3 shots` as «3 patients», `100%` as «all patients», a published list by its name."""
    count, _, unit = fraction.partition(" ")
    if unit.startswith("shot"):
        return "1 patient" if count == "1" else f"{count} patients"
    if fraction == "100%":
        return "all patients"
    return (
        f"{fraction} of the patients" if fraction.endswith("%") else f"the patients of {fraction}"
    )


def in_order(label: str) -> list[str | int]:
    """What a label is sorted by, so that 8 volumes come before 32."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", label)]


def few(names: Sequence[str]) -> str:
    """`liver, spleen, stomach and 6 more`: the first of many names, all where they are few."""
    if len(names) <= _FEW + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_FEW])} and {len(names) - _FEW} more"


def duration(cpu: float, gpu: float) -> str:
    """`3 CPU min`, `1.5 GPU h`; "" where nothing was spent."""
    return " + ".join(_time(value, kind) for value, kind in ((cpu, "CPU"), (gpu, "GPU")) if value)


def _time(hours: float, kind: str) -> str:
    if hours >= 1:
        return f"{hours:,.{0 if hours >= 100 else 1}f} {kind} h"
    minutes = round(60 * hours)
    return f"{minutes} {kind} min" if minutes else f"{60 * 60 * hours:.0f} {kind} s"
