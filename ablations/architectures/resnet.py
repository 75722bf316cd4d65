"""Residual networks: He et al. 2015, with the stride on the 3x3 convolution as torchvision builds them."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from ablations import EQUIVALENT, Examples, Range, architecture
from ablations.layers import (
    NormLevel,
    ReluLevel,
    add_shortcut,
    conv2d,
    make_pool,
    make_relu,
    norm_factory,
)

STAGES = {
    18: ("basic", (2, 2, 2, 2)),
    34: ("basic", (3, 4, 6, 3)),
    50: ("bottleneck", (3, 4, 6, 3)),
    101: ("bottleneck", (3, 4, 23, 3)),
    152: ("bottleneck", (3, 8, 36, 3)),
}


@architecture
def resnet(
    *,
    depth: Literal[18, 34, 50, 101, 152] = 50,
    width: Annotated[int, Range(2, 512), Examples(16)] = 64,
    in_channels: Annotated[int, Range(1, 1024), Examples(1)] = 3,
    num_classes: Annotated[int, Range(1, 100_000), Examples(10)] = 1000,
    stem: Literal["shallow", "deep32", "deep64"] = "shallow",
    relu: Annotated[Literal["inplace", "out_of_place"], EQUIVALENT] = "inplace",
    shortcut: Annotated[Literal["inplace", "out_of_place"], EQUIVALENT] = "inplace",
    pool: Literal["max", "average", "convolution", "none"] = "max",
    pool_kernel: Annotated[int | tuple[int, int], Range(1, 7), Examples(2, 5, (3, 2))] = 3,
    pool_stride: Annotated[int | tuple[int, int], Range(1, 7), Examples(1, 3, (2, 1))] = 2,
    pool_padding: Annotated[int | tuple[int, int], Range(0, 3), Examples(0, (0, 1))] = 1,
    pool_dilation: Annotated[int | tuple[int, int], Range(1, 4), Examples(2, (1, 2))] = 1,
    pool_ceil_mode: bool = False,
    norm: Literal["batch", "none", "group", "frozen"] = "batch",
    output_stride: Literal[32, 16, 8] = 32,
    first_dilation: Literal["own", "previous"] = "own",
) -> nn.Module:
    """Residual network with a choice of stem, pooling, normalisation and output stride.

    Images (N, in_channels, H, W) to logits (N, num_classes).

    Args:
        depth: Layers with weights; 18 and 34 of basic blocks, the others of bottlenecks.
        width: Channels of the first stage's blocks before expansion; 64 is the published network.
        in_channels: Channels of the image.
        num_classes: Entries of the output.
        stem: shallow is a 7x7 convolution; deep32 three 3x3 ones of half, half and full width
            (32-32-64, ResNet-C of He et al. 2018); deep64 of full, full and double width (64-64-128, as
            in PSPNet's backbone), so that the first stage reads 128 channels.
        relu: Whether ReLU overwrites its input.
        shortcut: Whether the residual sum overwrites the branch.
        pool: What follows the stem; convolution is one of the pooling's geometry, with norm and ReLU.
        pool_kernel: Window of the pooling, rows x columns where it is a pair.
        pool_stride: Step of the window.
        pool_padding: Zeros (minus infinity for max) around the input; at most half of the kernel.
        pool_dilation: Distance between the entries of the window; 1 means none.
        pool_ceil_mode: Whether a last, partial window counts.
        norm: Normalisation after each convolution. none removes it: convolutions gain a bias (initially
            0). With none and frozen, which do not rescale at initialisation, the last convolution of
            each branch starts at 1 / sqrt(blocks) of its size, which keeps the variance of the residual
            sum bounded (Hanin & Rolnick 2018; Zhang et al. 2019).
        output_stride: Pixels of the image per cell of the last stage, counted with a stem and a pooling
            of stride 2; below 32, the last stages are dilated in place of their strides.
        first_dilation: Dilation of the first block of a dilated stage: own (PSPNet) or the previous
            stage's (torchvision and timm). At output stride 32 it changes nothing.
    """
    design = Design(
        depth=depth,
        width=width,
        in_channels=in_channels,
        stem=stem,
        relu=relu,
        shortcut=shortcut,
        make_pool=lambda channels: make_pool(
            pool,
            channels,
            kernel=pool_kernel,
            stride=pool_stride,
            padding=pool_padding,
            dilation=pool_dilation,
            ceil_mode=pool_ceil_mode,
            norm=norm,
            relu=relu,
        ),
        norm=norm,
        output_stride=output_stride,
        previous_dilation_first=first_dilation == "previous",
    )
    return ResNet(design, num_classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What a backbone is made of; see `resnet`."""

    depth: int
    width: int
    in_channels: int
    stem: str
    relu: ReluLevel
    shortcut: ReluLevel
    make_pool: Callable[[int], nn.Module]
    norm: NormLevel
    output_stride: int
    previous_dilation_first: bool


class Backbone(nn.Module):
    """Stem, pooling and stages; modules are named as torchvision's, those of a deep stem as PSPNet's."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        width, norm = design.width, design.norm
        kind, blocks = STAGES[design.depth]
        block = BasicBlock if kind == "basic" else Bottleneck
        stem_channels = {
            "shallow": [],
            "deep32": [width // 2] * 2 + [width],
            "deep64": [width] * 2 + [2 * width],
        }
        channels = self._make_stem(design, stem_channels[design.stem] or [width])
        self.pool = design.make_pool(channels)
        self.stage_channels: list[int] = []
        dilation, reached = 1, 4
        for index, count in enumerate(blocks):
            stride, first_dilation = (1 if index == 0 else 2), dilation
            if reached * stride > design.output_stride:
                dilation, stride = dilation * stride, 1
            reached *= stride
            if not design.previous_dilation_first:
                first_dilation = dilation
            planes = width * 2**index
            stage = nn.Sequential()
            for position in range(count):
                stage.append(
                    block(
                        channels,
                        planes,
                        stride=stride if position == 0 else 1,
                        first_dilation=first_dilation if position == 0 else dilation,
                        dilation=dilation,
                        relu=design.relu,
                        shortcut=design.shortcut,
                        norm=norm,
                    )
                )
                channels = planes * block.expansion
            self.stage_channels.append(channels)
            setattr(self, f"layer{index + 1}", stage)
        if norm in ("none", "frozen"):
            _calm_branches(self, sum(blocks))

    def _make_stem(self, design: Design, widths: list[int]) -> int:
        """Register conv1, bn1, relu1 and so on; return the stem's output channels."""
        self.stem_layers: list[str] = []
        channels, norm = design.in_channels, design.norm
        kernel = 7 if design.stem == "shallow" else 3
        for index, out_channels in enumerate(widths, start=1):
            stride = 2 if index == 1 else 1
            for name, layer in (
                (f"conv{index}", conv2d(channels, out_channels, kernel, norm=norm, stride=stride)),
                (f"bn{index}", norm_factory(norm)(out_channels)),
                (f"relu{index}", make_relu(design.relu)),
            ):
                self.add_module(name, layer)
                self.stem_layers.append(name)
            channels = out_channels
        return channels

    def stages(self, image: Tensor) -> Iterator[Tensor]:
        """What each stage gives, the first to the last, of images (N, in_channels, H, W)."""
        x = image
        for name in self.stem_layers:
            x = self.get_submodule(name)(x)
        x = self.pool(x)
        for index in range(1, 5):
            x = self.get_submodule(f"layer{index}")(x)
            yield x

    def forward(self, image: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, C, H / output stride, W / output stride)."""
        for x in self.stages(image):
            last = x
        return last


class ResNet(Backbone):
    """See `resnet`: the backbone, averaged over the image and mapped to classes."""

    def __init__(self, design: Design, num_classes: int) -> None:
        super().__init__(design)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(self.stage_channels[-1], num_classes)

    def forward(self, image: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, num_classes)."""
        x = torch.flatten(self.avgpool(super().forward(image)), 1)
        logits: Tensor = self.fc(x)
        return logits


class BasicBlock(nn.Module):
    """relu(x + norm(conv3x3(relu(norm(conv3x3(x)))))), the shortcut projected where the shape changes."""

    expansion = 1

    def __init__(
        self,
        in_channels: int,
        planes: int,
        *,
        stride: int,
        first_dilation: int,
        dilation: int,
        relu: ReluLevel,
        shortcut: ReluLevel,
        norm: NormLevel,
    ) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, planes, 3, norm=norm, stride=stride, dilation=first_dilation)
        self.bn1 = norm_factory(norm)(planes)
        self.conv2 = conv2d(planes, planes, 3, norm=norm, dilation=dilation)
        self.bn2 = norm_factory(norm)(planes)
        self.relu = make_relu(relu)
        self.downsample = _projection(in_channels, planes, stride, norm)
        self.add_inplace = shortcut == "inplace"

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, planes, H / stride, W / stride)."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        activated: Tensor = self.relu(add_shortcut(out, self.downsample(x), inplace=self.add_inplace))
        return activated


