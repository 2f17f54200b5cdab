"""The engine obeys what an objective declares, and tells every term of its loss."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import nn
from voxbench.api import BaselineCard, Pretrained, Settings, of_recipe
from voxbench.design.recipe import Pretraining
from voxbench.errors import SpecError
from voxbench.fit.terms import Term, told, total
from voxbench.pretrain.objective import Objective, Teacher

from tests.data.toy import toy, write_case
from tests.pretrain.making import make, plan

RECIPE = Pretraining(steps=4, patch=(16, 16, 16), augmentation="full", warmup=0)
SEEN: list[torch.Tensor] = []
PROGRESS: list[float] = []


class Brightness(Objective):
    """Tell the mean of a patch; a teacher follows."""

    def __init__(self, backbone) -> None:
        super().__init__(backbone)
        self.head = nn.Linear(backbone.out_channels, 1)
        self.teacher = Teacher(self.head)

    def forward(self, images, labels, labelled):
        SEEN.append(images)
        mean = images.mean((1, 2, 3, 4))
        guess = self.head(self.backbone(images).mean((2, 3, 4))).squeeze(1)
        error = (guess - mean).square().mean()
        return {
            "level": Term(error, {"constant": mean.var(unbiased=False)}, weight=2.0),
            "sign": Term(error, accuracy=torch.ones(()), chance=0.5),
        }

    def before_step(self, progress):
        PROGRESS.append(progress)
        self.teacher.follow(self.head, 0.9)


@dataclass(frozen=True, kw_only=True)
class Guess(Pretrained):
    needs_labels: ClassVar[bool] = False
    scale: float = of_recipe()
    recipes: ClassVar = {
        "small": Settings({"scale": 1.0}),
        "published": Settings({"scale": 2.0}, {"batch": 3}),
    }
    strict: bool = True
    card: ClassVar[BaselineCard] = BaselineCard(
        name="guess", strategy="self-supervised", licence="x", reference="y"
    )

    @property
    def forbids(self):
        return frozenset({"mirror", "rotation", "scaling", "intensity"} if self.strict else ())

    def unfit_schedule(self, schedule):
        return "batch = 1 leaves nothing to compare" if schedule.batch == 1 else None

    def objective(self, backbone, source):
        return Brightness(backbone)


GUESS = Guess(size="tiny")


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.setenv("VOXBENCH_CACHE", str(tmp_path / "cache"))
    SEEN.clear()
    PROGRESS.clear()
    return toy(tmp_path, [write_case(tmp_path / "data", f"case{i}") for i in range(8)])


def test_what_is_forbidden_does_not_happen_to_the_patches(source):
    make(GUESS, source, RECIPE)
    forbidden = list(SEEN)
    make(GUESS, source, RECIPE.model_copy(update={"augmentation": "none"}))
    assert all(torch.equal(a, b) for a, b in zip(forbidden, SEEN[4:], strict=True))
    make(Guess(size="tiny", strict=False), source, RECIPE)
    assert not all(torch.equal(a, b) for a, b in zip(forbidden, SEEN[8:], strict=True))


def test_every_term_is_kept_beside_what_it_must_beat(source):
    cost = make(GUESS, source, RECIPE).cost
    assert cost.terms.keys() == {
        *("level", "level, constant", "sign", "sign, accuracy", "sign, accuracy of chance"),
    }
    for step, loss in cost.losses.items():
        assert loss == pytest.approx(2 * cost.terms["level"][step] + cost.terms["sign"][step])
        mean = SEEN[step - 1].mean((1, 2, 3, 4))
        spread = float(mean.var(unbiased=False))
        assert cost.terms["level, constant"][step] == pytest.approx(spread, abs=1e-6)
    assert cost.last_terms["sign, accuracy of chance"] == 0.5
    assert make(GUESS, source, RECIPE).cost == cost, "and it is found again as it was"


def test_the_objective_hears_of_each_step_before_it(source):
    make(GUESS, source, RECIPE)
    assert PROGRESS == [0, 0.25, 0.5, 0.75]


def test_a_teacher_follows_and_is_not_trained():
    torch.manual_seed(0)
    student = nn.Linear(2, 1)
    teacher = Teacher(student)
    with torch.no_grad():
        old = student.weight.clone()
        student.weight += 1.0
    teacher.follow(student, 0.9)
    torch.testing.assert_close(teacher.copy.weight, old + 0.1)
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    assert student.weight.requires_grad


def test_the_loss_is_the_weighted_sum_of_the_terms():
    two, three = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0)
    terms = {"a": Term(two, weight=0.5), "b": Term(three, {"chance": 4.0})}
    assert total(terms).item() == 4
    assert told(terms) == {"a": 2, "b": 3, "b, chance": 4}
    assert not any(isinstance(value, torch.Tensor) and value.requires_grad
                   for value in told(terms).values())  # fmt: skip


def test_a_schedule_that_cannot_train_the_objective_is_refused_when_it_is_planned(source):
    with pytest.raises(SpecError, match="guess: batch = 1 leaves nothing to compare"):
        plan(GUESS, source, RECIPE.model_copy(update={"batch": 1}))


def test_a_recipe_fills_what_is_not_set():
    assert (Guess().scale, Guess(recipe="published").scale) == (1, 2)
    assert Guess(recipe="published", scale=3.0).scale == 3
    with pytest.raises(ValueError, match="recipe must be one of small, published, got 'large'"):
        Guess(recipe="large")
