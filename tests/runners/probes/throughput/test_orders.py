"""The order in which networks are built and warmed up: drawn by process, and recorded as it was."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from results.records.record import Outcome
from runners import study
from runners.plan import plan
from runners.probes import throughput
from runners.trial import Trial
from tests.loaded_plugins import left_as_they_were

PLUGIN = '''
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from ablations import architecture

NOTES = Path({notes!r})


def note(*words: str) -> None:
    with NOTES.open("a") as file:
        print(*words, file=file)


class Noting(nn.Module):
    """Notes when it is built in earnest, and when it first runs in each mode."""

    def __init__(self, level: str) -> None:
        super().__init__()
        self.level, self.ran = level, set()
        self.entry = nn.Conv2d(3, 4, 3)
        if self.entry.weight.device.type == "cpu":
            note("built", level)

    def forward(self, image: Tensor) -> Tensor:
        mode = "train" if self.training else "inference"
        if image.device.type == "cpu" and mode not in self.ran:
            self.ran.add(mode)
            note(mode, self.level)
        return self.entry(image).mean((2, 3))


@architecture
def noting(*, level: Literal["a", "b", "c"] = "a") -> nn.Module:
    """A network that notes what happens to it.

    Args:
        level: Its name.
    """
    return Noting(level)
'''

STUDY = """
architecture = "noting"
plugins = ["noting.py"]
[factors]
level = ["a", "b", "c"]
[[workloads]]
kind = "throughput"
image_size = 8
batch_size = 1
threads = 1
arm_seconds = 0.001
rounds = 8
processes = 12
"""
LEVELS = {"baseline": "a", "(control)": "a", "level=b": "b", "level=c": "c"}
WHAT = ("built", "train", "inference")


@dataclass(frozen=True)
class Process:
    """What a process recorded of its orders, and what the networks noted of them; by `WHAT`."""

    recorded: dict[str, list[str]]
    noted: dict[str, list[str]]


def recorded(outcomes: tuple[Outcome, ...]) -> dict[str, list[str]]:
    """Arms in the order that the record tells."""
    places = {
        "built": {one.arm: one.details["built"] for one in outcomes},
        **{
            mode: {one.arm: one.details["timing"][mode]["warmed_up"] for one in outcomes}
            for mode in ("train", "inference")
        },
    }
    assert all(sorted(of_arms.values()) == list(range(len(outcomes))) for of_arms in places.values())
    return {what: sorted(of_arms, key=of_arms.__getitem__) for what, of_arms in places.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("orders")
    (folder / "noting.py").write_text(PLUGIN.replace("{notes!r}", repr(str(folder / "notes"))))
    (folder / "orders.toml").write_text(STUDY)
    with left_as_they_were():
        yield folder


@pytest.fixture(scope="module")
def trials(folder: Path) -> list[Trial]:
    found = [trial for trial in plan(study.load(str(folder / "orders.toml"))).trials if trial.timed]
    assert [trial.block for trial in found] == [f"process-{i}" for i in range(12)]
    return found


def process(folder: Path, trial: Trial) -> Process:
    (folder / "notes").unlink(missing_ok=True)
    outcomes = throughput.run(trial).outcomes
    assert {one.arm for one in outcomes} == set(LEVELS)
    assert {one.status for one in outcomes} == {"ok"}
    lines = [line.split() for line in (folder / "notes").read_text().splitlines()]
    return Process(
        recorded(outcomes), {what: [level for said, level in lines if said == what] for what in WHAT}
    )


@pytest.fixture(scope="module")
def processes(folder: Path, trials: list[Trial]) -> list[Process]:
    return [process(folder, trial) for trial in trials]


@pytest.mark.parametrize("what", WHAT)
def test_the_order_recorded_is_the_one_that_was(processes: list[Process], what: str) -> None:
    for one in processes:
        assert [LEVELS[arm] for arm in one.recorded[what]] == one.noted[what]


@pytest.mark.parametrize("what", WHAT)
def test_no_arm_has_an_early_place_in_all_processes(processes: list[Process], what: str) -> None:
    orders = [tuple(one.recorded[what]) for one in processes]
    assert len(set(orders)) > len(orders) / 2
    assert len({order[0] for order in orders}) > 2
    assert len({order[-1] for order in orders}) > 2


def test_each_order_is_drawn_by_itself(processes: list[Process]) -> None:
    """Or the first to be built would always be warmed up first, and nobody could tell which of it matters."""
    for one, other in (("built", "train"), ("built", "inference"), ("train", "inference")):
        alike = sum(found.recorded[one] == found.recorded[other] for found in processes)
        assert alike < len(processes) / 2


def test_a_trial_that_is_run_again_has_the_same_orders(
    folder: Path, trials: list[Trial], processes: list[Process]
) -> None:
    assert process(folder, trials[3]) == processes[3]
