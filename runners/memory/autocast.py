"""Mixed precision for tensors without data.

Autocast knows an operator's tensors by their device, and leaves alone those that are on none. So that a
simulation casts where CPU or CUDA would, the operators' policies are stated here once more and put where
PyTorch keeps its own: in the dispatcher, above autograd, under the key of a backend that is not there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, Literal

import torch
from torch import Tensor

from runners.memory.nested import tensors_in
from runners.memory.settings import Target

Policy = Literal["lower", "float32", "float32_result", "widest"]

_OUR_KEY: dict[Target, str] = {"cuda": "AutocastPrivateUse1", "cpu": "AutocastHPU"}
"""Keys of backends that are not there; two, for an operator that only one target treats has to pass the
other untouched, together with whatever it is composed of."""
_LOWER = torch.bfloat16
_NATIVE_KEY: dict[Target, str] = {"cuda": "AutocastCUDA", "cpu": "AutocastCPU"}

_LOWER_EVERYWHERE = """
    _convolution.deprecated addbmm addmm baddbmm bmm conv1d conv2d conv3d conv_tbc conv_transpose1d
    conv_transpose2d.input conv_transpose3d.input linalg_vecdot linear matmul mm prelu
    scaled_dot_product_attention
"""
POLICIES: dict[Target, dict[Policy, str]] = {
    "cuda": {
        "lower": _LOWER_EVERYWHERE + "_convolution addmv addr chain_matmul convolution einsum mv",
        "float32": """
            acos asin cosh exp expm1 log log10 log1p log2 reciprocal rsqrt sinh tan pow.Tensor_Scalar
            pow.Tensor_Tensor pow.Scalar softplus layer_norm native_layer_norm rms_norm group_norm
            cosine_similarity nll_loss nll_loss2d kl_div l1_loss smooth_l1_loss huber_loss mse_loss
            soft_margin_loss binary_cross_entropy_with_logits dist cdist logsumexp upsample_nearest1d
            upsample_nearest2d upsample_nearest3d upsample_linear1d upsample_bilinear2d upsample_bicubic2d
            upsample_trilinear3d
        """,
        "float32_result": "prod prod.dim_int softmax.int log_softmax.int cumprod cumsum sum sum.dim_IntList",
        "widest": "addcdiv addcmul atan2 bilinear cross dot vdot grid_sampler index_put scatter_add",
    },
    "cpu": {
        "lower": _LOWER_EVERYWHERE + "conv1d.padding conv2d.padding conv3d.padding",
        "float32": """
            adaptive_avg_pool3d avg_pool3d binary_cross_entropy binary_cross_entropy_with_logits cdist
            cross_entropy_loss fractional_max_pool2d grid_sampler huber_loss kl_div l1_loss mse_loss nll_loss
            nll_loss2d prod prod.dim_int reflection_pad1d reflection_pad2d replication_pad1d replication_pad2d
            replication_pad3d smooth_l1_loss soft_margin_loss trace
        """,
        "widest": "cat index_copy stack",
    },
}
"""From PyTorch's ATen/autocast_mode.h and autocast_mode.cpp, as far as networks for images use them."""


class _State:
    """What the kernels go by while autocast is on."""

    def __init__(self) -> None:
        self.policies: dict[str, Policy] | None = None
        self.refused: frozenset[str] = frozenset()
        self.cache: dict[int, tuple[Tensor, Tensor]] = {}


_state = _State()


@contextmanager
def autocast(device: torch.device, target: Target) -> Iterator[None]:
    """Bfloat16 autocast as the target would do it; PyTorch's own where the tensors have data.

    Raises:
        NotImplementedError: On an operator that the target casts by a policy not stated here.
    """
    if device.type != "meta":
        with torch.autocast(device.type, dtype=_LOWER):
            yield
        return
    _library(target)
    key = _key(target)
    names = {name: policy for policy, text in POLICIES[target].items() for name in text.split()}
    outer = _state.policies
    _state.policies = names
    _state.refused = frozenset(registered(target)) - frozenset(names)
    excluded = torch._C._dispatch_tls_is_dispatch_key_excluded(key)
    torch._C._dispatch_tls_set_dispatch_key_excluded(key, False)
    try:
        with torch._C._IncludeDispatchKeyGuard(key):
            yield
    finally:
        torch._C._dispatch_tls_set_dispatch_key_excluded(key, excluded)
        _state.policies = outer
        if outer is None:
            _state.cache.clear()


@cache
def registered(target: Target) -> tuple[str, ...]:
    """Operators that PyTorch's own autocast treats on the target."""
    names = torch._C._dispatch_get_registrations_for_dispatch_key(_NATIVE_KEY[target])
    return tuple(name.removeprefix("aten::") for name in names if name.startswith("aten::"))


def _key(target: Target) -> Any:
    return torch._C.DispatchKey.__members__[_OUR_KEY[target]]


@cache
def _library(target: Target) -> tuple[torch.library.Library, ...]:
    """Our kernels; they act while `autocast` is on, and nothing else reaches them."""
    everything_else = torch.library.Library("_", "IMPL")
    everything_else.fallback(torch.library.fallthrough_kernel, _OUR_KEY[target])
    library = torch.library.Library("aten", "IMPL")
    for name in registered(target):
        library.impl(name, partial(_run, name, _key(target)), _OUR_KEY[target])
    return library, everything_else


def _run(name: str, key: Any, *args: Any, **kwargs: Any) -> Any:
    packet, _, overload = name.partition(".")
    operator = getattr(getattr(torch.ops.aten, packet), overload or "default")
    with torch._C._ExcludeDispatchKeyGuard(torch._C.DispatchKeySet(key)):
        if name in _state.refused:
            raise NotImplementedError(f"aten::{name}: how autocast treats it is not known here")
        policy = (_state.policies or {}).get(name)
        if policy == "float32_result":
            names = [argument.name for argument in operator._schema.arguments]
            given = dict(zip(names, args, strict=False)) | kwargs
            if isinstance(args[0], Tensor) and _eligible(args[0]) and given.get("dtype") is None:
                args = args[: names.index("dtype")]
                kwargs = kwargs | {"dtype": torch.float32}
        elif policy is not None:
            to = _LOWER if policy == "lower" else torch.float32
            if policy == "widest" and not any(t.dtype == torch.float32 for t in tensors_in((args, kwargs))):
                to = _LOWER
            kwargs = {key: _cast(arg, to) for key, arg in kwargs.items()}
            cast = [_cast(arg, to) for arg in reversed(args)][::-1]  # the last first, as compiled
            del args
            result = operator(*cast, **kwargs)
            for index in range(len(cast)):
                cast[index] = None  # and the first given back first
            return result
        return operator(*args, **kwargs)


def _eligible(tensor: Tensor) -> bool:
    return tensor.is_meta and tensor.is_floating_point() and tensor.dtype != torch.float64


def _cast(value: Any, to: torch.dtype) -> Any:
    """A cast of a weight in training is made once and kept until autocast ends (PyTorch's `cached_cast`)."""
    if isinstance(value, list | tuple):
        return type(value)(_cast(item, to) for item in value)
    if not isinstance(value, Tensor) or not _eligible(value) or value.dtype == to:
        return value
    weight = value.requires_grad and value.is_leaf and not torch.is_inference_mode_enabled()
    if not (weight and to == _LOWER and value.dtype == torch.float32):
        return value.to(to)
    known = _state.cache.get(id(value))
    if known is None:
        known = _state.cache[id(value)] = (value, value.to(to))
    return known[1]
