"""Shape rules for BatchNorm in place of PyTorch's own, which differ from the kernels and take milliseconds.

PyTorch's rule for tensors without data gives statistics where the kernel returns empty ones (evaluation),
a gradient that was not asked for, and float32 where the CPU's kernel keeps the parameters' type. Each
rule here covers dense 4-d inputs and returns None otherwise, for PyTorch's rule to be asked.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from runners.memory.settings import Target

Rule = Callable[..., Any]


def batch_norm_rules(target: Target) -> dict[object, Rule]:
    """Rules by operator, as the target's kernels behave."""

    def forward(
        images: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,  # noqa: ARG001
        running_mean: Tensor | None,  # noqa: ARG001
        running_var: Tensor | None,  # noqa: ARG001
        training: bool,
        *_: float,
    ) -> tuple[Tensor, Tensor, Tensor] | None:
        if not _is_plain(images):
            return None
        on_cpu = images.dtype if weight is None else weight.dtype
        kept = on_cpu if target == "cpu" else torch.float32
        channels = images.shape[1] if training else 0
        return (
            torch.empty_like(images),
            images.new_empty(channels, dtype=kept),
            images.new_empty(channels, dtype=kept),
        )

    def backward(
        gradient: Tensor,
        images: Tensor,
        weight: Tensor | None,
        *rest: Any,
    ) -> tuple[Tensor | None, ...] | None:
        if not (_is_plain(images) and _is_plain(gradient)):
            return None
        wanted = rest[-1]
        kept = images.dtype if weight is None else weight.dtype
        channels = images.shape[1]
        return (
            torch.empty_like(images) if wanted[0] else None,
            images.new_empty(channels, dtype=kept) if wanted[1] else None,
            images.new_empty(channels, dtype=kept) if wanted[2] else None,
        )

    aten = torch.ops.aten
    return {aten.native_batch_norm.default: forward, aten.native_batch_norm_backward.default: backward}


def _is_plain(tensor: Tensor) -> bool:
    return tensor.dim() == 4 and tensor.is_contiguous()