class Bottleneck(nn.Module):
    """relu(x + norm(conv1x1(relu(norm(conv3x3(relu(norm(conv1x1(x)))))))), stride and dilation on the 3x3."""

    expansion = 4

    def __init__(
        self,
        in_channels: int,
        planes: int,
        *,
        stride: int,
        first_dilation: int,
        dilation: int,  # noqa: ARG002 - a bottleneck has one 3x3, which the first block's dilation is for
        relu: ReluLevel,
        shortcut: ReluLevel,
        norm: NormLevel,
    ) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, planes, 1, norm=norm)
        self.bn1 = norm_factory(norm)(planes)
        self.conv2 = conv2d(planes, planes, 3, norm=norm, stride=stride, dilation=first_dilation)
        self.bn2 = norm_factory(norm)(planes)
        self.conv3 = conv2d(planes, planes * self.expansion, 1, norm=norm)
        self.bn3 = norm_factory(norm)(planes * self.expansion)
        self.relu = make_relu(relu)
        self.downsample = _projection(in_channels, planes * self.expansion, stride, norm)
        self.add_inplace = shortcut == "inplace"

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, 4 planes, H / stride, W / stride)."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        activated: Tensor = self.relu(add_shortcut(out, self.downsample(x), inplace=self.add_inplace))
        return activated


def _projection(in_channels: int, out_channels: int, stride: int, norm: NormLevel) -> nn.Module:
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    return nn.Sequential(
        conv2d(in_channels, out_channels, 1, norm=norm, stride=stride), norm_factory(norm)(out_channels)
    )


def _calm_branches(network: nn.Module, blocks: int) -> None:
    for module in network.modules():
        if isinstance(module, BasicBlock):
            module.conv2.initial_gain = 1 / math.sqrt(blocks)  # type: ignore[assignment]
        elif isinstance(module, Bottleneck):
            module.conv3.initial_gain = 1 / math.sqrt(blocks)  # type: ignore[assignment]
