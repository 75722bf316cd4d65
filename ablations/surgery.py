"""Changes that work on any module: they look for layers by what they are, and say what they left as it was.

None of them sees a function that a network calls itself (`torch.nn.functional.relu`).
"""

from collections import Counter
from collections.abc import Callable
from typing import Literal

import torch
from torch import nn
from torch.fx.experimental.optimization import fuse
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd
from torchvision.ops.misc import FrozenBatchNorm2d

from ablations.layers import NormLevel, norm_factory

ActivationLevel = Literal["relu", "silu", "gelu", "hardswish", "leaky_relu"]
PoolLevel = Literal["max", "average"]

_ACTIVATIONS: dict[ActivationLevel, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "hardswish": nn.Hardswish,
    "leaky_relu": nn.LeakyReLU,
}
_ACTIVATION_NAMES = frozenset(
    {
        *("ReLU", "ReLU6", "LeakyReLU", "ELU", "CELU", "SELU", "SiLU", "Swish", "Mish", "HardMish"),
        *("GELU", "GELUTanh", "QuickGELU", "Hardswish", "HardSwish"),
    }
)
"""Classes of PyTorch's and timm's; sigmoids, which gate, and softmaxes are no activations here."""


def set_inplace(network: nn.Module, *, inplace: bool) -> tuple[str, ...]:
    """Have every activation that can overwrite its input, or have none do so.

    Returns:
        What was left as it was, a line a kind of layer.
    """
    for module in network.modules():
        if is_activation(module) and hasattr(module, "inplace"):
            module.inplace = inplace  # type: ignore[assignment]
    return _left(network, lambda module: is_activation(module) and inplace and not hasattr(module, "inplace"))


def replace_activations(network: nn.Module, level: ActivationLevel) -> tuple[str, ...]:
    """Put one activation in the place of all, in place where those were.

    Dropout no longer overwrites its input: an activation that keeps its output for the backward pass, as
    ReLU does, bears none behind it that does (MobileNetV3 has one behind a Hardswish, which keeps its input).

    Returns:
        What was left as it was, a line a kind of layer.
    """

    def replaced(module: nn.Module) -> nn.Module | None:
        if not is_activation(module):
            return None
        made = _ACTIVATIONS[level]()
        if hasattr(made, "inplace"):
            made.inplace = bool(getattr(module, "inplace", False))  # type: ignore[assignment]
        return made

    _replace(network, replaced)
    for module in network.modules():
        if isinstance(module, _DropoutNd):
            module.inplace = False
    return ()


def replace_norms(network: nn.Module, level: NormLevel) -> tuple[str, ...]:
    """Put one normalisation in the place of all that normalise channels of (N, C, H, W).

    Scales and offsets stay as they are: some networks begin with a scale of 0 at the end of a branch.
    With `none` the convolutions before them keep what they have, most often no bias.

    Returns:
        What was left as it was, a line a kind of layer: LayerNorm over the last axis, for one.
    """

    def replaced(module: nn.Module) -> nn.Module | None:
        channels = _normalised_channels(module)
        if channels is None or _is_already(module, level):
            return None
        made = norm_factory(level)(channels)
        _keep_affine(module, made)
        # timm's have an activation in them.
        inside = [part for name in ("drop", "act") if (part := getattr(module, name, None)) is not None]
        return nn.Sequential(made, *inside) if inside else made

    _replace(network, replaced)
    return _left(network, _normalises_otherwise)


def replace_pools(network: nn.Module, level: PoolLevel) -> tuple[str, ...]:
    """Have every pooling with a window take the largest value, or the average.

    Returns:
        What was left as it was: a dilated window, which has no average.
    """

    def replaced(module: nn.Module) -> nn.Module | None:
        if not isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
            return None
        geometry = (module.kernel_size, module.stride, module.padding)
        if level == "max" and isinstance(module, nn.AvgPool2d):
            return nn.MaxPool2d(*geometry, ceil_mode=module.ceil_mode)
        if level == "average" and isinstance(module, nn.MaxPool2d) and module.dilation in (1, (1, 1)):
            return nn.AvgPool2d(*geometry, ceil_mode=module.ceil_mode)
        return None

    _replace(network, replaced)
    return _left(network, lambda module: level == "average" and isinstance(module, nn.MaxPool2d))


