"""Does each strategy learn its task, through the engine, on real scans? Held-out, term by term.

    python -m tests.benchmarks.objectives [--steps 1000] [--patch 32] [--batch 2] [--size tiny]
        [--source acdc …] [--arm masked-autoencoder …] [--set augmentation=light …] [--field …]

Needs $VOXBENCH_DATA with Dataset601_ACDC, MALF_subcortical and Dataset501_OpenKBP. Every arm has
its default options. Weights are made as a sweep makes them, on the training cases; then every
term of the loss is taken on patches of the validation cases, without augmentation, beside what
an answer without learning gets on the same patches. Exit code 1 if a term is no better.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence

import torch
from voxbench.api import Pretrained
from voxbench.data.batches import augmented_batches
from voxbench.data.dataset import Dataset
from voxbench.data.prepare import prepare_cases
from voxbench.design.cell import Ref
from voxbench.design.recipe import Pretraining
from voxbench.design.seeds import pretraining_streams
from voxbench.design.sweep_file import parse_override
from voxbench.errors import SpecError
from voxbench.fit.stream import Stream
from voxbench.fit.terms import told
from voxbench.model.weights import read_weights
from voxbench.plugins import BASELINES, find_baseline, find_task
from voxbench.pretrain.engine import make_weights
from voxbench.pretrain.head import put_back
from voxbench.pretrain.plan import PretrainingPlan, open_source, plan_pretraining

SOURCES = {
    "acdc": Ref.of("nnunet-folder", {"root": "Dataset601_ACDC"}),
    "malf": Ref.of("masks-folder", {"root": "MALF_subcortical", "modality": "MR"}),
    "openkbp": Ref.of("nnunet-folder", {"root": "Dataset501_OpenKBP"}),
}
BATCHES = 64


def main() -> int:
    options = _options()
    torch.set_num_threads(options.threads)
    schedule = Pretraining(
        **{"steps": options.steps, "batch": options.batch, "learning_rate": options.rate,
           "patch": (options.patch,) * 3, **dict(parse_override(one) for one in options.set)}
    )  # fmt: skip
    fields = {"size": options.size, **dict(parse_override(one) for one in options.field)}
    print("| strategy | source | term | held out | trivial | accuracy (chance) | better |")
    print("|---|---|---|---|---|---|---|", flush=True)
    better = [
        row(arm, source, term, values)
        for source in options.source
        for arm in options.arm
        for term, values in terms(arm, fields, source, schedule)
    ]
    return 0 if all(better) else 1


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser()
    options.add_argument("--steps", type=int, default=1000)
    options.add_argument("--patch", type=int, default=32)
    options.add_argument("--batch", type=int, default=2)
    options.add_argument("--rate", type=float, default=1e-3)
    options.add_argument("--size", default="tiny")
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--source", nargs="+", choices=SOURCES, default=list(SOURCES))
    options.add_argument("--arm", nargs="+", default=trained_here())
    options.add_argument("--set", nargs="*", default=[], help="a key of [pretraining]: key=value")
    options.add_argument("--field", nargs="*", default=[], help="of every arm: field=value")
    return options.parse_args()


def trained_here() -> list[str]:
    """The baselines that come with voxbench and are trained here by themselves."""
    found = {plugin.name: kind for plugin, kind in BASELINES.each() if isinstance(kind, type)}
    return [
        name
        for name, kind in found.items()
        if issubclass(kind, Pretrained) and kind().donor is None
    ]


def terms(
    arm: str, fields: dict[str, object], source: str, schedule: Pretraining
) -> Iterator[tuple[str, dict[str, float]]]:
    """Each term with what is told of it: "" its value, the trivial ones by their names."""
    baseline = find_baseline(Ref.of(arm, {**fields, "source": source}))
    assert isinstance(baseline, Pretrained)
    dataset = open_source(baseline, find_task(SOURCES[source]))
    try:
        plan = plan_pretraining(baseline, dataset, schedule)
        found = held_out(plan, dataset)
    except SpecError as error:
        print(f"| {arm} | {source} | {error} | | | | |", flush=True)
        return
    names = dict.fromkeys(name.partition(", ")[0] for name in found)
    for term in names:
        yield (
            term,
            {
                kind: value
                for name, value in found.items()
                for own, _, kind in [name.partition(", ")]
                if own == term
            },
        )


def held_out(plan: PretrainingPlan, dataset: Dataset) -> dict[str, float]:
    """What the loss of made weights tells on the validation cases, on average."""
    made = make_weights(plan, threads=torch.get_num_threads())
    assert made.head
    network = plan.baseline.backbone(len(dataset.card.channels))
    network.load_state_dict(read_weights(made.path), strict=False)
    objective = plan.baseline.objective(network, dataset.card).eval()
    put_back(objective, network, read_weights(made.head))
    cases = prepare_cases(dataset.card, dataset.split.validation, plan.preprocessing(dataset))
    batches = augmented_batches(
        list(cases.values()),
        dataset.card.parts,
        (),
        plan.schedule.model_copy(update={"augmentation": "none"}),
        foreground=2 / 3 if plan.baseline.needs_labels else 0.0,
        seeds=pretraining_streams(plan.schedule),
    )
    return mean([told(objective(*batch)) for batch in quietly(batches)])


def quietly(batches) -> Iterator[tuple[torch.Tensor, ...]]:
    torch.manual_seed(0)
    with torch.no_grad():
        for images, labels, labelled in Stream(batches, lambda: 0, BATCHES, 1):
            yield images, labels.long(), labelled


def mean(found: Sequence[dict[str, torch.Tensor | float]]) -> dict[str, float]:
    return {name: sum(float(one[name]) for one in found) / len(found) for name in found[0]}


def row(arm: str, source: str, term: str, values: dict[str, float]) -> bool:
    """Print a term; is it better than every trivial answer?"""
    accuracy, chance = values.pop("accuracy", None), values.pop("accuracy of chance", 0.0)
    value = values.pop("")
    trivial = ", ".join(f"{name} {v:.3f}" for name, v in values.items())
    right = "" if accuracy is None else f"{accuracy:.2f} ({chance:.2f})"
    better = all(value < one for one in values.values()) and (accuracy or 1.0) > chance
    verdict = "" if not values else "yes" if better else "**no**"
    print(f"| {arm} | {source} | {term} | {value:.3f} | {trivial} | {right} | {verdict} |",
          flush=True)  # fmt: skip
    return better


if __name__ == "__main__":
    sys.exit(main())
