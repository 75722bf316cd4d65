"""From a variant to a network, with weights drawn by (seed, parameter's name)."""

import math

import torch
from torch import nn
from torchvision.ops.misc import FrozenBatchNorm2d

from ablations import registry
from ablations.seeds import stream_seed
from ablations.variant import Variant

_NORMALISATIONS = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm, FrozenBatchNorm2d)


def build(variant: Variant | str, *, seed: int = 0, device: torch.device | str = "cpu") -> nn.Module:
    """Build a variant, in training mode.

    Args:
        variant: A variant or its specification.
        seed: The weights are a function of it and of each parameter's name, whatever the device.
        device: Where the parameters lie; on `meta` nothing is allocated and nothing drawn.

    Raises:
        ValueError: The specification is wrong, or a module has no rule to draw its weights by.
    """
    if isinstance(variant, str):
        variant = registry.variant(variant)
    construct = registry.get(variant.architecture).construct
    if torch.device(device).type == "meta":
        with torch.device("meta"):
            return construct(**dict(variant.levels))
    with torch.random.fork_rng(devices=[]):  # whatever the constructor draws leaves no trace
        torch.default_generator.manual_seed(stream_seed(seed, "constructor"))
        network = construct(**dict(variant.levels))
    initialise(network, seed)
    return network.to(device)


def initialise(network: nn.Module, seed: int) -> None:
    """Draw every parameter anew from (seed, its name), so that one more layer leaves all others as they were.

    Convolutions: normal with variance 2 / fan-out (He et al. 2015, as torchvision's ResNet), biases 0.
    Linear layers: PyTorch's own default, uniform within 1 / sqrt(fan-in), weights and biases.
    Normalisations: scale 1, offset 0. A module's `initial_gain`, where it has one, multiplies its weight.
    Other modules: their own `reset_parameters`, seeded by (seed, module's name). A network that has
    `own_initialisation` keeps what its constructor drew, which `build` seeds.

    Raises:
        ValueError: A module with parameters that none of these covers.
    """
    if getattr(network, "own_initialisation", False):
        return
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            _draw(module, name, seed)
        elif isinstance(module, _NORMALISATIONS):
            continue  # made with scale 1 and offset 0, which are no draws
        elif next(module.parameters(recurse=False), None) is not None:
            reset = getattr(module, "reset_parameters", None)
            if reset is None:
                kind = type(module).__name__
                raise ValueError(f"module {name!r} ({kind}) has parameters but no reset_parameters()")
            with torch.random.fork_rng(devices=[]):
                # Not torch.manual_seed: it would seed accelerators too, which are not restored here.
                torch.default_generator.manual_seed(stream_seed(seed, name))
                reset()


@torch.no_grad()
def _draw(module: nn.Conv2d | nn.Linear, name: str, seed: int) -> None:
    def generator(parameter: str) -> torch.Generator:
        return torch.Generator().manual_seed(stream_seed(seed, f"{name}.{parameter}"))

    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(
            module.weight, mode="fan_out", nonlinearity="relu", generator=generator("weight")
        )
        if module.bias is not None:
            module.bias.zero_()
    else:
        bound = 1 / math.sqrt(module.in_features)
        module.weight.uniform_(-bound, bound, generator=generator("weight"))
        if module.bias is not None:
            module.bias.uniform_(-bound, bound, generator=generator("bias"))
    gain = getattr(module, "initial_gain", None)
    if gain is not None:
        module.weight.mul_(gain)
