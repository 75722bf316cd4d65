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
    """Counts operators as they run, and keeps their names and shapes."""

    macs: int = 0
    norm_operations: int = 0
    activations: int = 0
    trace: list[str] = field(default_factory=list)

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
        outputs = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        inputs = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        shapes = [[tuple(tensor.shape) for tensor in tensors] for tensors in (inputs, outputs)]
        self.trace.append(f"{func}{shapes}")
        if func is _aten.convolution.default:
            image, weight, transposed = args[0], args[1], args[6]
            # A convolution reads one weight[0] (in channels / groups x rows x columns) per output element;
            # a transposed one writes one (out channels / groups x rows x columns) per input element.
            self.macs += (image if transposed else outputs[0]).numel() * math.prod(weight.shape[1:])
            self.activations += outputs[0].numel()
        elif func in (_aten.addmm.default, _aten.mm.default, _aten.bmm.default):
            left = args[1] if func is _aten.addmm.default else args[0]
            self.macs += outputs[0].numel() * left.shape[-1]
            self.activations += outputs[0].numel()
        elif func in _BATCH_NORMS:
            self.norm_operations += 2 * outputs[0].numel()
        elif func is _aten.native_group_norm.default:
            self.norm_operations += 5 * outputs[0].numel()
        return result


def complexity(network: nn.Module, image_size: int, in_channels: int = 3) -> Complexity:
    """Observe one image of (in_channels, image_size, image_size) passing through a network on `meta`.

    Raises:
        ValueError: The network cannot hold an image of that size.
    """
    counts, output = _observe(network, torch.empty(1, in_channels, image_size, image_size, device="meta"))
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
            counts, output = _observe(network, image, training=training)
        digest.update("\n".join(counts.trace).encode())
        digest.update(output.numpy().tobytes())
    return digest.hexdigest()


def _observe(network: nn.Module, image: Tensor, *, training: bool = False) -> tuple[_Counts, Tensor]:
    counts = _Counts()
    was_training = network.training
    network.train(training)
    try:
        with torch.no_grad(), counts:
            output: Tensor = network(image)
    except RuntimeError as error:
        size = image.shape[-1]
        reason = str(error).partition("\n")[0]
        raise ValueError(f"an image of {size} px does not fit through the network: {reason}") from error
    finally:
        network.train(was_training)
    return counts, output
