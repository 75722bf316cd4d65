"""Parameters, multiply-accumulates and activations, observed on the operators that run, never declared."""

import copy
import hashlib
import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_aten = torch.ops.aten
_BATCH_NORMS = {
    _aten.native_batch_norm.default,
    _aten.cudnn_batch_norm.default,
    _aten._native_batch_norm_legit_no_training.default,
    _aten._native_batch_norm_legit.default,
}


@dataclass(frozen=True, slots=True)
class Complexity:
    """What one forward pass in evaluation costs, for a single image.

    Attributes:
        parameters: Elements of all parameters.
        macs: Multiply-accumulates of convolutions and linear layers (torchvision's convention).
        macs_with_norm: With 2 per element of a BatchNorm and 5 per element of a GroupNorm
            (fvcore's rule, as in timm's tables).
        activations: Elements put out by convolutions and linear layers (timm's Macts).
        output_shape: Shape of the output for the one image.
    """

    parameters: int
    macs: int
    macs_with_norm: int
    activations: int
    output_shape: tuple[int, ...]


@dataclass
class _Counts(TorchDispatchMode):
    """Counts operators as they run."""

    macs: int = 0
    norm_operations: int = 0
    activations: int = 0

    def __post_init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(
        self,
        func: Any,
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func is _aten.convolution.default:
            image, weight, transposed = args[0], args[1], args[6]
            # A convolution reads one weight[0] (in channels / groups x rows x columns) per output element;
            # a transposed one writes one (out channels / groups x rows x columns) per input element.
            self.macs += (image if transposed else result).numel() * math.prod(weight.shape[1:])
            self.activations += result.numel()
        elif func in (_aten.addmm.default, _aten.mm.default, _aten.bmm.default):
            left = args[1] if func is _aten.addmm.default else args[0]
            self.macs += result.numel() * left.shape[-1]
            self.activations += result.numel()
        elif func in _BATCH_NORMS:
            self.norm_operations += 2 * result[0].numel()
        elif func is _aten.native_group_norm.default:
            self.norm_operations += 5 * result[0].numel()
        return result


@dataclass
class _Trace(TorchDispatchMode):
    """Keeps the names of operators as they run, and the shapes of what they read and give.

    Attributes:
        whole: Whether the arguments that are no tensors are kept too.
        lines: What was kept, one an operator.
    """

    whole: bool = False
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(
        self,
        func: Any,
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        shapes = [
            [tuple(leaf.shape) for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]
            for tree in ((args, kwargs), result)
        ]
        told = [leaf for leaf in tree_leaves((args, kwargs)) if not isinstance(leaf, Tensor)]
        self.lines.append(f"{func}{shapes}{told if self.whole else ''}")
        return result


def complexity(network: nn.Module, image_size: int, in_channels: int = 3) -> Complexity:
    """Observe one image of (in_channels, image_size, image_size) passing through a network on `meta`.

    Raises:
        ValueError: The network cannot hold an image of that size.
    """
    counts = _Counts()
    output = _pass_through(
        network, torch.empty(1, in_channels, image_size, image_size, device="meta"), counts
    )
    return Complexity(
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        macs=counts.macs,
        macs_with_norm=counts.macs + counts.norm_operations,
        activations=counts.activations,
        output_shape=tuple(output.shape),
    )


def fingerprint(network: nn.Module, image_size: int, in_channels: int = 3) -> str:
    """A digest of operators, shapes and outputs on two fixed images: equal where a factor is inert.

    Both in evaluation and in training, since a layer may act in one of them only.

    Args:
        network: On the CPU, weights drawn from a fixed seed.
        image_size: Height and width in pixels.
        in_channels: Channels of the image.
    """
    image = torch.rand(2, in_channels, image_size, image_size, generator=torch.Generator().manual_seed(0))
    network = copy.deepcopy(network)  # a pass in training moves running statistics
    digest = hashlib.sha256()
    for training in (False, True):
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            trace = _Trace()
            output = _pass_through(network, image, trace, training=training)
        digest.update("\n".join(trace.lines).encode())
        for leaf in tree_leaves(output):  # an auxiliary head's among them
            if isinstance(leaf, Tensor):
                digest.update(leaf.numpy().tobytes())
    return digest.hexdigest()


def description(network: nn.Module, image_size: int, in_channels: int = 3) -> str:
    """A digest as `fingerprint` gives, of what runs on which parameters, without any number computed.

    Equal only where a factor leaves operators, their arguments and all parameters as they are: what changes
    an argument and yet nothing else is not seen.

    Args:
        network: On `meta`.
        image_size: Height and width in pixels.
        in_channels: Channels of the image.
    """
    image = torch.empty(2, in_channels, image_size, image_size, device="meta")
    digest = hashlib.sha256()
    for training in (False, True):
        trace = _Trace(whole=True)
        _pass_through(network, image, trace, training=training)
        digest.update("\n".join(trace.lines).encode())
    shapes = {name: tuple(value.shape) for name, value in network.named_parameters()}
    digest.update(repr(shapes).encode())
    return digest.hexdigest()


def _pass_through(
    network: nn.Module, image: Tensor, observer: TorchDispatchMode, *, training: bool = False
) -> Any:
    was_training = network.training
    network.train(training)
    try:
        with torch.no_grad(), observer:
            output = network(image)
    except RuntimeError as error:
        size = image.shape[-1]
        reason = str(error).partition("\n")[0]
        raise ValueError(f"an image of {size} px does not fit through the network: {reason}") from error
    finally:
        network.train(was_training)
    return output
