"""Which operators a backend runs as a composition of others, as PyTorch's dispatcher has it.

An operator may have a composite kernel, made of other operators, and on some backends one of its own beside
it: `silu_backward` is one kernel on CPU and CUDA, `native_channel_shuffle` on the CPU alone, the fused RMS
norm on CUDA alone. What a backend runs as one kernel allocates its results only, whatever the composition
would. Tensors without data have a backend of their own, with kernels of its own, and would go by those; so
that a simulation sees what the target would run, the target's are known to it while it lasts.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial
from typing import Any

import torch
from torch._C import DispatchKey

from runners.memory.settings import Target

CUDA_KERNELS = frozenset({"aten::_fused_rms_norm", "aten::mish_backward", "aten::silu_backward"})
"""Composite operators for which CUDA has kernels of its own: what a build of PyTorch without CUDA, which
knows nothing of them, goes by."""

_COMPOSITE = "CompositeImplicitAutograd"
_WHOLE = ("CompositeExplicitAutograd", "CompositeExplicitAutogradNonFunctional")
"""Keys of kernels that serve every backend; unlike composite ones they run below autograd, unseen inside."""


def backend(device: torch.device, target: Target | None = None) -> str:
    """The dispatch key of a device's kernels; of the target's, if one is given, for tensors without data."""
    return _key(target if target is not None and device.type == "meta" else device.type)


@cache
def composite(name: str, key: str) -> bool:
    """Whether a backend runs an operator as its parts.

    Args:
        name: With its namespace and overload, e.g. `aten::silu_backward` or `aten::add.Tensor`.
        key: The backend's dispatch key, `CPU` or `CUDA`.
    """
    return _has(name, _COMPOSITE) and not any(_has(name, own) for own in (key, *_WHOLE))


def run_parts(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run an operator by its composite kernel.

    PyTorch's own: not its decompositions in Python (`func.decompose()`), which have other parts.
    """
    return func._op_dk(DispatchKey.CompositeImplicitAutograd, *args, **kwargs)


@contextmanager
def kernels(key: str, functions: Mapping[Any, Callable[..., Any]]) -> Iterator[None]:
    """Kernels of ours while the context lasts.

    Not by `torch.library`, which takes one that stands in for a composition without data for a mistake.

    Args:
        key: The dispatch key to register them for.
        functions: By operator of the namespace `aten`.
    """
    library = torch._C._dispatch_library("IMPL", "aten", key, __file__, 0)
    try:
        for func, function in functions.items():
            library.impl(func.name().removeprefix("aten::"), key, function)
        yield
    finally:
        library.reset()


def kernels_of(key: str) -> AbstractContextManager[None]:
    """Let tensors without data go whole through operators for which the backend has its own kernel.

    For their results the parts are run, below whoever follows the step.
    """
    operators = [_operator(name) for name in _unknown_to_meta(key)]
    return kernels("Meta", {func: partial(_by_parts, func) for func in operators})


@cache
def _unknown_to_meta(key: str) -> tuple[str, ...]:
    """Operators that the backend runs whole and tensors without data would not."""
    names = torch._C._dispatch_get_registrations_for_dispatch_key(_COMPOSITE)
    return tuple(
        name
        for name in sorted(names)
        if name.startswith("aten::") and composite(name, "Meta") and not composite(name, key)
    )


def _by_parts(func: Any, *args: Any, **kwargs: Any) -> Any:
    return run_parts(func, args, kwargs)


def _has(name: str, key: str) -> bool:
    if key == "CUDA" and not _knows_cuda():
        return name in CUDA_KERNELS
    found: bool = torch._C._dispatch_has_kernel_for_dispatch_key(name, key)
    return found


@cache
def _knows_cuda() -> bool:
    """Whether this build of PyTorch has CUDA's kernels, with or without a device to run them."""
    found: bool = torch._C._dispatch_has_kernel_for_dispatch_key("aten::relu", "CUDA")
    return found


def _key(device_type: str) -> str:
    key: str = torch._C._dispatch_key_for_device(device_type)
    return key


def _operator(name: str) -> Any:
    packet, _, overload = name.removeprefix("aten::").partition(".")
    return getattr(getattr(torch.ops.aten, packet), overload or "default")
