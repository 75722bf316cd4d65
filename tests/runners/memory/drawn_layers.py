"""Layers of every kind that networks for images are made of, and networks drawn from them."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from runners.memory.step import Build

CHANNELS = 8


class Shape(NamedTuple):
    """Of one image's map."""

    channels: int
    height: int
    width: int


Make = Callable[[Shape], nn.Module | None]
"""A layer for maps of a shape; None if there is none."""


class Apply(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, images: Tensor) -> Tensor:
        return self.function(images)


class OverChannels(nn.Module):
    """A layer that treats the last dimension, on maps whose channels are moved there and back."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, images: Tensor) -> Tensor:
        result: Tensor = self.layer(images.permute(0, 2, 3, 1))
        return result.permute(0, 3, 1, 2)


class OverPixels(nn.Module):
    """A layer that treats a sequence, on maps as sequences of pixels."""

    def __init__(self, layer: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, images: Tensor) -> Tensor:
        sequence = self.layer(images.flatten(2).transpose(1, 2))
        result: Tensor = sequence.transpose(1, 2).unflatten(2, images.shape[2:])
        return result


class SelfAttention(nn.Module):
    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(channels, 2, dropout=dropout, batch_first=True)

    def forward(self, sequence: Tensor) -> Tensor:
        result: Tensor = self.attention(sequence, sequence, sequence, need_weights=False)[0]
        return result


class SelfBilinear(nn.Bilinear):
    def forward(self, images: Tensor, _: Tensor | None = None) -> Tensor:
        result: Tensor = super().forward(images, images)
        return result


def attend(sequence: Tensor) -> Tensor:
    heads = sequence.unsqueeze(1)
    return functional.scaled_dot_product_attention(heads, heads, heads)[:, 0]


class Squeezed(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, 4, 1),
            nn.SiLU(inplace=True),
            nn.Conv2d(4, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, images: Tensor) -> Tensor:
        result: Tensor = images * self.scale(images)
        return result


class Residual(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, images: Tensor) -> Tensor:
        result: Tensor = images + self.layer(images)
        return result


class Head(nn.Module):
    """Five classes from maps of any shape."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(1, 5)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.fc(images.mean((1, 2, 3)).unsqueeze(1))
        return logits


def _plain(layer: Callable[..., nn.Module], *args: Any, **options: Any) -> Make:
    return lambda _: layer(*args, **options)


def _function(function: Callable[[Tensor], Tensor]) -> Make:
    return lambda _: Apply(function)


def _if(fits: Callable[[Shape], bool], make: Make) -> Make:
    return lambda shape: make(shape) if fits(shape) else None


def _wide(pixels: int, make: Make) -> Make:
    return _if(lambda shape: min(shape.height, shape.width) >= pixels, make)


def _even(make: Make) -> Make:
    return _if(lambda shape: shape.channels % 2 == 0, make)


def _several(make: Make) -> Make:
    return _if(lambda shape: shape.height * shape.width > 1, make)


