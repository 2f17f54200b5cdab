"""What every task must satisfy."""

import pickle
from collections import Counter
from pathlib import Path

from voxbench.api import Case, Task
from voxbench.cores import available_cores
from voxbench.data.prepare import inspect_cases
from voxbench.data.split import SPLIT_PARTS, Split, split_cases
from voxbench.ledger.copies import find_copies

# ruff: noqa: S101 (a suite of assertions)


class TaskChecks:
    """Subclass it in your tests and give `task`; or run `voxbench check -t NAME`."""

    task: Task

    def _split(self) -> Split:
        return split_cases(self.task)

    def _cases(self) -> list[Case]:
        split = self._split()
        return [*split.train, *split.validation, *split.test, *split.unlabelled]

    def test_its_root_is_no_identity(self) -> None:
        """The card and the case ids don't hold the folder's path."""
        root = str(self.task.root)
        assert root not in self.task.card.model_dump_json(), "the card holds the root's path"
        assert not any(root in case.id + case.patient for case in self._cases())

    def test_it_can_be_sent_to_a_worker(self) -> None:
        """The task survives pickling."""
        assert pickle.loads(pickle.dumps(self.task)) == self.task  # noqa: S301 (our own bytes)

    def test_listing_twice_gives_the_same_cases(self) -> None:
        """`cases()` is deterministic."""
        assert dict(self.task.cases()) == dict(self.task.cases()), "cases() differs when repeated"

    def test_case_ids_are_unique(self) -> None:
        """No id is used twice."""
        counts = Counter(case.id for case in self._cases())
        repeated = [name for name, count in counts.items() if count > 1]
        assert not repeated, f"case ids used twice: {repeated[:5]}"

    def test_splits_keep_patients_apart(self) -> None:
        """A patient lies in one part only, and no part is empty."""
        split = self._split()
        parts = [{case.patient for case in getattr(split, part)} for part in SPLIT_PARTS]
        assert all(parts) or not split.labelled, "a part of the split is empty"
        shared = set.union(*(a & b for i, a in enumerate(parts) for b in parts[i + 1 :]))
        assert not shared, f"patients in two parts: {sorted(shared)[:5]}"

    def test_no_scan_lies_in_two_parts(self) -> None:
        """No validation or test image looks like one of another part, whatever their names say."""
        copies = find_copies(self._split(), available_cores())
        told = [f"{one.case} ({one.other} of {one.part}, {one.score:.3f})" for one in copies]
        assert not told, f"{len(told)} look like a case of another part: {', '.join(told[:5])}"

    def test_each_case_has_an_image_a_channel(self) -> None:
        """The number of image files does not exceed the card's channels."""
        channels = len(self.task.card.channels)
        for case in self._cases():
            assert 1 <= len(case.images) <= channels, (
                f"{case.id}: {len(case.images)} image files, the card has {channels} channels"
            )

    def test_masks_name_classes_of_the_card(self) -> None:
        """One-mask-a-class labels and `labelled` use the card's class names."""
        classes = set(self.task.card.classes)
        for case in self._cases():
            masks = set() if isinstance(case.label, Path) else set(case.label or ())
            strange = (masks | (case.labelled or set())) - classes
            assert not strange, f"{case.id}: {sorted(strange)} are not classes of the card"

    def test_every_file_can_be_prepared(self) -> None:
        """No file is missing, corrupt, mismatched or out of range."""
        problems = inspect_cases(self.task.card, self._cases(), self.task.card.preprocessing)
        fatal = [problem for problem in problems if problem.fatal]
        assert not fatal, f"{len(fatal)} problems, the first: {' '.join(fatal[0])}"

    def test_every_class_occurs_in_training(self) -> None:
        """Each class of the card is present in at least one training case."""
        from voxbench.data.prepare import prepare_cases

        train = self._split().train
        prepared = prepare_cases(self.task.card, train, self.task.card.preprocessing)
        present = frozenset().union(*(case.present for case in prepared.values()))
        absent = set(self.task.card.parts) - present if self._split().labelled else set()
        assert not absent, f"classes without a voxel in the training split: {sorted(absent)}"
