"""Gradients that meet: what autograd does unobserved, done again under observation.

Where two branches of a network join backward, autograd adds their gradients, in place if nobody else
holds the first one (`can_accumulate_inplace` in PyTorch's torch/csrc/autograd/input_buffer.cpp). Under
any dispatch mode it never does, since it takes every tensor for one of a subclass: a tensor as large as
the activation more than in a run that nobody observes. The functions here restore the unobserved choice.
"""

import sys
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_ADD = torch.ops.aten.add.Tensor
_ADD_IN_PLACE = torch.ops.aten.add_.Tensor


def in_place_sum(func: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The in-place operator that autograd would have run unobserved, or None for it to stay as it is.

    Only to be asked in a backward pass. The addition is autograd's own if it runs without gradients
    being recorded and nothing but autograd holds the first summand: its tensor and its memory.
    """
    if func is not _ADD or kwargs or len(args) != 2 or torch.is_grad_enabled():
        return None
    if not all(isinstance(summand, Tensor) for summand in args):
        return None
    if args[0].shape != args[1].shape or args[0].dtype != args[1].dtype:
        return None
    if not solely_held(args):
        return None
    return _ADD_IN_PLACE if torch.ops.aten.is_non_overlapping_and_dense(args[0]) else None


def solely_held(args: tuple[Any, ...]) -> bool:
    """Whether nothing but PyTorch's code at work holds the first of an operator's arguments and its memory.

    Args:
        args: As a dispatch mode gets them; the caller must have no name for the tensor itself.
    """
    return all(count <= sole for count, sole in zip(_references(args), sole_references(), strict=True))


def _references(args: tuple[Any, ...]) -> tuple[int, int, int]:
    """To the first argument: from C++, to its memory, and from Python."""
    uses: int = args[0]._use_count()
    return uses, torch._C._storage_Use_Count(args[0].untyped_storage()._cdata), sys.getrefcount(args[0])


@cache
def sole_references() -> tuple[int, int, int]:
    """What a dispatch mode counts on a gradient that only autograd holds.

    Counted on the smallest network whose gradients meet, for the numbers are PyTorch's own affair.
    """
    counted: list[tuple[int, int, int]] = []

    class Count(TorchDispatchMode):
        def __torch_dispatch__(
            self,
            func: Any,
            types: Any,
            args: tuple[Any, ...] = (),
            kwargs: Any = None,
        ) -> Any:
            if func is _ADD:
                counted.append(_references(args))
            return func(*args, **(kwargs or {}))

    with torch.inference_mode(mode=False), torch.enable_grad():
        leaf = torch.ones(2, device="meta", requires_grad=True)
        joint = leaf.clone()
        total = joint.sin().mul_(joint.cos()).sum()
        with Count():  # type: ignore[no-untyped-call]
            total.backward()
    assert len(counted) == 1
    return counted[0]