@torch.no_grad()
def set_in_channels(network: nn.Module, channels: int) -> None:
    """Have the first convolution read so many channels; its weights add up to what they did.

    Each of the new channels has the mean of the old ones' weights, scaled, as a grey image read as RGB has.

    Raises:
        ValueError: There is no convolution.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            if module.in_channels == channels:
                return
            if module.groups != 1:
                break
            weight = module.weight.sum(1, keepdim=True).expand(-1, channels, -1, -1) / channels
            module.in_channels, module.weight = channels, nn.Parameter(weight.clone())
            return
    raise ValueError(f"{type(network).__name__} has no convolution that could read {channels} channels")


def fold_batchnorms(network: nn.Module) -> nn.Module:
    """A copy for inference in which each BatchNorm is part of the convolution before it.

    Raises:
        ValueError: Its `forward` cannot be traced, so that nobody can tell what follows what.
    """
    try:
        return fuse(network.eval())
    except Exception as error:
        kind, reason = type(network).__name__, str(error).partition("\n")[0]
        raise ValueError(f"{kind}: BatchNorm cannot be folded: {reason}") from error


def unfolded(network: nn.Module) -> tuple[str, ...]:
    """What `fold_batchnorms` leaves as it is, a line a kind of layer: no convolution stands right before it.

    Raises:
        ValueError: As `fold_batchnorms`.
    """
    return _left(fold_batchnorms(network), lambda module: isinstance(module, _BatchNorm))


def is_activation(module: nn.Module) -> bool:
    """Whether a layer is an activation, by its class."""
    return type(module).__name__ in _ACTIVATION_NAMES


def _normalised_channels(module: nn.Module) -> int | None:
    """Channels of (N, C, H, W) that a module normalises; None where it does something else."""
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm3d):
        return None
    if isinstance(module, _BatchNorm):
        return module.num_features
    if isinstance(module, nn.GroupNorm):
        return module.num_channels
    if isinstance(module, FrozenBatchNorm2d):
        return int(module.weight.numel())
    if type(module).__name__ == "LayerNorm2d":
        (channels,) = module.normalized_shape  # type: ignore[misc]
        return int(channels)
    return None


def _normalises_otherwise(module: nn.Module) -> bool:
    is_norm = "Norm" in type(module).__name__ and not any(module.children())
    return is_norm and _normalised_channels(module) is None


@torch.no_grad()
def _keep_affine(module: nn.Module, successor: nn.Module) -> None:
    """Give a normalisation the scale and offset of that whose place it takes, and its device."""
    for name in ("weight", "bias"):
        own = getattr(module, name, None)
        if isinstance(own, torch.Tensor):
            successor.to(own.device)
            other = getattr(successor, name, None)
            if isinstance(other, torch.Tensor):
                other.copy_(own)


def _is_already(module: nn.Module, level: NormLevel) -> bool:
    kinds = {"batch": nn.BatchNorm2d, "group": nn.GroupNorm, "frozen": FrozenBatchNorm2d, "none": nn.Identity}
    return type(module) is kinds[level]


def _replace(network: nn.Module, replaced: Callable[[nn.Module], nn.Module | None]) -> None:
    """Exchange modules, each once: what shared a layer shares its successor."""
    done: dict[nn.Module, nn.Module | None] = {}
    for parent in list(network.modules()):
        for name, child in list(parent._modules.items()):
            if child is None:
                continue
            if child not in done:
                done[child] = replaced(child)
            made = done[child]
            if made is not None:
                setattr(parent, name, made.train(child.training))


def _left(network: nn.Module, which: Callable[[nn.Module], bool]) -> tuple[str, ...]:
    """`12 LayerNorm`, a line a kind."""
    kinds = Counter(type(module).__name__ for module in network.modules() if which(module))
    return tuple(f"{count} {kind}" for kind, count in sorted(kinds.items()))
