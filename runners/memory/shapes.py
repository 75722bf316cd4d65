"""Results of operators on tensors without data, remembered.

A network repeats its blocks, and many of PyTorch's shape functions are Python programs: BatchNorm's takes
over a millisecond. What an operator gives depends on its arguments' shapes, strides, types and values
alone, so that the second call is answered from the first.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from runners.memory.nested import tensors_in
from runners.memory.rules import Rule

_aten = torch.ops.aten
_KEEP_STRIDES = {_aten.clone.default, _aten._to_copy.default, _aten.hardtanh.default}
"""Elementwise, and yet they keep the strides of what they are given."""
_ELEMENTWISE = {
    _aten.hardswish.default,
    _aten.leaky_relu_backward.default,
}
"""Though PyTorch does not tag them so."""

Layout = tuple[torch.Size, tuple[int, ...], torch.dtype]


class ShapeMemo:
    """Runs operators on meta tensors, each kind of call once.

    Args:
        rules: Asked before PyTorch's own, by operator; see `rules`.
    """

    def __init__(self, rules: Mapping[object, Rule]) -> None:
        self._rules = rules
        self._kinds: dict[object, str] = {}
        self._results: dict[object, tuple[type | None, tuple[Layout | None, ...]] | None] = {}

    def run(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What `func(*args, **kwargs)` returns."""
        kind = self._kinds.get(func)
        if kind is None:
            kind = self._kinds[func] = _kind(func)
        if kind == "other":
            return self._by_rule(func, args, kwargs)
        if kind == "in place":
            return None
        if kind == "foreach":
            return self._run_each(func, args, kwargs)
        return self._remember(func, args, kwargs)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Answer what runs while the context lasts."""
        with _Answering(self):
            yield

    def _run_each(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """An operator on lists of tensors, tensor by tensor: networks have few shapes of parameters."""
        length = len(args[0])
        results = []
        for index in range(length):
            each = tuple(_element(arg, index, length) for arg in args)
            every = {name: _element(arg, index, length) for name, arg in kwargs.items()}
            results.append(self._remember(func, each, every))
        return None if results[0] is None else type(results[0])(item for result in results for item in result)

    def _remember(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        key = _key(func, args, kwargs)
        if key is None:
            return func(*args, **kwargs)
        known = self._results.get(key)
        if known is not None:
            return _make(*known)
        result = self._answer(func, args, kwargs)
        if not _lies_in(result, (args, kwargs)):
            self._results[key] = _describe(result)
        return result

    def _answer(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = self._by_rule(func, args, kwargs)
        if func not in self._rules and _ends_in_plain_order(func, args, result):
            return torch.empty_like(result, memory_format=torch.contiguous_format)
        return result

    def _by_rule(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        rule = self._rules.get(func)
        result = None if rule is None else rule(*args, **kwargs)
        return func(*args, **kwargs) if result is None else result


class _Answering(TorchDispatchMode):
    def __init__(self, memo: ShapeMemo) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._memo = memo

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        return self._memo.run(func, args, kwargs or {})


def _kind(func: Any) -> Literal["pure", "foreach", "in place", "other"]:
    """How to answer it.

    Pure: results are new tensors, and no argument changes its layout. Foreach: so, tensor by tensor.
    In place: a fused optimizer, which changes values only.
    """
    schema = func._schema
    if schema.name.startswith("aten::_fused_") and not schema.returns:
        return "in place"
    if (
        func.namespace == "aten"
        and schema.name.startswith("aten::_foreach_")
        and schema.arguments[0].name == "self"
    ):
        return "foreach"
    pure = all(item.alias_info is None for item in (*schema.arguments, *schema.returns))
    return "pure" if pure and schema.returns else "other"


def _element(arg: Any, index: int, length: int) -> Any:
    return [arg[index]] if isinstance(arg, list | tuple) and len(arg) == length else arg


def _ends_in_plain_order(func: Any, args: tuple[Any, ...], result: Any) -> bool:
    """Whether an elementwise kernel lays its result out in plain order though its rule keeps strides.

    Kernels do so if all operands have the result's shape and are contiguous, which maps of one pixel or one
    channel are in any layout. A number that stands for a tensor is an operand of another shape.
    """
    elementwise = torch.Tag.pointwise in func.tags or func in _ELEMENTWISE
    if not isinstance(result, Tensor) or not elementwise or func in _KEEP_STRIDES:
        return False
    operands = [arg for arg, a in zip(args, func._schema.arguments, strict=False) if str(a.type) == "Tensor"]
    return func._overloadname != "Scalar" and all(
        isinstance(operand, Tensor) and operand.shape == result.shape and operand.is_contiguous()
        for operand in operands
    )


class _Unknown(Exception):  # noqa: N818 - a signal, not an error
    """An argument that says nothing about shapes."""


def _key(func: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
    try:
        return func, _signature(args), tuple((name, _signature(kwargs[name])) for name in kwargs)
    except _Unknown:
        return None


def _signature(value: Any) -> object:
    if isinstance(value, Tensor):
        if not value.is_meta:
            raise _Unknown
        return value.shape, value.stride(), value.dtype
    if isinstance(value, list | tuple):
        return tuple(map(_signature, value))
    if value.__hash__ is None or isinstance(value, torch.Generator):
        raise _Unknown
    return type(value), value  # the type, for 1 == 1.0 == True and yet they promote differently


def _lies_in(result: Any, given: Any) -> bool:
    """Whether a result is an argument's memory, as that of `_unsafe_view` is though its schema hides it."""
    theirs = {tensor.untyped_storage()._cdata for tensor in tensors_in(given)}
    return any(tensor.untyped_storage()._cdata in theirs for tensor in tensors_in(result))


def _describe(result: Any) -> tuple[type | None, tuple[Layout | None, ...]] | None:
    """The result's layout; None if it could not be made anew from it."""
    container = type(result) if isinstance(result, list | tuple) else None
    items = result if container else (result,)
    layouts: list[Layout | None] = []
    for item in items:
        if item is None:
            layouts.append(None)
            continue
        if not isinstance(item, Tensor) or not item.is_meta or item.storage_offset():
            return None
        layout = (item.shape, item.stride(), item.dtype)
        if item.untyped_storage().nbytes() != _empty(layout).untyped_storage().nbytes():
            return None
        layouts.append(layout)
    storages = {item.untyped_storage()._cdata for item in items if item is not None}
    return (container, tuple(layouts)) if len(storages) == sum(i is not None for i in items) else None


def _make(container: Callable[[Any], Any] | None, layouts: tuple[Layout | None, ...]) -> Any:
    if container is None:
        return None if layouts[0] is None else _empty(layouts[0])
    return container(None if layout is None else _empty(layout) for layout in layouts)


def _empty(layout: Layout) -> Tensor:
    shape, stride, dtype = layout
    return torch.empty_strided(shape, stride, dtype=dtype, device="meta")