_IN_PLACE: tuple[tuple[Callable[..., nn.Module], tuple[float, ...]], ...] = (
    (nn.ReLU, ()),
    (nn.ReLU6, ()),
    (nn.LeakyReLU, ()),
    (nn.ELU, ()),
    (nn.CELU, ()),
    (nn.SELU, ()),
    (nn.SiLU, ()),
    (nn.Mish, ()),
    (nn.Hardswish, ()),
    (nn.Hardsigmoid, ()),
    (nn.Hardtanh, ()),
    (nn.Threshold, (0.1, 0.0)),
    (nn.RReLU, ()),
    (nn.Dropout, ()),
    (nn.Dropout2d, ()),
    (nn.AlphaDropout, ()),
    (nn.FeatureAlphaDropout, ()),
)
_ACTIVATIONS: dict[str, Make] = {
    "GELU": _plain(nn.GELU),
    "GELU-tanh": _plain(nn.GELU, approximate="tanh"),
    "Softplus": _plain(nn.Softplus),
    "Sigmoid": _plain(nn.Sigmoid),
    "Tanh": _plain(nn.Tanh),
    "PReLU": _plain(nn.PReLU),
    "PReLU-channels": lambda shape: nn.PReLU(shape.channels),
    "GLU": _even(_plain(nn.GLU, 1)),
    "LogSigmoid": _plain(nn.LogSigmoid),
    "Softsign": _plain(nn.Softsign),
    "Softshrink": _plain(nn.Softshrink),
    "Hardshrink": _plain(nn.Hardshrink),
    "Tanhshrink": _plain(nn.Tanhshrink),
    "Softmax": _plain(nn.Softmax, 1),
    "Softmin": _plain(nn.Softmin, 1),
    "LogSoftmax": _plain(nn.LogSoftmax, 1),
    "Softmax2d": _plain(nn.Softmax2d),
    "gate": _function(lambda x: x * x.sigmoid()),
    "clamp": _function(lambda x: x.clamp(0, 1)),
}
_NORM_LAYERS: dict[str, Make] = {
    "BatchNorm": lambda shape: nn.BatchNorm2d(shape.channels),
    "BatchNorm-without-scale": lambda shape: nn.BatchNorm2d(shape.channels, affine=False),
    "BatchNorm-untracked": lambda shape: nn.BatchNorm2d(shape.channels, track_running_stats=False),
    "GroupNorm": _even(lambda shape: nn.GroupNorm(2, shape.channels)),
    "InstanceNorm": _several(lambda shape: nn.InstanceNorm2d(shape.channels)),
    "InstanceNorm-tracked": _several(
        lambda shape: nn.InstanceNorm2d(shape.channels, affine=True, track_running_stats=True)
    ),
    "LayerNorm": lambda shape: OverChannels(nn.LayerNorm(shape.channels)),
    "LayerNorm-images": lambda shape: nn.LayerNorm(tuple(shape)),
    "LayerNorm-without-scale": lambda s: OverChannels(nn.LayerNorm(s.channels, elementwise_affine=False)),
    "RMSNorm": lambda shape: OverChannels(nn.RMSNorm(shape.channels)),
    "LocalResponseNorm": _plain(nn.LocalResponseNorm, 3),
    "normalize": _function(lambda x: functional.normalize(x, dim=1)),
}
_POOLS: dict[str, Make] = {
    "MaxPool": _wide(2, _plain(nn.MaxPool2d, 2)),
    "MaxPool-overlapping": _plain(nn.MaxPool2d, 3, 2, 1),
    "AvgPool": _wide(2, _plain(nn.AvgPool2d, 2)),
    "AvgPool-overlapping": _plain(nn.AvgPool2d, 3, 2, 1),
    "AdaptiveAvgPool": _plain(nn.AdaptiveAvgPool2d, 5),
    "AdaptiveAvgPool-1": _plain(nn.AdaptiveAvgPool2d, 1),
    "AdaptiveMaxPool": _plain(nn.AdaptiveMaxPool2d, 5),
    "LPPool": _wide(2, _plain(nn.LPPool2d, 2, 2)),
    "FractionalMaxPool": _wide(8, _plain(nn.FractionalMaxPool2d, 3, output_size=5)),
    "max": _function(lambda x: x.flatten(2).max(2, keepdim=True)[0].unsqueeze(3)),
}
_SHAPES: dict[str, Make] = {
    "ChannelShuffle": _even(_plain(nn.ChannelShuffle, 2)),
    "PixelShuffle": _if(lambda shape: shape.channels % 4 == 0, _plain(nn.PixelShuffle, 2)),
    "PixelUnshuffle": _if(lambda s: s.height % 2 == 0 == s.width % 2, _plain(nn.PixelUnshuffle, 2)),
    "Upsample-nearest": _plain(nn.Upsample, scale_factor=2),
    "Upsample-bilinear": _plain(nn.Upsample, scale_factor=2, mode="bilinear"),
    "Upsample-bicubic": _plain(nn.Upsample, size=9, mode="bicubic"),
    "Upsample-exact": _plain(nn.Upsample, size=9, mode="nearest-exact"),
    "Upsample-area": _function(lambda x: functional.interpolate(x, size=9, mode="area")),
    "ReflectionPad": _wide(2, _plain(nn.ReflectionPad2d, 1)),
    "ReplicationPad": _plain(nn.ReplicationPad2d, 1),
    "ZeroPad": _plain(nn.ZeroPad2d, 1),
    "ConstantPad": _plain(nn.ConstantPad2d, 1, 1.0),
    "CircularPad": _plain(nn.CircularPad2d, 1),
    "cat": _function(lambda x: torch.cat([x, x.sin()], 1)),
    "stack": _function(lambda x: torch.stack([x, x.cos()], 2).flatten(1, 2)),
    "chunk": _even(_function(lambda x: torch.mul(*x.chunk(2, 1)))),
    "where": _function(lambda x: torch.where(x > 0, x, 0.1 * x)),
    "masked": _function(lambda x: x.masked_fill(x > 0, 0.0)),
    "index": _function(lambda x: x[:, torch.arange(x.shape[1], device=x.device).flip(0)]),
    "gather": _function(lambda x: x.gather(1, torch.zeros_like(x, dtype=torch.int64))),
    "cummax": _function(lambda x: x.cummax(1)[0]),
    "roll": _function(lambda x: x.roll(1, 2)),
    "every-second": _function(lambda x: x[:, :, ::2]),
    "unfold": _wide(2, lambda s: nn.Sequential(nn.Unfold(2), nn.Unflatten(2, (s.height - 1, s.width - 1)))),
}
_WEIGHTED: dict[str, Make] = {
    "Conv": lambda shape: nn.Conv2d(shape.channels, CHANNELS, 3, padding=1),
    "Conv-1": lambda shape: nn.Conv2d(shape.channels, CHANNELS, 1, bias=False),
    "Conv-depthwise": lambda s: nn.Conv2d(s.channels, s.channels, 3, padding=1, groups=s.channels),
    "Conv-grouped": _even(lambda shape: nn.Conv2d(shape.channels, CHANNELS, 3, padding=1, groups=2)),
    "Conv-dilated": lambda shape: nn.Conv2d(shape.channels, CHANNELS, 3, padding=2, dilation=2),
    "Conv-circular": lambda s: nn.Conv2d(s.channels, CHANNELS, 3, padding=1, padding_mode="circular"),
    "Conv-same": lambda shape: nn.Conv2d(shape.channels, CHANNELS, 4, padding="same"),
    "ConvTranspose": lambda shape: nn.ConvTranspose2d(shape.channels, CHANNELS, 3, 2, 1),
    "ConvTranspose-grouped": _even(
        lambda s: nn.ConvTranspose2d(s.channels, CHANNELS, 2, 2, groups=2, bias=False)
    ),
    "Linear": lambda shape: OverChannels(nn.Linear(shape.channels, CHANNELS)),
    "Linear-sequence": lambda shape: OverPixels(nn.Linear(shape.channels, CHANNELS)),
    "Linear-without-bias": lambda s: OverChannels(nn.Linear(s.channels, CHANNELS, bias=False)),
    "Linear-rows": lambda shape: nn.Linear(shape.width, shape.width),
    "Bilinear": lambda shape: OverChannels(SelfBilinear(shape.channels, shape.channels, CHANNELS)),
    "weight-norm": lambda s: nn.utils.parametrizations.weight_norm(
        nn.Conv2d(s.channels, CHANNELS, 3, padding=1)
    ),
    "squeeze-excitation": lambda shape: Squeezed(shape.channels),
    "attention": lambda _: OverPixels(attend),
    "MultiheadAttention": _even(lambda shape: OverPixels(SelfAttention(shape.channels, 0.0))),
    "MultiheadAttention-dropout": _even(lambda shape: OverPixels(SelfAttention(shape.channels, 0.1))),
}
LAYERS: dict[str, Make] = (
    {
        f"{layer.__name__}{'-in-place' if inplace else ''}": _plain(layer, *args, inplace=inplace)
        for layer, args in _IN_PLACE
        for inplace in (False, True)
    }
    | _ACTIVATIONS
    | _NORM_LAYERS
    | _POOLS
    | _SHAPES
    | _WEIGHTED
)
WITHOUT_INFERENCE = frozenset({"MultiheadAttention", "MultiheadAttention-dropout"})
"""What a simulation refuses in inference."""


def network(names: Iterable[str], image_shape: Shape, *, residual: bool = False) -> Build:
    """A convolution, the layers that fit in turn, each round a shortcut if it keeps the shape, and a head."""

    def build(_: torch.device) -> nn.Module:
        first = nn.Conv2d(image_shape.channels, CHANNELS, 3, padding=1)
        layers: list[nn.Module] = [first]
        shape = image_shape._replace(channels=CHANNELS)
        for name in names:
            layer = LAYERS[name](shape)
            after = None if layer is None else _shape_after(LAYERS[name], shape)
            if layer is not None and after is not None:
                layers.append(Residual(layer) if residual and after == shape else layer)
                shape = after
        return nn.Sequential(*layers, Head())

    return build


def _shape_after(make: Make, shape: Shape) -> Shape | None:
    """None if the layer does not go with maps of that shape, or makes them large."""
    with torch.device("meta"), torch.no_grad():
        layer = make(shape)
        assert layer is not None
        try:
            after = Shape(*layer.train()(torch.empty(2, *shape)).shape[1:])
        except (RuntimeError, ValueError):
            return None
    return after if after.channels <= 4 * CHANNELS and after.height * after.width <= 1024 else None
