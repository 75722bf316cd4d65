"""Compositions that choose their parts by the device, which tensors without data are not on."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend

from runners.memory.dispatch import run_parts
from runners.memory.settings import Target

_aten = torch.ops.aten


def _dropout(images: Tensor, p: float, train: bool) -> Tensor:
    """On CUDA one kernel, which keeps a mask of a byte per element."""
    if train and 0 < p < 1 and images.numel():
        return _aten.native_dropout.default(images, p, train)[0]  # type: ignore[no-any-return]
    return run_parts(_aten.dropout.default, (images, p, train), {})  # type: ignore[no-any-return]


def _attention(target: Target, *args: Any, **kwargs: Any) -> Tensor:
    """The CPU says itself which of its kernels it would take; CUDA's choice depends on the device.

    Raises:
        NotImplementedError: The choice is not known.
    """
    if target == "cuda":
        raise NotImplementedError(
            "scaled_dot_product_attention: which of its kernels a CUDA device would choose is not known"
        )
    return _attention_on_cpu(*args, **kwargs)


def _attention_on_cpu(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    options = {"scale": scale, "enable_gqa": enable_gqa}
    with torch._C._DisableTorchDispatch():
        stand_ins = [None if t is None else _stand_in(t) for t in (query, key, value, mask)]
        choice = _aten._fused_sdp_choice.default(*stand_ins, dropout_p, is_causal, **options)
    if choice == SDPBackend.MATH.value:
        args = (query, key, value, mask, dropout_p, is_causal)
        return run_parts(_aten.scaled_dot_product_attention.default, args, options)  # type: ignore[no-any-return]
    if mask is not None and not mask.is_floating_point():
        raise NotImplementedError("scaled_dot_product_attention: a mask of other than numbers is not known")
    kernel = _aten._scaled_dot_product_flash_attention_for_cpu.default
    return kernel(query, key, value, dropout_p, is_causal, attn_mask=mask, scale=scale)[0]  # type: ignore[no-any-return]


def _stand_in(tensor: Tensor) -> Tensor:
    """A tensor of the CPU alike but for its memory: all its rows are one."""
    row = torch.empty(tensor.shape[-1:], dtype=tensor.dtype, device="cpu")
    strides = (*[0] * (tensor.dim() - 1), 1 if tensor.stride(-1) == 1 else 0)
    return row.as_strided(tensor.shape, strides).requires_grad_(tensor.requires_grad)


CHOICES: dict[Target, dict[object, Callable[..., Tensor]]] = {
    "cuda": {
        _aten.dropout.default: _dropout,
        _aten.scaled_dot_product_attention.default: partial(_attention, "cuda"),
    },
    "cpu": {_aten.scaled_dot_product_attention.default: partial(_attention, "cpu")},
}
"""Those that networks for images use: by target and operator, what runs the parts that it would choose."""


def check_fast_paths(model: nn.Module) -> None:
    """Refuse a model that looks at the device itself, in Python, before it chooses.

    Raises:
        ValueError: It holds attention that would go another way in inference; one line.
    """
    if not torch.backends.mha.get_fastpath_enabled():
        return
    for name, module in model.named_modules():
        if isinstance(module, nn.MultiheadAttention):
            raise ValueError(
                f"{name or 'the model'}: nn.MultiheadAttention takes a path of its own in inference, which "
                "tensors without data do not show; torch.backends.mha.set_fastpath_enabled(False) closes it"
            )
