"""A network of your own: keyword-only arguments are its factors, their defaults the baseline."""

from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from ablations import EQUIVALENT, Examples, Range, architecture


@architecture
def mine(
    *,
    in_channels: Annotated[int, Range(1, 16), Examples(1)] = 3,
    num_classes: Annotated[int, Range(2, 1000), Examples(2)] = 10,
    width: Annotated[int, Range(4, 256), Examples(8)] = 16,
    downsample: Literal["stride", "pool"] = "stride",
    relu: Annotated[Literal["inplace", "out_of_place"], EQUIVALENT] = "inplace",
) -> nn.Module:
    """Three convolutions, each halving the image.

    Args:
        in_channels: Channels of the image; a data set decides it, where there is one.
        num_classes: Entries of the output; likewise.
        width: Channels of the first convolution, half of the second's and a quarter of the third's.
        downsample: Whether convolutions have stride 2, or stride 1 and a max pooling behind them.
        relu: Whether ReLU overwrites its input; EQUIVALENT is held to it bit for bit.
    """
    # A combination that cannot be built is refused like this, before anything runs.
    if downsample == "pool" and width > 128:
        raise ValueError("downsample=pool needs width 128 or less, for memory; use width=128")
    layers: list[nn.Module] = []
    channels = in_channels
    for out_channels in (width, 2 * width, 4 * width):
        stride = 2 if downsample == "stride" else 1
        layers.append(nn.Conv2d(channels, out_channels, 3, stride, 1, bias=False))
        layers += [nn.BatchNorm2d(out_channels), nn.ReLU(inplace=relu == "inplace")]
        if downsample == "pool":
            layers.append(nn.MaxPool2d(2))
        channels = out_channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), Scaled(channels, num_classes))


class Scaled(nn.Module):
    """A linear layer on features that are scaled one by one.

    Convolutions, linear layers and normalisations have their weights drawn for them, by seed and name. A
    module with parameters of another kind says in `reset_parameters` how it begins.
    """

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(features))
        self.linear = nn.Linear(features, classes)

    def reset_parameters(self) -> None:
        """Begin as a linear layer alone."""
        nn.init.ones_(self.scale)

    def forward(self, features: Tensor) -> Tensor:
        """(N, features) to (N, classes)."""
        logits: Tensor = self.linear(self.scale * features)
        return logits
