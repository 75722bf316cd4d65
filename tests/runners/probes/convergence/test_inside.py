"""Looks inside a network: what they tell is what a hand computes, and a training does not notice them."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

import ablations
from ablations import checkpointing
from results.records.directory import read_record, write_record
from results.records.inside import LayerCurves
from results.records.record import Outcome, Record
from runners.outcomes import build_arm
from runners.probes import convergence
from runners.probes.convergence.course import evaluate
from runners.probes.convergence.inside import Inside, Note, Seen, layer_curves, look_steps
from runners.probes.convergence.settings import ConvergenceSettings
from runners.trial import TrialArm
from tests.runners.test_sources import trial

STEPS = 6


def images(count: int = 32, seed: int = 0) -> Tensor:
    return torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed))


def small(*, inplace: bool = True, norm: Callable[[int], nn.Module] = nn.BatchNorm2d) -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 3), norm(6), nn.ReLU(inplace=inplace)),
        *(nn.Conv2d(6, 5, 3, stride=2), norm(5), nn.ReLU(inplace=inplace)),
        *(nn.Flatten(), nn.Linear(20, 7), nn.ReLU(inplace=inplace), nn.Linear(7, 3)),
    )


def loss_of(network: nn.Module, batch: Tensor) -> Tensor:
    return nn.functional.cross_entropy(network(batch), torch.arange(len(batch)) % 3)


def looked_at(network: nn.Module, *batches: Tensor, looks: frozenset[int], rate: float = 0.1) -> list[Note]:
    """What looks tell of a network that is trained on these batches by plain gradient descent."""
    seen = Seen()
    inside = Inside(network, looks, seen)
    for step, batch in enumerate(batches, start=1):
        network.zero_grad()
        inside.before(step)
        loss_of(network, batch).backward()
        inside.after(step)
        with torch.no_grad():
            for parameter in network.parameters():
                assert parameter.grad is not None
                parameter.sub_(rate * parameter.grad)
    return seen.notes


def told(notes: list[Note], what: str, step: int = 1) -> dict[str, float | None]:
    return {note.layer: note.value for note in notes if (note.what, note.step) == (what, step)}


def reached(network: nn.Sequential, batch: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """What goes into each ReLU and what comes out, computed layer by layer without any hook."""
    found, x = {}, batch
    for name, layer in network.named_children():
        before = x.detach().clone()
        x = layer(x)
        if isinstance(layer, nn.ReLU):
            found[name] = (before, x.detach().clone())
    return found


def fit(seed: str = "seed-0", levels: str = "", **settings: object) -> Outcome:
    """A training of a small network on digits."""
    spec = f"resnet:depth=18,width=4,in_channels=1,num_classes=10{levels}"
    one = trial("convergence", **{"epochs": 2, "train_images": 96, "batch_size": 32, **settings})
    (outcome,) = convergence.run(replace(one, block=seed, arms=(TrialArm("baseline", spec, spec),))).outcomes
    return outcome


def by_what(outcome: Outcome) -> dict[str, LayerCurves]:
    return {curves.what: curves for curves in outcome.details["inside"]}


def test_gradient_norms_are_those_of_autograd_and_of_the_weights_before_the_step() -> None:
    batch, twin = images(), small()
    weights = {n: p for n, p in twin.named_parameters() if p.ndim > 1}
    by_hand = torch.autograd.grad(loss_of(twin, batch), list(weights.values()))
    notes = looked_at(small(), batch, looks=frozenset({1}))
    norms = {
        name.removesuffix(".weight"): float(g.double().square().sum().sqrt())
        for name, g in zip(weights, by_hand, strict=True)
    }
    ratios = {
        name: norm / float(twin.get_parameter(f"{name}.weight").detach().double().norm())
        for name, norm in norms.items()
    }
    assert list(norms) == ["0", "3", "7", "9"]
    assert told(notes, "gradient_norm") == pytest.approx(norms, rel=1e-5)
    assert told(notes, "gradient_to_weight") == pytest.approx(ratios, rel=1e-5)


@pytest.mark.parametrize("inplace", [True, False])
def test_means_and_variances_are_those_of_what_reaches_a_relu_in_place_or_not(inplace: bool) -> None:
    batch = images()
    tensors = {name: before.double() for name, (before, _) in reached(small(), batch).items()}
    notes = looked_at(small(inplace=inplace), batch, looks=frozenset({1}))
    means = {name: float(x.mean()) for name, x in tensors.items()}
    variances = {name: float(torch.var(x, correction=0)) for name, x in tensors.items()}
    assert told(notes, "input_mean") == pytest.approx(means, rel=1e-4, abs=1e-6)
    assert told(notes, "input_variance") == pytest.approx(variances, rel=1e-4)


def test_a_dead_relu_is_one_without_a_positive_output_in_the_batch() -> None:
    batch = images()

    def broken() -> nn.Sequential:
        network = small(norm=lambda _: nn.Identity())
        with torch.no_grad():
            for layer, units in (("0", [1, 4]), ("3", [0, 2, 3]), ("7", [5])):
                network.get_parameter(f"{layer}.bias")[units] -= 1e3
        return network

    outputs = {name: out for name, (_, out) in reached(broken(), batch).items()}
    shares = {
        name: sum(not (out[:, c] > 0).any() for c in range(out.shape[1])) / out.shape[1]
        for name, out in outputs.items()
    }
    assert shares["2"] == pytest.approx(2 / 6)
    assert shares["5"] >= 3 / 5
    notes = looked_at(broken(), batch, looks=frozenset({1}))
    assert told(notes, "dead_share") == pytest.approx(shares, rel=1e-5)


def test_the_drift_is_from_the_batch_before_in_deviations_of_the_channel() -> None:
    batches = [images(seed=seed) for seed in range(3)]
    notes = looked_at(small(), *batches, looks=frozenset({3}))
    twin = small()
    looked_at(twin, batches[0], looks=frozenset())
    before = reached(twin, batches[1])
    # Running statistics, which this moved, do not matter to a network in training.
    looked_at(twin, batches[1], looks=frozenset())
    now = reached(twin, batches[2])
    expected = {}
    for name, (x, _) in now.items():
        there, here = (y.double().transpose(0, 1).flatten(1) for y in (before[name][0], x))
        moved = (here.mean(1) - there.mean(1)).abs() / here.std(1, correction=0)
        expected[name] = float(moved.quantile(0.5))
    assert told(notes, "input_drift", 3) == pytest.approx(expected, rel=1e-3)
    assert told(notes, "input_drift", 2) == {}


def test_the_first_drift_is_that_of_the_second_batch() -> None:
    notes = looked_at(small(), *(images(seed=seed) for seed in range(4)), looks=frozenset({1, 4}))
    steps = {what: {n.step for n in notes if n.what == what} for what in {n.what for n in notes}}
    assert steps.pop("input_drift") == steps.pop("chance_drift") == {2, 4}
    assert set(map(frozenset, steps.values())) == {frozenset({1, 4})}


def test_a_network_that_does_not_change_or_normalise_drifts_by_chance_alone() -> None:
    """Over many pairs of independent batches, what is forecast from one batch is what is seen."""
    network = small(norm=lambda _: nn.Identity())
    # Images that differ in brightness, so that their means do, too.
    batches = [
        images(40, seed) + torch.randn(40, 1, 1, 1, generator=torch.Generator().manual_seed(~seed % 10_007))
        for seed in range(150)
    ]
    notes = looked_at(network, *batches, looks=frozenset(range(1, 151)), rate=0.0)
    for layer in ("2", "5", "8"):
        seen, forecast = (
            torch.tensor([note.value for note in notes if (note.what, note.layer) == (what, layer)])
            for what in ("input_drift", "chance_drift")
        )
        assert seen.median() == pytest.approx(forecast.median(), rel=0.25)


def test_behind_a_batch_norm_channels_stay_where_they_are_whatever_the_images() -> None:
    batches = [images(seed=seed) + seed for seed in range(2)]
    notes = looked_at(small(), *batches, looks=frozenset({2}), rate=0.0)
    drift = told(notes, "input_drift", 2)
    assert drift["2"] == pytest.approx(0, abs=1e-5)
    assert drift["5"] == pytest.approx(0, abs=1e-5)
    bare = looked_at(small(norm=lambda _: nn.Identity()), *batches, looks=frozenset({2}), rate=0.0)
    assert (told(bare, "input_drift", 2)["2"] or 0) > 0.1


@pytest.mark.parametrize("weight", [0.0, 1e-7])
def test_channels_that_do_not_vary_have_no_deviation_to_be_measured_by(weight: float) -> None:
    """Nor those that vary in the last bits of a float alone."""
    network = small(norm=lambda _: nn.Identity())
    with torch.no_grad():
        network.get_parameter("0.weight").fill_(weight)
        network.get_parameter("0.bias").fill_(1.0)
    notes = looked_at(network, images(), images(seed=1), looks=frozenset({2}), rate=0.0)
    assert told(notes, "input_drift", 2)["2"] is None
    assert told(notes, "chance_drift", 2)["2"] is None
    assert told(notes, "input_mean", 2)["2"] == pytest.approx(1)
    assert told(notes, "input_variance", 2)["2"] == pytest.approx(0, abs=1e-9)


def test_layers_stand_in_the_order_of_a_forward_pass_and_each_call_by_itself() -> None:
    network = ablations.build("resnet:depth=18,width=4,in_channels=1,num_classes=3", seed=0)
    notes = looked_at(network, torch.randn(4, 1, 32, 32), looks=frozenset({1}))
    depths = {n.layer: n.depth for n in notes if n.what == "gradient_norm"}
    assert list(depths.values()) == list(range(1, 22))
    assert list(depths)[:2] == ["conv1", "layer1.0.conv1"]
    assert depths["layer2.0.downsample.0"] == depths["layer2.0.conv2"] + 1, "as the block runs them"
    relus = {n.layer: (n.depth, n.channels) for n in notes if n.what == "dead_share"}
    assert list(relus)[:3] == ["relu1", "layer1.0.relu", "layer1.0.relu:2"]
    assert relus["layer1.0.relu:2"] == (3, 4)
    assert relus["layer4.1.relu:2"] == (20, 32)


@given(total=st.integers(1, 400), looks=st.integers(0, 30))
def test_looks_are_spread_evenly_from_the_first_step_to_the_last(total: int, looks: int) -> None:
    steps = sorted(look_steps(total, looks))
    assert len(steps) == min(total, looks)
    assert set(steps) <= set(range(1, total + 1))
    if looks >= 1:
        assert steps[-1] == total
    if looks >= 2:
        assert steps[0] == 1
        gaps = [b - a for a, b in pairwise(steps)]
        assert max(gaps, default=0) - min(gaps, default=0) <= 1


def test_trainings_that_only_look_for_a_rate_are_not_looked_at() -> None:
    settings = ConvergenceSettings(kind="convergence", name="c", tune=(0.3, 1.0), inside=5)
    looks = [(relation, getattr(other, "inside", None)) for relation, other in settings.companions]
    assert looks == [("rate_search", 0), ("rate_search", 0), ("tuned", 5)]


@pytest.mark.parametrize("levels", ["", ",norm=none", ",relu=out_of_place,stem=deep32"])
def test_a_training_that_is_looked_at_is_bit_for_bit_the_one_that_is_not(levels: str) -> None:
    plain, observed = fit(levels=levels), fit(levels=levels, inside=5)
    assert plain.status == observed.status == "ok"
    assert observed.curves == plain.curves
    assert observed.measurements == plain.measurements
    assert "inside" not in plain.details
    assert {*observed.details} - {*plain.details} == {"inside"}


def test_nothing_of_the_network_is_touched_and_no_number_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights and buffers (running statistics among them) after a training, to the last bit."""
    ends: list[dict[str, Tensor]] = []

    def noted(network: nn.Module, *rest: object) -> object:
        ends.append({name: value.clone() for name, value in network.state_dict().items()})
        ends[-1]["random state"] = torch.get_rng_state()
        hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in network.modules()]
        assert not any(hooks), "none is left behind"
        return evaluate(network, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("runners.probes.convergence.train.evaluate", noted)
    for inside in (0, 5):
        fit(inside=inside)
    plain, observed = ends[: len(ends) // 2], ends[len(ends) // 2 :]
    assert len(plain) == 3
    for one, other in zip(plain, observed, strict=True):
        assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_weights_are_those_before_the_step_of_the_look(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict[str, float] = {}

    def noted(*given: Any, **named: Any) -> nn.Module:
        network = build_arm(*given, **named)
        drawn.update({name: float(p.detach().norm()) for name, p in network.named_parameters()})
        return network

    monkeypatch.setattr("runners.probes.convergence.train.build_arm", noted)
    found = by_what(fit(inside=2, warmup=0, learning_rate=1.0))
    norms, ratios = found["gradient_norm"], found["gradient_to_weight"]
    weights = [
        norm / ratio for norm, ratio in zip(norms.values[0], ratios.values[0], strict=True) if norm and ratio
    ]
    assert weights == pytest.approx([drawn[f"{layer}.weight"] for layer in norms.layer], rel=1e-4)


def test_in_place_or_not_the_looks_tell_the_same() -> None:
    one, other = (fit(inside=3, levels=f",relu={level}") for level in ("inplace", "out_of_place"))
    assert one.details["inside"] == other.details["inside"]


def test_a_record_holds_every_look(tmp_path: Path) -> None:
    outcome = fit(inside=4)
    one = Record("t", "w", "seed-0", "e", 1, "2026-01-01T00:00:00+00:00", 1.0, (outcome,))
    kept = by_what(read_record(write_record(tmp_path, one)).outcomes[0])
    assert kept == by_what(outcome)
    assert {curves.step for what, curves in kept.items() if "drift" not in what} == {(1, 3, 4, 6)}
    assert kept["input_drift"].step == (2, 3, 4, 6)
    assert all(value is not None for curves in kept.values() for row in curves.values for value in row)


def test_a_training_that_diverges_leaves_its_looks_without_a_number_that_is_none(tmp_path: Path) -> None:
    outcome = fit(inside=STEPS, levels=",norm=none", learning_rate=1e20, warmup=0)
    assert outcome.status == "diverged"
    one = Record("t", "w", "seed-0", "e", 1, "2026-01-01T00:00:00+00:00", 1.0, (outcome,))
    (kept,) = read_record(write_record(tmp_path, one)).outcomes
    curves = by_what(kept)["gradient_norm"]
    assert None not in curves.values[0], "before the first step all is well"
    assert None in curves.values[-1]
    assert 1 < len(curves.step) < STEPS, "nothing after the step at which it diverged"


def test_what_json_cannot_hold_is_no_number() -> None:
    network = small(norm=lambda _: nn.Identity())
    with torch.no_grad():
        network.get_parameter("3.weight").fill_(math.inf)
    notes = looked_at(network, images(), looks=frozenset({1}))
    assert told(notes, "gradient_norm")["9"] is None
    assert told(notes, "input_variance") | {"2": None} == {"2": None, "5": None, "8": None}
    assert told(notes, "input_variance")["2"] is not None


def test_a_layer_that_was_not_met_at_a_look_has_no_value_there() -> None:
    notes = [
        Note("input_mean", 1, "a", 1, 2, 0.5),
        Note("input_mean", 9, "a", 1, 2, 0.25),
        Note("input_mean", 9, "b", 2, 3, -1.0),
    ]
    (curves,) = layer_curves(notes)
    assert curves == LayerCurves(
        "input_mean", ("a", "b"), (1, 2), (2, 3), (1, 9), ((0.5, None), (0.25, -1.0))
    )


def test_what_is_computed_again_is_looked_at_once() -> None:
    notes = []
    for checkpointed in (False, True):
        network = ablations.build("resnet:depth=18,width=4")
        if checkpointed:
            checkpointing.checkpoint_blocks(network)
        batches = [torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(i)) for i in range(2)]
        notes.append(sorted(map(str, looked_at(network, *batches, looks=frozenset({1, 2})))))
    assert notes[0] == notes[1]
