"""Shape rules in place of PyTorch's own where those differ from the kernels, or take milliseconds.

For tensors without data, PyTorch's rules give BatchNorm statistics where the kernel returns empty ones
(evaluation), a gradient that was not asked for, float32 where the CPU's kernel keeps the parameters'
type, and forget the channels-last layout of convolutions, of GroupNorm and of some gradients, or keep one
that a kernel does not.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch._prims_common import suggest_memory_format

from runners.memory.layouts import layout_rules
from runners.memory.norms import norm_rules
from runners.memory.settings import Target

Rule = Callable[..., Any]

_aten = torch.ops.aten


def kernel_rules(target: Target) -> dict[object, Rule]:
    """Rules by operator, as the target's kernels behave; one that returns None leaves it to PyTorch's."""
    return {_aten.convolution.default: _convolution} | norm_rules(target) | layout_rules(target)


def _convolution(images: Tensor, weight: Tensor, *args: Any) -> Tensor | None:
    """Channels last if the images or the weight are (oneDNN and cuDNN alike)."""
    if not any(suggest_memory_format(t) == torch.channels_last for t in (images, weight)):
        return None
    result: Tensor = _aten.convolution.default(images, weight, *args)
    if result.dim() != 4:
        return None
    return torch.empty_like(result, memory_format=torch.channels_last)  # maps of one pixel included
