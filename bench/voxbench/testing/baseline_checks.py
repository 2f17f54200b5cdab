"""What every baseline must satisfy."""

import dataclasses
import pickle
from typing import TYPE_CHECKING

from voxbench.api import Baseline, Pretrained, Published, Task, TaskCard
from voxbench.design.cell import Ref
from voxbench.errors import SpecError, WeightsError
from voxbench.plugins import find_baseline
from voxbench.testing.runner import Skip

if TYPE_CHECKING:
    from torch import Tensor

    from voxbench.model.backbones import Backbone
    from voxbench.model.segmenter import Segmenter
    from voxbench.model.weights import Contents
    from voxbench.records.provenance import LoadAudit
    from voxbench.testing.objective import OwnLoss, Probe

# ruff: noqa: S101 (a suite of assertions)

SAMPLE_CARD = TaskCard(
    name="sample",
    modality="CT",
    channels=("CT",),
    classes={"first": 1, "second": 2},
    spacing_mm=None,
    tolerance_mm={"first": 2.0, "second": 2.0},
    licence="none",
    reference="none",
)


class BaselineChecks:
    """Subclass it in your tests and give `baseline`; or run `voxbench check -b NAME`.

    Attributes:
        baseline: to be checked.
        task: whose training cases the input contract is probed on, if it can be probed.
    """

    baseline: Baseline
    task: Task | None = None

    def _backbone(self, seed: int = 0, channels: int = 1) -> "Backbone":
        import torch

        torch.manual_seed(seed)
        return self.baseline.backbone(channels)

    def _volume(self, backbone: "Backbone", channels: int = 1) -> "Tensor":
        import torch

        shape = (2, channels, *backbone.smallest_patch)
        return torch.randn(shape, generator=torch.manual_seed(0))

    def test_it_can_be_sent_to_a_worker(self) -> None:
        """The baseline is a frozen dataclass and survives pickling."""
        assert dataclasses.is_dataclass(self.baseline)
        assert pickle.loads(pickle.dumps(self.baseline)) == self.baseline  # noqa: S301 (our bytes)

    def test_features_have_the_resolution_of_the_image(self) -> None:
        """The backbone gives `out_channels` features a voxel, for one channel and for two."""
        for channels in (1, 2):
            backbone = self._backbone(channels=channels)
            volume = self._volume(backbone, channels)
            features = backbone(volume)
            expected = (2, backbone.out_channels, *volume.shape[2:])
            assert tuple(features.shape) == expected, f"{tuple(features.shape)}, not {expected}"

    def test_initialisation_follows_the_seed(self) -> None:
        """The same seed gives the same weights, another seed others."""
        first, again, other = (_flat(self._backbone(seed)) for seed in (0, 0, 1))
        assert first.equal(again), "one seed gives different weights"
        assert not first.equal(other), "the seed does not reach the weights"

    def test_stages_hold_each_parameter_once(self) -> None:
        """`stages()` names every parameter in exactly one stage, for freezing and decay."""
        backbone = self._backbone()
        stages = backbone.stages()
        for name, _ in backbone.named_parameters():
            hits = sum(name.startswith(stage) for stage in stages)
            assert hits == 1, f"{name} lies in {hits} stages"

    def test_gradients_reach_the_encoder(self) -> None:
        """A loss on the features moves most of the encoder."""
        backbone = self._backbone()
        backbone(self._volume(backbone)).square().mean().backward()
        parameters = [p for p in backbone.encoder.parameters() if p.requires_grad]
        reached = sum(p.numel() for p in parameters if p.grad is not None and p.grad.any())
        share = reached / sum(p.numel() for p in parameters)
        assert share > 0.9, f"only {share:.0%} of the encoder's parameters get a gradient"

    def test_its_twin_has_the_same_network(self) -> None:
        """The scratch twin has the same tensors and loads nothing."""
        if self.baseline.twin is None:
            raise Skip("it is a scratch baseline")
        import torch

        twin = find_baseline(Ref.of(*self.baseline.twin))
        assert not isinstance(twin, Published | Pretrained), "the twin loads weights"
        torch.manual_seed(0)
        shapes = _shapes(twin.backbone(1))
        assert shapes == _shapes(self._backbone()), "the twin's network differs"

    def test_unfit_says_why_or_nothing(self) -> None:
        """`unfit` gives None or a reason in words."""
        reason = self.baseline.unfit(SAMPLE_CARD)
        assert reason is None or (isinstance(reason, str) and reason.strip())

    def test_its_weights_reach_the_encoder(self) -> None:
        """A published file loads, above the card's share, and changes the encoder."""
        _, _, audit = self._loaded()
        assert audit.hash_before != audit.hash_after, "loading changed nothing"
        assert audit.activation_before != audit.activation_after, "the encoder computes the same"

    def test_the_encoder_that_runs_is_the_one_loaded(self) -> None:
        """The network that would train holds the loaded tensors, and computes with them."""
        from voxbench.model.audit import activations, tensor_hash

        network, _, audit = self._loaded()
        backbone, channels = network.backbone, self.baseline.card.channels or 1
        assert tensor_hash(backbone.encoder) == audit.hash_after, "the encoder is another"
        assert activations(backbone, channels) == audit.activation_after, "it computes otherwise"
        dead = [stage for stage in backbone.stages() if not self._moves(network, stage, audit)]
        assert not dead, f"loaded tensors that nothing depends on: {dead}"

    def test_its_input_contract_beats_permuted_ones(self) -> None:
        """Axes flipped or swapped, or the window shifted, give no lower probe loss."""
        from voxbench.testing.contract import (
            PROBED_SIDE,
            contract_losses,
            head_loss,
            judge_contracts,
            norm_loss,
            other_axes,
            other_windows,
        )

        contract = self.baseline.card.contract
        if contract is None:
            raise Skip("its card declares no contract")
        network, published, _ = self._loaded()
        if self.task is None:
            raise Skip("give a task to probe it on: voxbench check -b NAME -t TASK")
        if reason := self.baseline.unfit(self.task.card):
            raise Skip(reason)
        assert isinstance(self.baseline, Published)
        backbone = network.backbone
        contract = contract.on(self.task.card.modalities)
        wrong = other_windows(contract)
        if loss := head_loss(self.baseline, published, backbone, self.task):
            wrong = {**other_axes(contract), **wrong}
        elif not (loss := norm_loss(backbone)):
            raise Skip("no head with a class of the task, no batch norm with statistics")
        elif not wrong:
            raise Skip("no head with a class of the task; norms judge a window alone, it has none")
        side = max(*backbone.smallest_patch, PROBED_SIDE // backbone.divisor * backbone.divisor)
        judge_contracts(contract_losses(self.task, contract, wrong, loss, (side, side, side)))

    def test_its_weights_made_here_beat_initialisation(self) -> None:
        """On the loss that they were trained for."""
        probe, trained = self._probe()
        initial = self._backbone(channels=self.baseline.card.channels or 1)
        fresh = probe.loss(initial, fresh=True)
        before, after = probe.on_contract(fresh), probe.on_contract(trained)
        better = before - after > max(trained.tie, fresh.tie) * abs(before)
        told = f"{after:.4f} with the weights, {before:.4f} at first"
        assert better, f"no better than initialisation: {told}"

    def test_its_weights_made_here_expect_their_contract(self) -> None:
        """No other orientation or window of the images has a lower loss of their own."""
        from voxbench.testing.contract import judge_contracts

        probe, trained = self._probe()
        judge_contracts(probe.on_others(trained), trained.tie)

    def _probe(self) -> "tuple[Probe, OwnLoss]":
        """What the weights made here were trained for, and its loss with them."""
        from voxbench.testing.objective import Probe

        network, published, _ = self._loaded()
        assert isinstance(self.baseline, Published)
        probe = Probe.of(self.baseline.file(), published, self.task)
        return probe, probe.loss(network.backbone)

    def _loaded(self) -> "tuple[Segmenter, Contents, LoadAudit]":
        """The network of a cell with its weights, what the file held, and the audit."""
        if not isinstance(self.baseline, Published):
            raise Skip(
                "its weights are not a file; what `voxbench pretrain` writes is checked as "
                "checkpoint-file, --field weights=FILE"
            )
        import torch

        from voxbench.model.audit import load_weights
        from voxbench.model.segmenter import Segmenter
        from voxbench.model.weights import read_weights
        from voxbench.published.file import verified_file

        try:
            path, sha256 = verified_file(self.baseline)
        except WeightsError as error:
            raise Skip(str(error)) from None
        card = self.baseline.card
        channels = card.channels or 1
        torch.manual_seed(0)
        network = Segmenter(self.baseline.backbone(channels), len(SAMPLE_CARD.classes))
        published = read_weights(path, sha256)
        tensors = self.baseline.translate(published, network.backbone)
        audit = load_weights(
            network.backbone,
            tensors,
            min_loaded=card.min_loaded,
            in_channels=channels,
            left_over=self.baseline.left_over(published),
        )
        return network, published, audit

    def _moves(self, network: "Segmenter", stage: tuple[str, ...], audit: "LoadAudit") -> bool:
        """Whether the output depends on what was loaded into a stage of the encoder."""
        import torch

        loaded = [
            parameter
            for name, parameter in network.backbone.named_parameters()
            if name.startswith(stage) and name.startswith("encoder.") and name not in audit.missing
        ]
        if not loaded:
            return True
        volume = self._volume(network.backbone, self.baseline.card.channels or 1)
        network.eval()
        kept = [parameter.detach().clone() for parameter in loaded]
        with torch.no_grad():
            before = network(volume)
            for parameter in loaded:
                parameter.mul_(1.5).add_(0.01)
            after = network(volume)
            for parameter, values in zip(loaded, kept, strict=True):
                parameter.copy_(values)
        return not torch.equal(before, after)

    def test_its_objective_trains_the_encoder(self) -> None:
        """Every term of the pre-training loss is finite; their gradient reaches the encoder."""
        if not isinstance(self.baseline, Pretrained):
            raise Skip("it is not pre-trained here")
        import torch

        from voxbench.fit.terms import total

        backbone = self._backbone()
        objective = self.baseline.objective(backbone, SAMPLE_CARD)
        images = self._volume(backbone)
        labels = torch.randint(0, 3, images[:, 0].shape, generator=torch.manual_seed(0))
        try:
            terms = objective(images, labels, torch.ones(2, 2, dtype=torch.bool))
        except SpecError as error:
            raise Skip(f"its objective needs larger patches of this network: {error}") from None
        for name, term in terms.items():
            assert term.value.ndim == 0, f"{name} has shape {tuple(term.value.shape)}"
            assert torch.isfinite(term.value), f"{name} is {term.value}"
        loss: torch.Tensor = total(terms)
        loss.backward()  # type: ignore[no-untyped-call]
        reached = any(p.grad is not None and p.grad.any() for p in backbone.encoder.parameters())
        assert reached, "the loss does not reach the encoder"


def _flat(backbone: "Backbone") -> "Tensor":
    import torch

    return torch.cat([parameter.detach().flatten() for parameter in backbone.parameters()])


def _shapes(backbone: "Backbone") -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in backbone.state_dict().items()}
