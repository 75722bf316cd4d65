"""Layers that families share, chosen by level: ReLU, normalisation, pooling, convolution."""

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn
from torchvision.ops.misc import FrozenBatchNorm2d

Size = int | tuple[int, int]
ReluLevel = Literal["inplace", "out_of_place"]
NormLevel = Literal["batch", "none", "group", "frozen"]
PoolLevel = Literal["max", "average", "convolution", "none"]

NormFactory = Callable[[int], nn.Module]


def make_relu(level: ReluLevel) -> nn.ReLU:
    """ReLU that overwrites its input, or one that allocates its output."""
    return nn.ReLU(inplace=level == "inplace")


def norm_factory(level: NormLevel) -> NormFactory:
    """A function from channels to the normalisation over them.

    `group` is GroupNorm with 32 groups (Wu & He 2018), or the most below that which divide the channels
    and leave at least two in each. `frozen` is BatchNorm with fixed statistics and a fixed affine map
    (torchvision's FrozenBatchNorm2d). `none` is the identity.
    """
    match level:
        case "batch":
            return nn.BatchNorm2d
        case "group":
            return lambda channels: nn.GroupNorm(_groups(channels), channels)
        case "frozen":
            frozen: NormFactory = FrozenBatchNorm2d
            return frozen
        case "none":
            return lambda _: nn.Identity()


def conv2d(
    in_channels: int,
    out_channels: int,
    kernel: Size,
    *,
    norm: NormLevel,
    stride: Size = 1,
    padding: Size | None = None,
    dilation: Size = 1,
) -> nn.Conv2d:
    """A convolution that keeps the size at stride 1 unless told otherwise.

    It has a bias only where no normalisation follows: each of the others has an offset of its own, which
    makes a bias redundant (He et al. 2015); without one, its work is the convolution's.
    """
    if padding is None:
        padding = _half(kernel, dilation)
    return nn.Conv2d(in_channels, out_channels, kernel, stride, padding, dilation, bias=norm == "none")


def make_pool(
    level: PoolLevel,
    channels: int,
    *,
    kernel: Size,
    stride: Size,
    padding: Size,
    dilation: Size,
    ceil_mode: bool,
    norm: NormLevel,
    relu: ReluLevel,
) -> nn.Module:
    """The pooling after a stem: (N, channels, H, W) to (N, channels, H', W').

    `convolution` is a convolution of the same geometry with normalisation and ReLU
    (as "strided convolution instead" in Mishkin et al. 2017); `none` is the identity.

    Raises:
        ValueError: A geometry that this kind of pooling does not have.
    """
    if level in ("max", "average"):
        for name, pad, size in zip(("rows", "columns"), _pair(padding), _pair(kernel), strict=True):
            if 2 * pad > size:
                raise ValueError(
                    f"pool_padding {pad} is over half of pool_kernel {size} ({name}):"
                    f" a window could lie wholly in the padding; at most {size // 2}"
                )
    match level:
        case "max":
            return nn.MaxPool2d(kernel, stride, padding, dilation, ceil_mode=ceil_mode)
        case "average":
            if _pair(dilation) != (1, 1):
                raise ValueError("pool=average has no dilation; set pool_dilation=1 or pool=max")
            return nn.AvgPool2d(kernel, stride, padding, ceil_mode=ceil_mode)
        case "convolution":
            if ceil_mode:
                raise ValueError("pool=convolution has no ceil mode; set pool_ceil_mode=false or pool=max")
            return nn.Sequential(
                conv2d(
                    channels, channels, kernel, norm=norm, stride=stride, padding=padding, dilation=dilation
                ),
                norm_factory(norm)(channels),
                make_relu(relu),
            )
        case "none":
            return nn.Identity()


def add_shortcut(out: Tensor, shortcut: Tensor, *, inplace: bool) -> Tensor:
    """The residual sum, written over `out` or into a new tensor; both (N, C, H, W)."""
    if inplace:
        out += shortcut
        return out
    return out + shortcut


def _groups(channels: int) -> int:
    return max(
        count for count in range(1, 33) if channels % count == 0 and (count == 1 or 2 * count <= channels)
    )


def _pair(size: Size) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def _half(kernel: Size, dilation: Size) -> tuple[int, int]:
    rows, columns = (
        step * (size - 1) // 2 for size, step in zip(_pair(kernel), _pair(dilation), strict=True)
    )
    return rows, columns
