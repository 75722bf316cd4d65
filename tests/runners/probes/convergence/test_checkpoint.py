"""Trainings that were cut off go on to the same bits; a file that is not theirs is left alone."""

import os
import pickle
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from results.records.record import Outcome
from runners import checkpoints, tensor_file
from runners.probes import Result, convergence
from runners.probes.convergence.checkpoint import Checkpoint
from runners.probes.convergence.course import Course
from runners.run_folder import CURRENT, RunFolder
from runners.trial import Trial, TrialArm
from tests.runners.test_sources import trial as resnet
from tests.runners.trained_runs import plan_of, write_study

RECIPES: dict[str, dict[str, Any]] = {
    "sgd": {},
    "plain": {"momentum": 0.0},
    "nesterov": {"nesterov": True},
    "adamw": {"optimizer": "adamw", "learning_rate": 0.005},
    "augmented": {"augmentation": "shift+flip", "label_smoothing": 0.1},
    "nchw": {"channels_last": False},
    "seldom": {"evaluations": 2},
    "looked_at": {"inside": 7},
}
TOTAL = 20
ENVIRONMENT = "here"


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trial]:
    """By `recipe/arm`."""
    workloads = [{"name": name, **recipe} for name, recipe in RECIPES.items()]
    factors = {"noise": ["none", "dropout"], "fault": ["none", "counts"]}
    planned = plan_of(write_study(tmp_path_factory.mktemp("study"), factors, *workloads))
    return {f"{trial.workload.name}/{trial.arms[0].name}": trial for trial in planned.trials}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[RunFolder]:
    found = RunFolder(tmp_path, ENVIRONMENT)
    token = CURRENT.set(found)
    yield found
    CURRENT.reset(token)


def train(trial: Trial) -> Result:
    torch.rand(3)  # whatever was drawn before
    return convergence.run(trial)


def undisturbed(trial: Trial) -> Outcome:
    token = CURRENT.set(None)
    try:
        (outcome,) = train(trial).outcomes
    finally:
        CURRENT.reset(token)
    assert outcome.status == "ok", outcome.reason
    return outcome


def cut(trial: Trial, step: int) -> None:
    """Train until after a step."""

    def keep(self: Checkpoint, course: Course) -> None:
        original(self, course)
        if len(course.losses) == step:
            raise KeyboardInterrupt("cut")

    original = Checkpoint.keep
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Checkpoint, "keep", keep)
        (outcome,) = train(trial).outcomes
    assert outcome.reason is not None
    assert outcome.reason.startswith("KeyboardInterrupt: cut")


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_a_training_that_was_cut_off_three_times_ends_with_the_same_bits(
    trials: dict[str, Trial], place: RunFolder, recipe: str
) -> None:
    assert_same_bits(trials[f"{recipe}/noise=dropout"], 3, 4, 9)


@pytest.mark.parametrize("step", [1, 8, TOTAL])
def test_wherever_it_was_cut_off(trials: dict[str, Trial], place: RunFolder, step: int) -> None:
    """After the first step, at the end of an epoch, before the test images are looked at."""
    assert_same_bits(trials["sgd/(control)"], step)


def assert_same_bits(trial: Trial, *steps: int) -> None:
    for step in steps:
        cut(trial, step)
    result = train(trial)
    assert result.outcomes == (undisturbed(trial),)
    assert result.details == {"resumed_at_step": list(steps)}


