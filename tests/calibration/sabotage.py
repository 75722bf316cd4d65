"""Networks of which the truth is known: copies that differ in name alone, and one that does 1 % more.

A plugin of a study: loading it changes how the throughput probe makes steps of `small` in this process, so
that everything else (plan, processes, schedule, records, analysis) is what every other study runs through.
"""

import multiprocessing
from typing import Literal

import torch
from torch import Tensor, nn

from ablations import architecture
from ablations.architectures.resnet import resnet
from runners.probes import Mode
from runners.probes.throughput import steps
from runners.probes.throughput.clock import Mark, Step
from runners.probes.throughput.settings import ThroughputSettings
from runners.trial import Trial, TrialArm
from tests.calibration.slow_copies import REPORTED, RUN, slow_copy

Copy = Literal["a", "b", "c", "d", "e", "f", "g"]


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
def small(*, copy: Copy = "a") -> nn.Module:
    """A small network.

    Args:
        copy: Which copy; they are all alike.
    """
    return Small()


@architecture
def chain(*, layers: Literal[100, 101, 200] = 100, copy: Copy = "a") -> nn.Module:
    """Equal convolutions in a row, 16 channels wide: one more of a hundred is 1 % more.

    Args:
        layers: How many.
        copy: Which copy; they are all alike.
    """
    body = [nn.Conv2d(3 if i == 0 else 16, 16, 3, padding=1) for i in range(layers)]
    return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))


@architecture
def resnet50(*, copy: Copy = "a") -> nn.Module:
    """The suite's ResNet-50.

    Args:
        copy: Which copy; they are all alike.
    """
    return resnet(depth=50)


_make_step = steps.make_step


def _make_steps(
    trial: Trial,
    settings: ThroughputSettings,
    arm: TrialArm,
    network: nn.Module,
    mode: Mode,
    batch_size: int,
) -> Step:
    """A step that is a hundred of the network's, if it is a small one."""
    inner = _make_step(trial, settings, arm, network, mode, batch_size)
    if not isinstance(network, Small):
        return inner
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
