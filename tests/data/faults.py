"""A small network with faults that strike a timed process: later, now and then, or by never coming back."""

import time
from typing import Literal

import torch
from torch import Tensor, nn

from ablations import architecture

QUIET_CALLS = 8
"""Forward passes before a fault strikes: those that look at the network before it is timed are spared."""


class Faulty(nn.Module):
    """A convolution and a linear layer."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault, self.calls = fault, 0
        self.entry = nn.Conv2d(3, 8, 3, stride=2)
        self.head = nn.Linear(8, 10)

    def forward(self, image: Tensor) -> Tensor:
        self.calls += 1
        if self.calls > QUIET_CALLS:
            self._strike()
        logits: Tensor = self.head(torch.relu(self.entry(image)).mean((2, 3)))
        return logits

    def _strike(self) -> None:
        if self.fault == "hang":
            time.sleep(3600)
        if self.fault == "out_of_memory":
            torch.empty(2**50)
        # Weights are drawn anew in each process: about half of them have this sign.
        if self.fault == "sometimes" and float(self.entry.weight.detach().flatten()[0]) > 0:
            raise RuntimeError("planted: now and then")


@architecture
def faulty(*, fault: Literal["none", "hang", "out_of_memory", "sometimes"] = "none") -> nn.Module:
    """A small network with a planted fault.

    Args:
        fault: What goes wrong.
    """
    return Faulty(fault)
