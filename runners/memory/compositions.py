"""Composite operators, run by the parts that the target would run them by if nobody followed.

Three things keep a composition from telling by itself. Some choose their parts by the device, which tensors
without data are not on. Under any dispatch mode PyTorch takes every tensor for one of a subclass
(`isTensorSubclassLike`), to which it would not write, and makes another where it would add in place. And a
mode that sees a composition whole, as it does in inference, stands below autocast and the marking of views:
autocast would have cast the arguments of the parts, and products go by whether a view is of a parameter.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor

from runners.memory.accumulation import solely_held
from runners.memory.autocast import registered
from runners.memory.choices import CHOICES
from runners.memory.dispatch import backend, composite, kernels, run_parts
from runners.memory.settings import Target

_aten = torch.ops.aten
_ADDING = (_aten.linear.default, _aten._scaled_dot_product_attention_math.default)
"""They add to a product of their own in place: the bias of images neither flat nor contiguous, the mask."""
_INTO_ZEROS: dict[object, Any] = {
    _aten.scatter.src: _aten.scatter_.src,
    _aten.scatter_add.default: _aten.scatter_add_.default,
    _aten.masked_scatter.default: _aten.masked_scatter_.default,
    _aten.index_put.default: _aten.index_put_.default,
}
"""What writes a gradient among zeros that were made for it: of `max`, `gather`, `x[mask]` and `x[index]`."""
_ZEROS = frozenset({"aten.zeros.default", "aten.new_zeros.default", "aten.zeros_like.default"})

_VIEWS = torch._C.DispatchKey.ADInplaceOrView


class Compositions:
    """Runs composite operators.

    Args:
        device: Where the tensors are.
        target: Whose kernels they stand for if they have no data.
        precision: A context with the step's precision.
    """

    def __init__(
        self,
        device: torch.device,
        target: Target,
        precision: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._key, self._own_key = backend(device, target), backend(device)
        self._choices = CHOICES[target] if device.type == "meta" else {}
        self._cast_already = frozenset(f"aten::{name}" for name in registered(target))
        self._precision = precision
        self._adding = 0
        self._casting = True
        self.in_inference = False
        """Whether what runs now runs in inference mode and with the step's precision."""

    def has(self, func: Any) -> bool:
        """Whether an operator is one, on the target."""
        return composite(func.name(), self._key)

    def adds_in_place(self, func: object) -> bool:
        """Whether an operator about to run is a sum that would be in place if nobody followed."""
        return self._adding > 0 and func is _aten.add.Tensor

    def run(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run one by its parts."""
        choose = self._choices.get(func)
        with ExitStack() as context:
            if func in _ADDING:
                self._adding += 1
                context.callback(self._added)
            if self.in_inference:
                context.enter_context(self._as_from_above(func.name()))
            if choose is not None:
                return choose(*args, **kwargs)
            return run_parts(func, args, kwargs)

    def attached(self) -> AbstractContextManager[None]:
        """Have a say in what autograd takes apart before any dispatch mode sees it."""
        operators = {*_ADDING, *self._choices}
        return kernels(f"Autograd{self._own_key}", {func: partial(self._run, func) for func in operators})

    def _run(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        return self.run(func, args, kwargs)

    def _added(self) -> None:
        self._adding -= 1

    @contextmanager
    def _as_from_above(self, name: str) -> Iterator[None]:
        """Let the parts pass what a dispatch mode stands below.

        Autocast is done with them if it treated the whole.
        """
        before = self._casting
        self._casting = before and name not in self._cast_already
        marked = torch._C._dispatch_tls_is_dispatch_key_excluded(_VIEWS)
        torch._C._dispatch_tls_set_dispatch_key_excluded(_VIEWS, False)
        try:
            with self._precision() if self._casting else nullcontext():
                yield
        finally:
            torch._C._dispatch_tls_set_dispatch_key_excluded(_VIEWS, marked)
            self._casting = before


def add_in_place(run: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """A sum in the memory of its first summand; a tensor of its own, for autograd is to say what it is of."""
    result: Tensor = _aten.detach.default(run(_aten.add_.Tensor, args, kwargs))
    return result


def into_zeros(func: object, args: tuple[Any, ...], maker: Callable[[tuple[Any, ...]], str]) -> Any:
    """The in-place operator by which a backward formula would have written unobserved, or None.

    Only to be asked in a backward pass.

    Args:
        func: The operator about to run.
        args: Its arguments.
        maker: Tells the operator that made the first one's memory.
    """
    in_place = _INTO_ZEROS.get(func)
    if in_place is None or torch.is_grad_enabled() or maker(args) not in _ZEROS:
        return None
    if func is _aten.index_put.default:  # whose formula holds the zeros twice
        node = torch._C._current_autograd_node()
        return in_place if node is not None and node.name() == "IndexBackward0" else None
    return in_place if solely_held(args) else None
