"""The follower: sees every operator of a step, and every tensor's memory come and go."""

import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, UntypedStorage
from torch.utils._python_dispatch import TorchDispatchMode

from runners.memory.accumulation import in_place_sum, sole_references
from runners.memory.attribution import ModuleTracker
from runners.memory.compositions import Compositions, add_in_place, into_zeros
from runners.memory.events import MARK, Recorder
from runners.memory.profile import Category, Operation, TensorMemory
from runners.memory.settings import Target
from runners.memory.shapes import ShapeMemo

_COMPOSITE = "(composite)"
_UNSEEN = "(unseen)"


class _Record:
    """A tensor's memory while it is followed."""

    __slots__ = ("born", "category", "died", "dtype", "module", "nbytes", "operator", "shape", "size")

    def __init__(
        self,
        size: int,
        nbytes: int,
        tensor: Tensor,
        operator: str,
        module: str,
        category: Category,
        born: int,
    ) -> None:
        self.size, self.nbytes = size, nbytes
        self.shape, self.dtype = tensor.shape, tensor.dtype
        self.operator, self.module, self.category = operator, module, category
        self.born = born
        self.died: int | None = None

    def freeze(self) -> TensorMemory:
        dtype = str(self.dtype).removeprefix("torch.")
        return TensorMemory(
            self.nbytes,
            tuple(self.shape),
            dtype,
            self.operator,
            self.module,
            self.category,
            self.born,
            self.died,
        )


class Follower(TorchDispatchMode):
    """Keeps account of live memory while it is active.

    Memory is known by its storage, of which it holds weak references only: a death is seen at the moment
    it happens, in Python or in C++. Views cost nothing, and so do storages of no bytes.

    Args:
        tracker: Knows the module at work.
        device: Where the step's tensors are; others (an optimizer's step count on the host) are not
            followed, unless `host` is true.
        granularity: Bytes to which the target's allocator rounds up.
        host: Whether tensors on the CPU count as well.
        target: Whose kernels tensors without data stand for; what those compose of other operators is
            followed by its parts, and all else as it stands.
        precision: A context with the step's precision.
        memo: Answers operators on meta tensors.
        recorder: Is told where tensors lie, and finds operations marked in the profiler's events.
    """

    def __init__(
        self,
        tracker: ModuleTracker,
        device: torch.device,
        granularity: int,
        *,
        host: bool,
        target: Target,
        precision: Callable[[], AbstractContextManager[None]] = nullcontext,
        memo: ShapeMemo | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        sole_references()  # counted now, for it cannot be while this mode is active
        self._phase = ""
        self.live_bytes = 0
        self.timeline: list[Operation] = []
        self.records: list[_Record] = []
        self.events: list[int] = []
        self._tracker = tracker
        self._devices = frozenset({device.type, "cpu"} if host else {device.type})
        self._granularity = granularity
        self._memo = memo
        self._recorder = recorder
        self._open: dict[int, tuple[int, weakref.ref[UntypedStorage]]] = {}
        self._names: dict[object, str] = {}
        self._compositions = Compositions(device, target, precision)

    @property
    def phase(self) -> str:
        """The phase of the step that runs; "" before the first."""
        return self._phase

    @phase.setter
    def phase(self, phase: str) -> None:
        self._phase = phase
        self._compositions.in_inference = phase == "inference"

    def register(self, tensor: Tensor, name: str, module: str, category: Category) -> None:
        """Make known what is there before the step."""
        self._see(tensor, name, module, category)

    def alive(self) -> list[int]:
        """Indices of the records alive now."""
        return [index for index, _ in self._open.values()]

    def find(self, tensor: Tensor) -> int | None:
        """Index of the record of a tensor's memory."""
        known = self._open.get(tensor.untyped_storage()._cdata)
        return None if known is None else known[0]

    def attached(self) -> AbstractContextManager[None]:
        """See what is decided above any dispatch mode, while the context lasts; to be entered around it."""
        return self._compositions.attached()

    def close(self) -> None:
        """Stop following: what dies from now on outlived the step."""
        self._open.clear()

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        name = self._names.get(func)
        if name is None:
            name = self._names[func] = self._name(func)
        if name == _COMPOSITE:  # seen whole in inference mode only; its parts are what allocates
            with self:
                return self._compositions.run(func, args, kwargs)
        if self._compositions.adds_in_place(func):
            result, name = add_in_place(self._run, args, kwargs), "aten.add_.Tensor"
        else:
            if self.phase == "backward":
                in_place = in_place_sum(func, args, kwargs) or into_zeros(func, args, self._maker)
                if in_place is not None:
                    func, name = in_place, str(in_place)
            result = self._run(func, args, kwargs)
        if name != _UNSEEN:
            module = self._tracker.current()
            self._see_all(result, name, module)
            self.timeline.append(Operation(name, self.phase, module, self.live_bytes))
        return result

    def _run(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._memo is not None:
            return self._memo.run(func, args, kwargs)
        if self._recorder is not None:
            with torch._C._profiler._RecordFunctionFast(f"{MARK}{len(self.timeline)}"):
                return func(*args, **kwargs)
        return func(*args, **kwargs)

    def _name(self, func: Any) -> str:
        if func.namespace == "profiler":
            return _UNSEEN
        return _COMPOSITE if self._compositions.has(func) else str(func)

    def _maker(self, args: tuple[Any, ...]) -> str:
        """The operator that made the first argument's memory, as far as it is known."""
        known = self.find(args[0]) if args and isinstance(args[0], Tensor) else None
        return "" if known is None else self.records[known].operator

    def _see_all(self, result: Any, operator: str, module: str) -> None:
        if isinstance(result, Tensor):
            self._see(result, operator, module, "transient")
        elif isinstance(result, list | tuple):
            for item in result:
                self._see_all(item, operator, module)

    def _see(self, tensor: Tensor, operator: str, module: str, category: Category) -> None:
        if tensor.device.type not in self._devices:
            return
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        known = self._open.get(key)
        if known is not None:
            if self.records[known[0]].size == size:
                return
            self._die(key, None)  # resized: its memory was given back and asked for anew
        if size == 0:
            return
        nbytes = -(-size // self._granularity) * self._granularity
        index = len(self.records)
        born = len(self.timeline) if self.phase else -1
        self.records.append(_Record(size, nbytes, tensor, operator, module, category, born))
        self.events.append(index)
        if self._recorder is not None and self.phase:
            self._recorder.addresses[index] = storage.data_ptr()
        self._open[key] = (index, weakref.ref(storage, partial(self._die, key)))
        self.live_bytes += nbytes

    def _die(self, key: int, _: object) -> None:
        known = self._open.pop(key, None)
        if known is None:
            return
        record = self.records[known[0]]
        record.died = len(self.timeline)
        self.events.append(~known[0])
        self.live_bytes -= record.nbytes
