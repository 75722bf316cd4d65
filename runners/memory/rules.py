"""Shape rules in place of PyTorch's own where those differ from the kernels, or take milliseconds.

For tensors without data, PyTorch's rules give BatchNorm statistics where the kernel returns empty ones
(evaluation), a gradient that was not asked for, float32 where the CPU's kernel keeps the parameters'
type, and forget the channels-last layout of convolutions, of GroupNorm and of some gradients.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch._prims_common import suggest_memory_format

from runners.memory.settings import Target

Rule = Callable[..., Any]

_aten = torch.ops.aten


def kernel_rules(target: Target) -> dict[object, Rule]:
    """Rules by operator, as the target's kernels behave; one that returns None leaves it to PyTorch's."""

    def batch_norm(
        images: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,  # noqa: ARG001
        running_mean: Tensor | None,  # noqa: ARG001
        running_var: Tensor | None,  # noqa: ARG001
        training: bool,
        *_: float,
    ) -> tuple[Tensor, Tensor, Tensor]:
        on_cpu = images.dtype if weight is None else weight.dtype
        kept = on_cpu if target == "cpu" else torch.float32
        channels = images.shape[1] if training else 0
        return (
            torch.empty_like(images, memory_format=batch_norm_layout(images)),
            images.new_empty(channels, dtype=kept),
            images.new_empty(channels, dtype=kept),
        )

    def group_norm(
        images: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,  # noqa: ARG001
        batch: int,
        *sizes: float,
    ) -> tuple[Tensor, Tensor, Tensor]:
        kept = images.dtype if weight is None else weight.dtype
        groups = int(sizes[-2])
        return (
            _like(images)
            if target == "cpu"
            else torch.empty_like(images, memory_format=torch.contiguous_format),
            images.new_empty((batch, groups), dtype=kept),
            images.new_empty((batch, groups), dtype=kept),
        )

    def batch_norm_backward(gradient: Tensor, images: Tensor, weight: Tensor | None, *rest: Any) -> Any:
        alike = suggest_memory_format(gradient) == suggest_memory_format(images)
        layout = batch_norm_layout(images) if alike else suggest_memory_format(images)
        return _norm_backward(images, weight, rest[-1], layout)

    def batch_norm_layout(images: Tensor) -> torch.memory_format:
        """On the CPU, maps of one pixel or channel, contiguous either way, end up in plain order."""
        if target == "cpu" and images.is_contiguous():
            return torch.contiguous_format
        return suggest_memory_format(images)

    def group_norm_backward(
        _: Tensor,
        images: Tensor,
        mean: Tensor,  # noqa: ARG001
        deviation: Tensor,  # noqa: ARG001
        weight: Tensor | None,
        *rest: Any,
    ) -> Any:
        layout = suggest_memory_format(images) if target == "cpu" else torch.contiguous_format
        return _norm_backward(images, weight, rest[-1], layout)

    rules: dict[object, Rule] = {
        _aten.convolution.default: _convolution,
        _aten.native_batch_norm.default: batch_norm,
        _aten.native_batch_norm_backward.default: batch_norm_backward,
        _aten.native_group_norm.default: group_norm,
        _aten.native_group_norm_backward.default: group_norm_backward,
    }
    return rules


def _convolution(images: Tensor, weight: Tensor, *args: Any) -> Tensor | None:
    """Channels last if the images or the weight are (oneDNN and cuDNN alike)."""
    if not any(suggest_memory_format(t) == torch.channels_last for t in (images, weight)):
        return None
    result: Tensor = _aten.convolution.default(images, weight, *args)
    if result.dim() != 4:
        return None
    return torch.empty_like(result, memory_format=torch.channels_last)  # maps of one pixel included


def _norm_backward(
    images: Tensor, weight: Tensor | None, wanted: list[bool], layout: torch.memory_format
) -> Any:
    kept = images.dtype if weight is None else weight.dtype
    channels = images.shape[1]
    return (
        torch.empty_like(images, memory_format=layout) if wanted[0] else None,
        images.new_empty(channels, dtype=kept) if wanted[1] else None,
        images.new_empty(channels, dtype=kept) if wanted[2] else None,
    )


def _like(images: Tensor) -> Tensor:
    return torch.empty_like(images, memory_format=suggest_memory_format(images))
