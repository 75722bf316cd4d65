"""Training: streams of its own for weights, split and order; the same seed, the same numbers."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from results.records.record import Outcome
from runners import study
from runners.plan import plan
from runners.probes import convergence
from runners.probes.convergence.recipe import batches, schedule
from runners.probes.convergence.settings import ConvergenceSettings
from runners.trial import Trial

STUDY = """
architecture = "resnet"
[factors]
relu = ["inplace", "out_of_place"]
stem = ["shallow", "deep32"]
[[workloads]]
kind = "convergence"
levels = { depth = 18, width = 4 }
epochs = 2
train_images = 96
batch_size = 32
"""


RECIPE = ConvergenceSettings(kind="convergence")


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Trial]:
    path = tmp_path_factory.mktemp("study") / "small.toml"
    path.write_text(STUDY)
    planned = plan(study.load(str(path))).trials
    return {(t.arms[0].name, t.block): t for t in planned if t.workload.kind == "convergence"}


def train(trial: Trial) -> Outcome:
    torch.set_num_threads(1)
    (outcome,) = convergence.run(trial).outcomes
    assert outcome.status == "ok", outcome.reason
    return outcome


def test_the_same_trial_gives_the_same_numbers_whatever_was_drawn_before(
    trials: dict[tuple[str, str], Trial],
) -> None:
    first = train(trials["baseline", "seed-0"])
    torch.rand(17)
    assert train(trials["baseline", "seed-0"]) == first


def test_another_seed_and_the_control_give_other_numbers(trials: dict[tuple[str, str], Trial]) -> None:
    baseline = train(trials["baseline", "seed-0"])
    for other in (trials["baseline", "seed-1"], trials["(control)", "seed-0"]):
        assert train(other).curves != baseline.curves


def test_an_equivalent_factor_trains_bit_for_bit_the_same(trials: dict[tuple[str, str], Trial]) -> None:
    baseline, other = (train(trials[arm, "seed-0"]) for arm in ("baseline", "relu=out_of_place"))
    assert other.curves == baseline.curves
    assert other.measurements == baseline.measurements


def test_arms_of_a_block_share_every_stream_but_the_control_has_its_own(
    trials: dict[tuple[str, str], Trial],
) -> None:
    for stream in ("split", "order", "weights"):
        assert trials["baseline", "seed-3"].stream(stream) == trials["stem=deep32", "seed-3"].stream(stream)
        assert trials["baseline", "seed-3"].stream(stream) != trials["baseline", "seed-4"].stream(stream)
        trial = trials["(control)", "seed-3"]
        assert trial.stream(stream) != trial.stream(stream, arm="(control)")
    streams = {
        trials["baseline", "seed-3"].stream(stream) for stream in ("split", "order", "weights", "layers")
    }
    assert len(streams) == 4


def test_a_loss_that_is_not_finite_is_divergence_with_its_step(trials: dict[tuple[str, str], Trial]) -> None:
    trial = trials["baseline", "seed-0"]
    settings = trial.workload.settings | {"learning_rate": 1e30}
    (outcome,) = convergence.run(replace(trial, workload=replace(trial.workload, settings=settings))).outcomes
    assert outcome.status == "diverged"
    assert outcome.reason is not None
    assert outcome.reason.startswith(("the training loss was", "the validation loss was"))
    assert outcome.measurements == ()


def test_the_curve_has_a_point_an_epoch_and_the_last_is_what_is_reported(
    trials: dict[tuple[str, str], Trial],
) -> None:
    outcome = train(trials["stem=deep32", "seed-0"])
    (curve,) = (curve for curve in outcome.curves if curve.metric == "validation_accuracy")
    assert curve.step == (3, 6)  # 96 images in batches of 32, twice
    (final,) = (m.values[0] for m in outcome.measurements if m.metric == "validation_accuracy")
    assert final == curve.y[-1]


def test_test_images_are_never_trained_or_validated_on(
    trials: dict[tuple[str, str], Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With test images and labels replaced, all but what is told of the test set stays as it was."""
    from runners import datasets

    baseline = train(trials["baseline", "seed-0"])
    digits = datasets.get("digits")
    development, test = digits.load(32)
    spoiled = replace(test, pixels=16 - test.pixels, labels=(test.labels + 1) % 10)
    monkeypatch.setattr(datasets, "get", lambda _: replace(digits, load=lambda _: (development, spoiled)))
    other = train(trials["baseline", "seed-0"])
    assert other.curves == baseline.curves
    values = {m.metric: m.values for m in baseline.measurements}
    assert {m.metric for m in other.measurements if m.values != values[m.metric]} <= {
        *("test_accuracy", "test_true_class_probability", "test_cross_entropy")
    }


@given(total=st.integers(1, 500))
def test_the_learning_rate_rises_to_its_peak_once_and_falls_to_nothing(total: int) -> None:
    rates = [schedule(step, total, RECIPE) for step in range(1, total + 1)]
    assert max(rates) == pytest.approx(1)
    peak = rates.index(max(rates))
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    if total > 2:
        assert rates[-1] == pytest.approx(0, abs=1e-9)


def test_after_the_warm_up_it_is_pytorchs_cosine() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=90)
    for step in range(11, 101):
        optimizer.step()
        cosine.step()
        assert schedule(step, 100, RECIPE) == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-6)


@given(count=st.integers(1, 300), batch_size=st.integers(1, 400), epochs=st.integers(1, 3))
def test_an_epoch_visits_no_image_twice_and_leaves_out_less_than_a_batch(
    count: int, batch_size: int, epochs: int
) -> None:
    settings = ConvergenceSettings(kind="convergence", batch_size=batch_size, epochs=epochs)
    found = list(batches(count, settings, torch.Generator().manual_seed(0)))
    steps = max(1, count // batch_size)
    assert len(found) == steps * epochs
    for epoch in range(epochs):
        seen = torch.cat(found[epoch * steps : (epoch + 1) * steps])
        assert len(seen) == len(set(seen.tolist()))
        assert count - len(seen) < batch_size


def test_a_study_file_says_where_it_was_found(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(STUDY)
    assert study.load(str(path)).name == "mine"