def test_weights_and_what_the_optimizer_keeps_lie_as_before(
    trials: dict[str, Trial], place: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def strides(self: Checkpoint) -> list[tuple[int, ...]]:
        tensors = dict(self._tensors(Course()))
        assert all(one.data_ptr() % 64 == 0 for one in tensors.values())
        return [one.stride() for _, one in sorted(tensors.items())]

    def keep(self: Checkpoint, course: Course) -> None:
        seen.append(strides(self))
        original(self, course)

    seen: list[list[tuple[int, ...]]] = []
    original = Checkpoint.keep
    trial = trials["adamw/baseline"]
    cut(trial, 5)
    monkeypatch.setattr(Checkpoint, "keep", keep)
    train(trial)
    checkpoints.path_of(trial.id, place).unlink()
    train(trial)
    assert len(seen) == TOTAL - 5 + TOTAL
    assert all(one == seen[0] for one in seen)
    assert (72, 1, 24, 8) in seen[0], "channels last, of the body"


def test_the_built_in_networks_keep_nothing_aside(
    place: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    small = "resnet:depth=18,width=2,in_channels=1,num_classes=10"
    trial = resnet("convergence", epochs=1, train_images=64, image_size=8, checkpoint_seconds=0.0)
    trial = replace(trial, id="resnet", arms=(TrialArm("baseline", small, small),))
    assert_same_bits(trial, 1)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_looks_inside_go_on_as_well(place: RunFolder, step: int) -> None:
    """Between a look and the batch before, from which it tells the drift, and after one."""
    spec = "resnet:depth=18,width=2,in_channels=1,num_classes=10"
    settings = {"epochs": 2, "train_images": 96, "batch_size": 32, "inside": 4, "checkpoint_seconds": 0}
    one = replace(resnet("convergence", **settings), id="looked-at", arms=(TrialArm("baseline", spec, spec),))
    assert_same_bits(one, step)
    drift = undisturbed(one).details["inside"][-2]
    assert (drift.what, drift.step) == ("input_drift", (2, 3, 4, 6))


def test_a_short_training_writes_nothing(trials: dict[str, Trial], place: RunFolder) -> None:
    trial = with_setting(trials["sgd/baseline"], checkpoint_seconds=60.0)
    assert train(trial).outcomes == (undisturbed(trial),)
    assert not (place.directory / checkpoints.FOLDER).exists()


def with_setting(trial: Trial, **changes: object) -> Trial:
    workload = replace(trial.workload, settings=trial.workload.settings | changes)
    return replace(trial, workload=workload)


def test_time_counts_from_the_end_of_the_last_writing(
    trials: dict[str, Trial], place: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, written = 0.0, list[float]()

    def clock() -> float:
        nonlocal now
        now += 1
        return now

    def write(*_: object) -> None:
        nonlocal now
        written.append(now)
        now += 100

    monkeypatch.setattr(time, "monotonic", clock)
    monkeypatch.setattr(tensor_file, "write", write)
    train(with_setting(trials["sgd/baseline"], checkpoint_seconds=6.0))
    assert written == [7, 114, 221]  # each look at the clock is a second, two of them after a writing


def test_a_network_that_keeps_a_count_of_its_own_is_trained_without(
    trials: dict[str, Trial], place: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    trial = trials["sgd/fault=counts"]
    assert train(trial).outcomes == (undisturbed(trial),)
    assert capsys.readouterr().out == (
        "no checkpoint after step 1, the training goes on:"
        " the network changes its calls, which is neither a parameter nor a buffer\n"
    )
    assert not checkpoints.path_of(trial.id, place).exists()


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("trial", "0123456789abcdef", "its trial is 0123456789abcdef, not "),
        ("environment", "elsewhere", "its environment is elsewhere, not here"),
        ("torch", "1.0.0", "its torch is 1.0.0, not "),
        ("format", 0, "its format is 0, not 1"),
        ("format", None, "its format is None, not 1"),
        ("resumed_at_step", "never", "ValidationError: "),
    ],
)
def test_a_checkpoint_of_something_else_is_not_used(
    trials: dict[str, Trial],
    place: RunFolder,
    capsys: pytest.CaptureFixture[str],
    key: str,
    value: object,
    why: str,
) -> None:
    trial = trials["sgd/noise=dropout"]
    cut(trial, 5)
    path = checkpoints.path_of(trial.id, place)
    facts, tensors = tensor_file.read(path)
    tensor_file.write(path, facts | {key: value}, tensors)
    again(trial, capsys, why)


def again(trial: Trial, capsys: pytest.CaptureFixture[str], why: str) -> None:
    """Train once more: from the first step on, and say so."""
    capsys.readouterr()
    result = train(trial)
    assert result.outcomes == (undisturbed(trial),)
    assert result.details == {}
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("checkpoint not used, the training begins anew: ")
    assert why in line


def drop(name: str) -> Callable[[dict[str, torch.Tensor]], object]:
    return lambda tensors: tensors.pop(name)


def put(name: str, tensor: torch.Tensor) -> Callable[[dict[str, torch.Tensor]], object]:
    return lambda tensors: tensors.update({name: tensor})


@pytest.mark.parametrize(
    "spoil",
    [
        drop("network.norm.running_mean"),
        drop("network.mean"),
        drop("random.cpu"),
        drop("course.steps"),
        put("network.more", torch.zeros(2)),
        put("network.entry.weight", torch.zeros(8, 1, 3, 3, dtype=torch.float64)),
        put("network.entry.bias", torch.zeros(9)),
        put("optimizer.0.momentum_buffer", torch.zeros(9)),
        put("optimizer.99.momentum_buffer", torch.zeros(9)),
        put("optimizer.x.momentum_buffer", torch.zeros(9)),
        put("random.cpu", torch.zeros(7, dtype=torch.uint8)),
        put("random.cpu", torch.zeros(5056)),
        put("course.evaluations", torch.zeros(2, 7)),
    ],
)
def test_one_that_does_not_fit_leaves_no_trace(
    trials: dict[str, Trial],
    place: RunFolder,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[dict[str, torch.Tensor]], object],
) -> None:
    trial = trials["sgd/noise=dropout"]
    cut(trial, 5)
    path = checkpoints.path_of(trial.id, place)
    facts, tensors = tensor_file.read(path)
    spoil(tensors)
    tensor_file.write(path, facts, tensors)
    again(trial, capsys, "")


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("exploded",)


@pytest.mark.parametrize("protocol", ["pickle", "torch"])
def test_a_pickle_in_its_place_is_not_executed(
    trials: dict[str, Trial],
    place: RunFolder,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    protocol: str,
) -> None:
    monkeypatch.chdir(place.directory)
    trial = trials["sgd/baseline"]
    path = checkpoints.path_of(trial.id, place)
    path.parent.mkdir()
    if protocol == "pickle":
        path.write_bytes(pickle.dumps(Bomb()))
    else:
        torch.save({"network": Bomb()}, path)
    again(trial, capsys, "damaged")
    assert not Path("exploded").exists()


@pytest.mark.parametrize("obstacle", ["folder", "pipe", "link to nothing"])
def test_what_is_no_file_is_no_checkpoint(trials: dict[str, Trial], place: RunFolder, obstacle: str) -> None:
    trial = trials["sgd/baseline"]
    path = checkpoints.path_of(trial.id, place)
    path.parent.mkdir()
    match obstacle:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case _:
            path.symlink_to(place.directory / "nothing")
    result = train(trial)
    assert result.outcomes == (undisturbed(trial),)
    assert result.details == {}


@pytest.fixture(scope="module")
def whole(
    trials: dict[str, Trial], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Trial, RunFolder, bytes, Outcome]:
    """A training of two steps with the checkpoint after the first one."""
    trial = with_setting(trials["adamw/baseline"], epochs=1, train_images=64)
    place = RunFolder(tmp_path_factory.mktemp("run"), ENVIRONMENT)
    token = CURRENT.set(place)
    try:
        cut(trial, 1)
    finally:
        CURRENT.reset(token)
    return trial, place, checkpoints.path_of(trial.id, place).read_bytes(), undisturbed(trial)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True), flip=st.integers(0, 255))
def test_a_file_that_was_cut_or_changed_anywhere_is_not_used(
    whole: tuple[Trial, RunFolder, bytes, Outcome],
    capsys: pytest.CaptureFixture[str],
    share: float,
    flip: int,
) -> None:
    """At a share of its length: `flip` 0 cuts it off, any other value changes that byte."""
    trial, place, content, expected = whole
    at = int(share * len(content))
    damaged = content[:at] + (bytes([content[at] ^ flip]) + content[at + 1 :] if flip else b"")
    checkpoints.path_of(trial.id, place).write_bytes(damaged)
    token = CURRENT.set(place)
    try:
        result = train(trial)
    finally:
        CURRENT.reset(token)
    assert result == Result((expected,))
    assert "checkpoint not used, the training begins anew" in capsys.readouterr().out
