"""A small network with faults and effects planted where a test can expect to find them."""

from typing import Literal

import torch
from torch import Tensor, nn

from ablations import architecture


class Planted(nn.Module):
    """Convolutions, a 4x4 average, a linear layer."""

    def __init__(self, work: str, fault: str, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.fault = fault
        self.entry = nn.Conv2d(in_channels, 24, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(24)
        # Each can run once more for nothing: twice the work, the same function.
        self.body = nn.ModuleList(nn.Conv2d(24, 24, 3, padding=1) for _ in range(4))
        self.twice = work == "double"
        self.head = nn.Linear(24 * 16, num_classes)

    def forward(self, image: Tensor) -> Tensor:
        if self.fault == "raise":
            raise RuntimeError("planted: this arm always raises")
        x = torch.relu(self.norm(self.entry(image)))
        for layer in self.body:
            if self.twice:
                layer(x)
            x = x + torch.relu(layer(x))
        x = nn.functional.adaptive_avg_pool2d(x, 4).flatten(1)
        if self.fault == "cannot_learn":
            x = x.detach() * 0
        logits: Tensor = self.head(x)
        return logits * float("nan") if self.fault == "diverge" else logits


@architecture
def planted(
    *,
    work: Literal["single", "double"] = "single",
    fault: Literal["none", "raise", "diverge", "cannot_learn"] = "none",
    in_channels: Literal[1, 3] = 1,
    num_classes: Literal[2, 10] = 10,
) -> nn.Module:
    """A small network with planted faults.

    Args:
        work: Whether every convolution of the body runs twice.
        fault: What goes wrong.
        in_channels: Channels of the image.
        num_classes: Entries of the output.
    """
    return Planted(work, fault, in_channels, num_classes)
