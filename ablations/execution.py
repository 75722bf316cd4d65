"""How a network is run: factors that every architecture has, beside those of its constructor.

`resnet:depth=50,checkpointing=true` builds the same network as `resnet:depth=50`; what measures it runs it
otherwise. The names are those of the keys that a workload has for all of its arms.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, Any, Literal

from ablations.factor import EQUIVALENT, RESOURCE_ONLY, Level
from ablations.signature import factors_of

WORKLOAD = "workload"
"""The level that leaves it to the workload."""


def _run(
    *,
    precision: Annotated[Literal["workload", "fp32", "bf16-autocast", "bf16"], RESOURCE_ONLY] = "workload",
    channels_last: Annotated[Literal["workload", "false", "true"], RESOURCE_ONLY] = "workload",
    checkpointing: Annotated[Literal["workload", "false", "true"], EQUIVALENT] = "workload",
    fold_batchnorm: Annotated[Literal["workload", "false", "true"], RESOURCE_ONLY] = "workload",
) -> None:
    """How a network is run.

    Args:
        precision: bf16-autocast computes the forward pass and the loss under autocast, bf16 holds weights,
            gradients and images in bfloat16; workload is what the workload says.
        channels_last: Weights and images in NHWC memory format.
        checkpointing: Whether the blocks of stages keep their input only and compute the rest again in the
            backward pass (T. Chen et al. 2016).
        fold_batchnorm: Whether each BatchNorm is folded into the convolution before it, in inference.
    """


FACTORS = factors_of(_run)
NAMES = frozenset(factor.name for factor in FACTORS)
"""Keys of workloads, where they have them."""


def asked(levels: Mapping[str, Level]) -> dict[str, Level]:
    """What a variant says of how it is run, by key of a workload."""
    return {name: level for name, level in levels.items() if name in NAMES and level != WORKLOAD}


def building(construct: Callable[..., Any]) -> Callable[..., Any]:
    """A constructor that is told the levels of these factors, too, and does without.

    Raises:
        ValueError: An argument has the name of one of these factors.
    """
    own = factors_of(construct)
    if taken := next((factor.name for factor in own if factor.name in NAMES), None):
        raise ValueError(f"argument {taken!r}: every architecture has a factor of that name; rename it")

    @wraps(construct)
    def build(**levels: Level) -> Any:
        return construct(**{name: level for name, level in levels.items() if name not in NAMES})

    return build
