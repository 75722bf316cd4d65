"""Networks to follow: variants that allocate differently, and nets small enough to work out by hand."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import ablations
from runners.memory.settings import Mode, StepSettings
from runners.memory.step import Build

VARIANTS = (
    "resnet:depth=18,width=8",
    "resnet:depth=18,width=8,stem=deep32",
    "resnet:depth=18,width=8,stem=deep64,relu=out_of_place",
    "resnet:depth=18,width=8,shortcut=out_of_place",
    "resnet:depth=18,width=8,relu=out_of_place,shortcut=out_of_place,norm=none",
    "resnet:depth=18,width=8,norm=group",
    "resnet:depth=18,width=8,norm=frozen",
    "resnet:depth=18,width=8,pool=average",
    "resnet:depth=18,width=8,pool=convolution",
    "resnet:depth=18,width=8,pool=none",
    "resnet:depth=18,width=8,pool_kernel=3x2,pool_stride=2x1,pool_padding=0",
    "resnet:depth=50,width=8,output_stride=8",
    "resnet:depth=50,width=8,stem=deep64,output_stride=16,first_dilation=previous,num_classes=10",
)


def variant(specification: str) -> Build:
    return lambda device: ablations.build(specification, device=device)


def module(make: Callable[[], nn.Module]) -> Build:
    return lambda _: make()


def small(mode: Mode = "train", **settings: Any) -> StepSettings:
    return StepSettings(input_shape=(2, 3, 48, 48), mode=mode, **settings)


def one_convolution(device: torch.device) -> nn.Module:
    return nn.Conv2d(3, 8, 3, padding=1, bias=False, device=device)


class Joins(nn.Module):
    """A network whose gradients meet in every way that autograd tells apart."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.fc = nn.Linear(4, 5)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.conv1(images)
        x = x.sin() + x.cos()  # two fresh gradients meet
        x = x + self.conv2(x)  # one passed through the sum meets a fresh one
        x = x + (x + x.sin()) + (x + x.cos())  # one that is passed on to several
        x = x * x * x
        x = self.conv2(x)
        pooled = x.mean((2, 3)) + x.sum((2, 3))  # expanded ones, which share memory
        pooled = pooled + x.sin().mean((2, 3)) + 2 * x.sum((2, 3))  # one whose elements share their memory
        logits: torch.Tensor = self.fc(pooled)
        return logits
