"""The optimizer as the target device would have it."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import torch
from torch import nn

from runners.memory.settings import StepSettings, Target

LEARNING_RATE = 1e-3


def make_optimizer(model: nn.Module, settings: StepSettings, target: Target) -> torch.optim.Optimizer:
    """The optimizer over all parameters that are trained, in the implementation asked for."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    kind = settings.optimizer_kind
    if kind == "default":
        kind = "foreach" if target == "cuda" else "single"
    common: dict[str, Any] = {"lr": LEARNING_RATE, "weight_decay": settings.weight_decay}
    common |= {"fused": True} if kind == "fused" else {"foreach": kind == "foreach"}
    if settings.optimizer == "sgd":
        return torch.optim.SGD(parameters, momentum=settings.momentum, **common)
    return torch.optim.AdamW(parameters, **common)


@contextmanager
def fused_without_data() -> Iterator[None]:
    """Let fused optimizers make their state for tensors without data, which they refuse by device name."""
    check = "_device_dtype_check_for_fused"
    modules = [import_module(f"torch.optim.{name}") for name in ("sgd", "adam")]
    before = [getattr(module, check) for module in modules]
    for module in modules:
        setattr(module, check, lambda *_: None)
    try:
        yield
    finally:
        for module, function in zip(modules, before, strict=True):
            setattr(module, check, function)
