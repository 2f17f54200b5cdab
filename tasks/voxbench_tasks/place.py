"""Where the files of a release lie, as patterns of their names."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from voxbench.api import Case, Part
from voxbench.errors import DataError
from voxbench.toolkit import stem_of, volume_files

_CASE, _CLASS = "{case}", "{class}"


@dataclass(frozen=True)
class Place:
    """The files of one part of a release.

    Patterns are relative to the release's folder and have no ending, so that a volume may be
    compressed or not, but for folders of slices, whose patterns end in a slash; `{case}` stands for
    the id of a case, `{class}` for the name of a class, `*` for anything but a slash, and `**/` for
    any folders between, or none.

    Attributes:
        part: of the published split.
        case: regular expression of the ids.
        images: a file a channel.
        label: the label map, or with `{class}` in its name a mask a class.
        partly: whether images without a label are there on purpose; else they are for `prepare`
            to report, as are labels without an image.
        raters: label maps by the name of who drew them, as far as they are there.
    """

    part: Part
    case: str
    images: tuple[str, ...]
    label: str
    partly: bool = False
    raters: Mapping[str, str] = field(default_factory=dict)

    def cases(self, root: Path, classes: Sequence[str]) -> Iterator[Case]:
        """The cases that lie here, sorted by id; each counts as a patient.

        Raises:
            DataError: two files are called alike but for their endings.
        """
        images = [self._files(root, pattern) for pattern in self.images]
        masks = _CLASS in self.label
        place = self.label.rpartition("/")[0] if masks else self.label
        labels = self._folders(root, place) if masks else self._files(root, place)
        drawn = {rater: self._files(root, pattern) for rater, pattern in self.raters.items()}
        names = {name for found in images for name in found} | labels.keys()
        for name in sorted(names):
            files = zip(images, self.images, strict=True)
            lying = tuple(
                found.get(name) or _written(root, pattern, name) for found, pattern in files
            )
            if name not in labels:
                missing = None if self.partly else _written(root, place, name)
                yield Case(name, lying, missing, name)
            elif masks:
                yield self._of_masks(name, lying, labels[name], classes)
            else:
                raters = {rater: found.get(name) for rater, found in drawn.items()}
                yield Case(name, lying, labels[name], name, raters=raters)

    def _of_masks(
        self, name: str, images: tuple[Path, ...], folder: Path, classes: Sequence[str]
    ) -> Case:
        """A case with a mask a class; one without is not annotated."""
        stem = self.label.rpartition("/")[2].replace(_CASE, name)
        lying = volume_files(folder)
        called = {one: stem.replace(_CLASS, one) for one in classes}
        found = {one: lying[stem] for one, stem in called.items() if stem in lying}
        labelled = None if len(found) == len(classes) else frozenset(found)
        return Case(name, images, found, name, labelled)

    def _files(self, root: Path, pattern: str) -> dict[str, Path]:
        """Case → the volume of a pattern."""
        if pattern.endswith("/"):
            return self._folders(root, pattern[:-1])
        found: dict[str, Path] = {}
        for path in sorted(root.glob(pattern.replace(_CASE, "*") + ".*")):
            if stem := stem_of(path.name):
                for name in self._named(path.parent.relative_to(root) / stem, pattern):
                    if found.setdefault(name, path) != path:
                        raise DataError(f"{found[name]} and {path} are one case; remove one.")
        return found

    def _folders(self, root: Path, pattern: str) -> dict[str, Path]:
        """Case → the folder of a pattern."""
        return {
            name: path
            for path in sorted(root.glob(pattern.replace(_CASE, "*")))
            for name in self._named(path.relative_to(root), pattern)
            if path.is_dir()
        }

    def _named(self, path: Path, pattern: str) -> Iterator[str]:
        """The id in a path; none where the path is of something else."""
        written = re.escape(pattern).replace(r"\*\*/", "(?:.+/)?").replace(r"\*", "[^/]+")
        first, *others = written.split(re.escape(_CASE))
        wanted = f"{first}(?P<case>{self.case})" + "(?P=case)".join(others)
        if match := re.fullmatch(wanted, path.as_posix()):
            yield match["case"]


def _written(root: Path, pattern: str, name: str) -> Path:
    """Where a file would lie that is not there."""
    return root / (pattern.replace(_CASE, name) + ("" if pattern.endswith("/") else ".nii.gz"))
