"""Changes that work on any module: they look for layers by what they are, and say what they left as it was.

None of them sees a function that a network calls itself (`torch.nn.functional.relu`).
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any, Literal

import torch
from torch import nn
from torch.fx.experimental.optimization import fuse
from torch.fx.proxy import TraceError
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary
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
        if _is_activation(module) and hasattr(module, "inplace"):
            module.inplace = inplace  # type: ignore[assignment]
    return _left(
        network, lambda module: _is_activation(module) and inplace and not hasattr(module, "inplace")
    )


def why_not_inplace(network: nn.Module, image: torch.Tensor) -> str | None:
    """Why a network cannot have its activations overwrite their input; None where it can.

    It cannot where something reads that input again afterwards, which is then another function, or needs it
    for the backward pass.

    Args:
        network: Every activation that can is in place; no number is computed on `meta`.
        image: (N, C, H, W), which the network can read, on its device.
    """
    watch = _Overwritten()
    hooks = [
        module.register_forward_hook(partial(watch.overwritten, name))
        for name, module in network.named_modules()
        if _is_activation(module) and getattr(module, "inplace", False)
    ]
    try:
        with watch:
            output = network(image)
        watch.look(output)
        if watch.read_again is None and output.requires_grad:
            output.sum().backward()
    except RuntimeError as error:
        if "inplace operation" not in str(error):
            raise
        return "the backward pass needs what an activation would overwrite"
    finally:
        for hook in hooks:
            hook.remove()
    return watch.read_again and f"what {watch.read_again} would overwrite is read again"


class _Overwritten(TorchDispatchMode):
    """Sees a tensor read that an activation has overwritten since it was made.

    In place, input and output are one tensor; the hook gives those who read the output another one of the
    same memory, so that whoever comes with the old one is known.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.read_again: str | None = None
        self._own = False
        self._clock = count()
        self._made = WeakIdKeyDictionary()
        self._changed: dict[int, tuple[int, str]] = {}

    def overwritten(
        self, name: str, _module: nn.Module, inputs: tuple[Any, ...], output: torch.Tensor
    ) -> torch.Tensor:
        """A forward hook: the output as a tensor of its own, made after the change."""
        self._changed[_memory(inputs[0])] = next(self._clock), name
        self._own = True
        try:
            return output.view_as(output)
        finally:
            self._own = False

    def look(self, read: Any) -> None:
        """Note whether any of these tensors is one from before its memory was overwritten."""
        for leaf in tree_leaves(read):
            if isinstance(leaf, torch.Tensor):
                when, name = self._changed.get(_memory(leaf), (-1, ""))
                if when > self._made.get(leaf, when):
                    self.read_again = self.read_again or name

    def __torch_dispatch__(
        self, func: Any, types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if not self._own:
            self.look((args, kwargs))
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor) and leaf not in self._made:
                self._made[leaf] = next(self._clock)
        return result


def _memory(tensor: torch.Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def replace_activations(network: nn.Module, level: ActivationLevel) -> tuple[str, ...]:
    """Put one activation in the place of all, in place where those were.

    Returns:
        What was left as it was, a line a kind of layer.
    """

    def replaced(module: nn.Module) -> nn.Module | None:
        if not _is_activation(module):
            return None
        made = _ACTIVATIONS[level]()
        if hasattr(made, "inplace"):
            made.inplace = bool(getattr(module, "inplace", False))  # type: ignore[assignment]
        return made

    _replace(network, replaced)
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
        ValueError: Its `forward` decides by values, so that nobody can tell what follows what.
    """
    try:
        return fuse(network.eval())
    except TraceError as error:
        kind = type(network).__name__
        raise ValueError(f"{kind}: BatchNorm cannot be folded: {error}") from error


def _is_activation(module: nn.Module) -> bool:
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
