"""Rules for the layout of results where PyTorch's for tensors without data are off: see `rules`.

They matter for what follows: an operator copies images that come in another order than it likes.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch._prims_common import suggest_memory_format

from runners.memory.settings import Target

_aten = torch.ops.aten

_ITERATED = {
    _aten.elu_backward.default: (0, 5),
    _aten.hardsigmoid_backward.default: (0, 1),
    _aten.hardswish_backward.default: (0, 1),
    _aten.hardtanh_backward.default: (0, 1),
    _aten.mish_backward.default: (0, 1),
    _aten.rrelu_with_noise_backward.default: (2, 0),
    _aten.softplus_backward.default: (0, 1),
}
"""Elementwise operators whose rule goes by the wrong operand; positions of the operands, in order."""
_PLAIN = (
    _aten._log_softmax.default,
    _aten._log_softmax_backward_data.default,
    _aten._softmax.default,
    _aten._softmax_backward_data.default,
)
_PLAIN_ON_CPU = (
    _aten.glu_backward.default,
    _aten.log_sigmoid_forward.default,
    _aten.rrelu_with_noise.default,
)
_LIKE_IMAGES_ON_CPU = {
    _aten.channel_shuffle.default: 0,
    _aten.pixel_shuffle.default: 0,
    _aten.reflection_pad2d.default: 0,
    _aten.reflection_pad2d_backward.default: 1,
    _aten.replication_pad2d.default: 0,
    _aten.replication_pad2d_backward.default: 1,
    _aten.upsample_bicubic2d.default: 0,
    _aten.upsample_bilinear2d.default: 0,
}
"""Operators that go by the order of the images; the images' position."""


def layout_rules(target: Target) -> dict[object, Callable[..., Any]]:
    """Rules by operator, as the target's kernels lay results out."""
    rules: dict[object, Callable[..., Any]] = {
        func: partial(_iterated, positions) for func, positions in _ITERATED.items()
    }
    rules |= {func: partial(_plain, func) for func in _PLAIN}
    rules[_aten.log_sigmoid_backward.default] = _like_gradient
    for func in (_aten.col2im.default, _aten.im2col.default):
        rules[func] = partial(_folded, func)
    if target == "cpu":
        rules |= {func: partial(_plain, func) for func in _PLAIN_ON_CPU}
        rules[_aten.roll.default] = _rolled_on_cpu
        rules |= {func: partial(_like_images, func, i) for func, i in _LIKE_IMAGES_ON_CPU.items()}
    else:
        rules[_aten.log_sigmoid_forward.default] = _log_sigmoid_on_cuda
    return rules


def _iterated(positions: tuple[int, ...], *args: Any) -> Tensor:
    """Laid out as a sum of the operands is, the first before the others."""
    first: Tensor
    second: Tensor
    first, second = (args[position] for position in positions)
    if first.is_contiguous() and second.is_contiguous():
        return torch.empty_like(first, memory_format=torch.contiguous_format)
    return first + second


def _plain(func: Any, *args: Any) -> Any:
    result = func(*args)
    if isinstance(result, Tensor):
        return torch.empty_like(result, memory_format=torch.contiguous_format)
    return tuple(torch.empty_like(item, memory_format=torch.contiguous_format) for item in result)


def _like_images(func: Any, position: int, *args: Any) -> Tensor:
    return torch.empty_like(func(*args), memory_format=suggest_memory_format(args[position]))


def _like_gradient(gradient: Tensor, *_: Any) -> Tensor:
    return torch.empty_like(gradient)


def _rolled_on_cpu(images: Tensor, shifts: Sequence[int], dims: Sequence[int] = ()) -> Tensor | None:
    """Cut in two and put together."""
    if len(shifts) != 1 or len(dims) != 1 or not images.numel():
        return None
    size = images.shape[dims[0]]
    start = -shifts[0] % size
    halves = images.narrow(dims[0], start, size - start), images.narrow(dims[0], 0, start)
    return torch.cat(halves, dims[0])


def _folded(func: Any, images: Tensor, *args: Any) -> Tensor:
    """In memory that was made for a result as large as the images, if it is smaller."""
    result: Tensor = func(images, *args)
    if result.numel() >= images.numel():
        return result
    return result.new_empty(images.numel()).as_strided(result.shape, result.stride())


def _log_sigmoid_on_cuda(images: Tensor) -> tuple[Tensor, Tensor]:
    """Without the buffer that only the CPU's kernel keeps."""
    return torch.empty_like(images), images.new_empty(0)
