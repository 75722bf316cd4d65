"""Copies of one small network, one of which runs 103 steps where it reports 100; which one, the seed decides.

A plugin of a study: loading it changes how the throughput probe makes steps in this process, so that
everything else (plan, processes, schedule, records, analysis) is what every other study runs through.
"""

import hashlib
import multiprocessing
from typing import Literal

import torch
from torch import Tensor, nn

from ablations import architecture
from runners.probes import Mode
from runners.probes.throughput import steps
from runners.probes.throughput.clock import Mark, Step
from runners.probes.throughput.settings import ThroughputSettings
from runners.trial import Trial, TrialArm

REPORTED, RUN = 100, 103
_COPIES = ("b", "c")


def slow_copy(seed: int) -> str:
    """The copy that does more than it reports."""
    return _COPIES[hashlib.sha256(f"calibration {seed}".encode()).digest()[0] % len(_COPIES)]


class Small(nn.Module):
    """A convolution, an average and a linear layer: (N, 3, 16, 16) to (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 8, 3, stride=2)
        self.head = nn.Linear(8, 10)

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.head(torch.relu(self.body(image)).mean((2, 3)))
        return logits


@architecture
def calibration(*, copy: Literal["a", "b", "c"] = "a") -> nn.Module:
    """A small network.

    Args:
        copy: Which copy; they are all alike.
    """
    return Small()


_make_step = steps.make_step


def _make_steps(
    trial: Trial,
    settings: ThroughputSettings,
    arm: TrialArm,
    network: nn.Module,
    mode: Mode,
    batch_size: int,
) -> Step:
    """A step that is a hundred of the network's."""
    inner = _make_step(trial, settings, arm, network, mode, batch_size)
    times = RUN if f"copy={slow_copy(trial.seed)}" in arm.complete_variant else REPORTED

    def step(mark: Mark) -> None:
        for _ in range(times - 1):
            inner(_no_mark)
        inner(mark)

    return step


def _no_mark() -> None:
    pass


# In the processes of trials alone: whoever else imports this wants the names, not the sabotage.
if multiprocessing.parent_process() is not None:
    steps.make_step = _make_steps
