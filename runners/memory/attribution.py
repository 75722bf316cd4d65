"""Which module an operator runs for, forward and backward."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

ROOT = "(model)"
LOSS = "(loss)"
OPTIMIZER = "(optimizer)"
INPUT = "(input)"


class ModuleTracker:
    """Knows the module at work.

    Forward, that is the innermost module called. Backward, it is the module whose forward pass made the
    autograd node being evaluated: nodes are numbered in the order in which they are made, so that each
    module owns the numbers drawn between its beginning and its end.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._stack: list[str] = []
        self._starts: list[int] = []
        self._names: list[str] = []
        self._owners: dict[int, str] = {id(p): owner(name) for name, p in model.named_parameters()}
        self.outside = LOSS
        """What operators outside all modules belong to."""
        self.entered = ROOT
        """The module entered last."""

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Follow the model's modules while the context lasts."""
        handles = []
        self._mark(self.outside)
        for name, module in self._model.named_modules():
            enter, leave = self._hooks(name or ROOT)
            handles.append(module.register_forward_pre_hook(enter))
            handles.append(module.register_forward_hook(leave, always_call=True))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def current(self) -> str:
        """Dotted name of the module at work, or a name in parentheses outside all modules."""
        if self._stack:
            return self._stack[-1]
        node: Any = torch._C._current_autograd_node()
        if node is None:
            return self.outside
        number = node._sequence_nr()
        if number >= 2**63:  # a leaf's node is made once, on first use, and has no number
            variable = getattr(node, "variable", None)
            return self._owners.get(id(variable), self.outside)
        position = bisect_right(self._starts, number) - 1
        return self._names[position] if position >= 0 else self.outside

    def _hooks(self, name: str) -> tuple[Callable[..., None], Callable[..., None]]:
        def enter(*_: object) -> None:
            self._stack.append(name)
            self.entered = name
            self._mark(name)

        def leave(*_: object) -> None:
            self._stack.pop()
            self._mark(self._stack[-1] if self._stack else self.outside)

        return enter, leave

    def _mark(self, name: str) -> None:
        self._starts.append(torch._C._autograd._get_sequence_nr())
        self._names.append(name)


def owner(name: str) -> str:
    """The module that a parameter or buffer of this dotted name belongs to."""
    module, _, _ = name.rpartition(".")
    return module or ROOT
