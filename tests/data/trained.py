"""A small network to be trained, whose layers draw at random, and which dies or diverges where told to."""

import os
import signal
import time
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from ablations import architecture

MARK = "TRAINED_MARK"
"""Variable of the environment: a file that is there once an arm has died, so that it does so only once."""
PACE = "TRAINED_PACE"
"""Variable of the environment: seconds that a training step takes at least."""
LAST_STEP = 9
"""Of an arm that dies or diverges."""

_steps = 0


class Trained(nn.Module):
    """Convolutions, a normalisation, half-precision weights, a linear layer."""

    def __init__(self, noise: str, fault: str, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.fault = fault
        self.entry = nn.Conv2d(in_channels, 8, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.body = nn.Conv2d(8, 8, 3, padding=1, dtype=torch.bfloat16)
        self.drop = nn.Dropout(0.3 if noise == "dropout" else 0.0)
        self.head = nn.Linear(8 * 16, num_classes)
        self.mean: Tensor
        self.register_buffer("mean", torch.zeros(8), persistent=False)
        self.calls = 0

    def forward(self, image: Tensor) -> Tensor:
        x = torch.relu(self.norm(self.entry(image)))
        x = self.drop(x + torch.relu(self.body(x.bfloat16()).float()))
        if self.training and not x.is_meta:
            self._step(x.detach().mean((0, 2, 3)))
        x = nn.functional.adaptive_avg_pool2d(x - self.mean[:, None, None], 4).flatten(1)
        logits: Tensor = self.head(x)
        return logits * float("nan") if self.fault == "diverge" and _steps >= LAST_STEP else logits

    def _step(self, mean: Tensor) -> None:
        global _steps  # noqa: PLW0603 - of the process: what a module counts is a state of the network
        _steps += 1
        self.mean += 0.1 * (mean - self.mean)
        if self.fault == "counts":
            self.calls += 1
        time.sleep(float(os.environ.get(PACE, "0")))
        if self.fault == "die_once" and _steps == LAST_STEP and not (mark := Path(os.environ[MARK])).exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)


@architecture
def trained(
    *,
    noise: Literal["none", "dropout"] = "none",
    fault: Literal["none", "die_once", "diverge", "counts"] = "none",
    in_channels: Literal[1, 3] = 1,
    num_classes: Literal[2, 10] = 10,
) -> nn.Module:
    """A small network to be trained.

    Args:
        noise: Whether features are dropped at random.
        fault: What goes wrong in training.
        in_channels: Channels of the image.
        num_classes: Entries of the output.
    """
    return Trained(noise, fault, in_channels, num_classes)
