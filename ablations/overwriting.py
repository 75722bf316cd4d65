"""Whether a network reads again what its activations would overwrite."""

from functools import partial
from itertools import count
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from ablations.surgery import is_activation


def why_not_inplace(network: nn.Module, image: torch.Tensor) -> str | None:
    """Why a network cannot have its activations overwrite their input; None where it can.

    It cannot where something reads that input again afterwards, which is then another function, or needs it
    for the backward pass.

    Args:
        network: Every activation that can is in place; no number is computed on `meta`.
        image: (N, C, H, W), which the network can read, on its device.
    """
    watch = _Overwritten()
    hooks = [
        module.register_forward_hook(partial(watch.overwritten, name))
        for name, module in network.named_modules()
        if is_activation(module) and getattr(module, "inplace", False)
    ]
    try:
        with watch:
            output = network(image)
        watch.look(output)
        if watch.read_again is None and output.requires_grad:
            output.sum().backward()
    except RuntimeError as error:
        if "inplace operation" not in str(error):
            raise
        return "the backward pass needs what an activation would overwrite"
    finally:
        for hook in hooks:
            hook.remove()
    return watch.read_again and f"what {watch.read_again} would overwrite is read again"


class _Overwritten(TorchDispatchMode):
    """Sees a tensor read that an activation has overwritten since it was made.

    In place, input and output are one tensor; the hook gives those who read the output another one of the
    same memory, so that whoever comes with the old one is known.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.read_again: str | None = None
        self._own = False
        self._clock = count()
        self._made = WeakIdKeyDictionary()
        self._changed: dict[int, tuple[int, str]] = {}

    def overwritten(
        self, name: str, _module: nn.Module, inputs: tuple[Any, ...], output: torch.Tensor
    ) -> torch.Tensor:
        """A forward hook: the output as a tensor of its own, made after the change."""
        self._changed[_memory(inputs[0])] = next(self._clock), name
        self._own = True
        try:
            return output.view_as(output)
        finally:
            self._own = False

    def look(self, read: Any) -> None:
        """Note whether any of these tensors is one from before its memory was overwritten."""
        for leaf in tree_leaves(read):
            if isinstance(leaf, torch.Tensor):
                when, name = self._changed.get(_memory(leaf), (-1, ""))
                if when > self._made.get(leaf, when):
                    self.read_again = self.read_again or name

    def __torch_dispatch__(
        self, func: Any, types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if not self._own:
            self.look((args, kwargs))
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor) and leaf not in self._made:
                self._made[leaf] = next(self._clock)
        return result


def _memory(tensor: torch.Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)
