"""Shape rules of the norms: see `rules`."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch._prims_common import suggest_memory_format

from runners.memory.settings import Target

_aten = torch.ops.aten
_Three = tuple[Tensor | None, Tensor | None, Tensor | None]


def norm_rules(target: Target) -> dict[object, Callable[..., Any]]:
    """Rules by operator, as the target's kernels behave."""
    return {
        _aten.native_batch_norm.default: partial(_batch_norm, target),
        _aten.native_batch_norm_backward.default: partial(_batch_norm_backward, target),
        _aten.native_group_norm.default: partial(_group_norm, target),
        _aten.native_group_norm_backward.default: partial(_group_norm_backward, target),
        _aten.native_layer_norm.default: partial(_layer_norm, target),
        _aten.native_layer_norm_backward.default: _layer_norm_backward,
    }


def _batch_norm(
    target: Target,
    images: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    *_: float,
) -> _Three:
    on_cpu = _kept_on_cpu(images, weight, bias, running_mean, running_var)
    kept = on_cpu if target == "cpu" else torch.float32
    channels = images.shape[1] if training else 0
    return (
        torch.empty_like(images, memory_format=_batch_norm_layout(target, images)),
        images.new_empty(channels, dtype=kept),
        images.new_empty(channels, dtype=kept),
    )


def _batch_norm_backward(
    target: Target, gradient: Tensor, images: Tensor, weight: Tensor | None, *rest: Any
) -> _Three:
    alike = suggest_memory_format(gradient) == suggest_memory_format(images)
    layout = _batch_norm_layout(target, images) if alike else suggest_memory_format(images)
    return _gradients(images, weight, rest[-1], layout)


def _batch_norm_layout(target: Target, images: Tensor) -> torch.memory_format:
    """On the CPU, maps of one pixel or channel, contiguous either way, end up in plain order."""
    if target == "cpu" and images.is_contiguous():
        return torch.contiguous_format
    return suggest_memory_format(images)


def _group_norm(
    target: Target,
    images: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,  # noqa: ARG001
    batch: int,
    *sizes: float,
) -> _Three:
    kept = images.dtype if weight is None else weight.dtype
    layout = suggest_memory_format(images) if target == "cpu" else torch.contiguous_format
    groups = int(sizes[-2])
    return (
        torch.empty_like(images, memory_format=layout),
        images.new_empty((batch, groups), dtype=kept),
        images.new_empty((batch, groups), dtype=kept),
    )


def _group_norm_backward(
    target: Target,
    _: Tensor,
    images: Tensor,
    mean: Tensor,  # noqa: ARG001
    deviation: Tensor,  # noqa: ARG001
    weight: Tensor | None,
    *rest: Any,
) -> _Three:
    layout = suggest_memory_format(images) if target == "cpu" else torch.contiguous_format
    return _gradients(images, weight, rest[-1], layout)


def _layer_norm(
    target: Target, images: Tensor, shape: list[int], weight: Tensor | None, bias: Tensor | None, *_: float
) -> _Three | None:
    if target != "cpu":
        return None
    kept = _kept_on_cpu(images, weight, bias)
    statistics = images.shape[: images.dim() - len(shape)] + (1,) * len(shape)
    return (
        torch.empty_like(images, memory_format=torch.contiguous_format),
        images.new_empty(statistics, dtype=kept),
        images.new_empty(statistics, dtype=kept),
    )


def _layer_norm_backward(
    _: Tensor,
    images: Tensor,
    shape: list[int],  # noqa: ARG001
    mean: Tensor,  # noqa: ARG001
    deviation: Tensor,  # noqa: ARG001
    weight: Tensor | None,
    bias: Tensor | None,
    wanted: list[bool],
) -> _Three:
    return (
        torch.empty_like(images, memory_format=torch.contiguous_format) if wanted[0] else None,
        None if weight is None or not wanted[1] else torch.empty_like(weight),
        None if bias is None or not wanted[2] else torch.empty_like(bias),
    )


def _kept_on_cpu(images: Tensor, *given: Tensor | None) -> torch.dtype:
    """The type in which the CPU keeps statistics: of whatever comes with the images, or theirs."""
    return next((tensor.dtype for tensor in given if tensor is not None), images.dtype)


def _gradients(
    images: Tensor, weight: Tensor | None, wanted: list[bool], layout: torch.memory_format
) -> _Three:
    kept = images.dtype if weight is None else weight.dtype
    channels = images.shape[1]
    return (
        torch.empty_like(images, memory_format=layout) if wanted[0] else None,
        images.new_empty(channels, dtype=kept) if wanted[1] else None,
        images.new_empty(channels, dtype=kept) if wanted[2] else None,
    )
