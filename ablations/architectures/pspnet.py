"""Pyramid scene parsing: H. Zhao et al. 2017, as the authors' PyTorch code builds it (hszhao/semseg)."""

from functools import partial
from typing import Annotated, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ablations import EQUIVALENT, Examples, Range, architecture
from ablations.architectures.resnet import Backbone, Design
from ablations.layers import NormLevel, ReluLevel, conv2d, make_pool, make_relu, norm_factory
from ablations.outputs import Auxiliary

_REDUCTION = 4
"""A branch of the pyramid, the head and the auxiliary head have a fourth of the channels that they read."""
_AUXILIARY_STAGE = 3


@architecture
def pspnet(
    *,
    depth: Literal[18, 34, 50, 101, 152] = 50,
    width: Annotated[int, Range(2, 512), Examples(16)] = 64,
    in_channels: Annotated[int, Range(1, 1024), Examples(1)] = 3,
    num_classes: Annotated[int, Range(2, 255), Examples(19)] = 150,
    stem: Literal["deep64", "deep32", "shallow"] = "deep64",
    relu: Annotated[Literal["inplace", "out_of_place"], EQUIVALENT] = "inplace",
    shortcut: Annotated[Literal["inplace", "out_of_place"], EQUIVALENT] = "inplace",
    norm: Literal["batch", "none", "group", "frozen"] = "batch",
    output_stride: Literal[8, 16, 32] = 8,
    first_dilation: Literal["own", "previous"] = "own",
    pyramid: Literal["1-2-3-6", "1", "1-2", "none"] = "1-2-3-6",
    pyramid_pool: Literal["average", "max"] = "average",
    pyramid_reduction: bool = True,
    dropout: Literal["0.1", "0", "0.5"] = "0.1",
    auxiliary_weight: Literal["0.4", "0", "0.3", "0.6", "0.9"] = "0.4",
) -> nn.Module:
    """Dilated residual network, a pyramid of pooled features, and a head for each pixel.

    Images (N, in_channels, H, W) to logits (N, num_classes, H, W); while it trains, with those of the
    auxiliary head.

    Args:
        depth: Layers of the backbone; 18 and 34 of basic blocks, the others of bottlenecks.
        width: Channels of the first stage's blocks before expansion; 64 is the published network.
        in_channels: Channels of the image.
        num_classes: Classes of a pixel; 255 is for pixels that do not count.
        stem: deep64 is three 3x3 convolutions of full, full and double width (64-64-128), as published;
            deep32 of half, half and full; shallow is a 7x7 convolution.
        relu: Whether ReLU overwrites its input.
        shortcut: Whether the residual sum overwrites the branch.
        norm: Normalisation after each convolution but the last of a head. batch needs two images or more
            to train where the pyramid has a bin of 1.
        output_stride: Pixels of the image per cell of the last stage; the fewer, the more stages are
            dilated in place of their strides.
        first_dilation: Dilation of the first block of a dilated stage: own (as published) or the previous
            stage's (as in torchvision and timm).
        pyramid: Cells along each side of what the features are pooled to, a branch each; none leaves the
            pyramid out, and the head reads the features alone.
        pyramid_pool: How the features of a cell are pooled.
        pyramid_reduction: Whether each branch is reduced by a 1x1 convolution, so that all together
            have as many channels as the features; without it each keeps all of them.
        dropout: Share of channels dropped before the last convolution of each head.
        auxiliary_weight: Of the loss of a second head on the third stage; with 0 there is none.
    """
    design = Design(
        depth=depth,
        width=width,
        in_channels=in_channels,
        stem=stem,
        relu=relu,
        shortcut=shortcut,
        make_pool=lambda channels: make_pool(
            "max", channels, kernel=3, stride=2, padding=1, dilation=1, ceil_mode=False, norm=norm, relu=relu
        ),
        norm=norm,
        output_stride=output_stride,
        previous_dilation_first=first_dilation == "previous",
    )
    bins = () if pyramid == "none" else tuple(map(int, pyramid.split("-")))
    if not bins and (pyramid_pool != "average" or not pyramid_reduction):
        raise ValueError(
            "pyramid=none has nothing to pool or reduce; leave pyramid_pool and pyramid_reduction as they are"
        )
    return PSPNet(
        design,
        num_classes,
        bins=bins,
        pool=nn.AdaptiveAvgPool2d if pyramid_pool == "average" else nn.AdaptiveMaxPool2d,
        reduction=pyramid_reduction,
        dropout=float(dropout),
        auxiliary_weight=float(auxiliary_weight),
    )


class PSPNet(nn.Module):
    """See `pspnet`; the heads' modules are named as the authors' (ppm, cls, aux)."""

    per_pixel = True

    def __init__(
        self,
        design: Design,
        num_classes: int,
        *,
        bins: tuple[int, ...],
        pool: type[nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d],
        reduction: bool,
        dropout: float,
        auxiliary_weight: float,
    ) -> None:
        super().__init__()
        self.backbone = Backbone(design)
        *_, middle, channels = self.backbone.stage_channels
        norm, relu = design.norm, design.relu
        self.ppm = PyramidPooling(channels, bins, pool, reduction=reduction, norm=norm, relu=relu)
        head = partial(_head, num_classes=num_classes, norm=norm, relu=relu, dropout=dropout)
        self.cls = head(self.ppm.out_channels, channels // _REDUCTION)
        self.auxiliary_weight = auxiliary_weight
        self.aux = head(middle, middle // _REDUCTION) if auxiliary_weight else None

    def forward(self, image: Tensor) -> Tensor | Auxiliary:
        """(N, in_channels, H, W) to (N, num_classes, H, W), enlarged with corners aligned."""
        auxiliary = self.aux if self.training else None
        for stage, x in enumerate(self.backbone.stages(image), start=1):
            if stage == _AUXILIARY_STAGE and auxiliary is not None:
                middle = x  # kept for a head that reads it, no longer otherwise
        size = image.shape[-2:]
        logits = _enlarged(self.cls(self.ppm(x)), size)
        if auxiliary is None:
            return logits
        return Auxiliary(logits, _enlarged(auxiliary(middle), size), self.auxiliary_weight)


class PyramidPooling(nn.Module):
    """Features beside what they are pooled to at several scales, enlarged again."""

    def __init__(
        self,
        channels: int,
        bins: tuple[int, ...],
        pool: type[nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d],
        *,
        reduction: bool,
        norm: NormLevel,
        relu: ReluLevel,
    ) -> None:
        super().__init__()
        reduced = channels // len(bins) if bins and reduction else channels
        self.out_channels = channels + reduced * len(bins)
        self.features = nn.ModuleList()
        for cells in bins:
            branch = nn.Sequential(pool(cells))
            if reduction:
                branch.extend(
                    [conv2d(channels, reduced, 1, norm=norm), norm_factory(norm)(reduced), make_relu(relu)]
                )
            self.features.append(branch)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to (N, out_channels, h, w)."""
        branches = [_enlarged(branch(x), x.shape[-2:]) for branch in self.features]
        return torch.cat([x, *branches], dim=1) if branches else x


def _head(
    in_channels: int, channels: int, *, num_classes: int, norm: NormLevel, relu: ReluLevel, dropout: float
) -> nn.Sequential:
    return nn.Sequential(
        conv2d(in_channels, channels, 3, norm=norm),
        norm_factory(norm)(channels),
        make_relu(relu),
        nn.Dropout2d(dropout),
        nn.Conv2d(channels, num_classes, 1),
    )


def _enlarged(x: Tensor, size: torch.Size) -> Tensor:
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=True)
