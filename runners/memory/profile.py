"""What following a step leaves: every tensor with its birth and death, and the peaks worked out from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from runners.memory.settings import Mode, Target

Source = Literal["simulated", "measured"]
Category = Literal[
    "parameters", "gradients", "optimizer_state", "buffers", "inputs", "activations", "transient"
]
CATEGORIES: tuple[Category, ...] = (
    "parameters",
    "gradients",
    "optimizer_state",
    "buffers",
    "inputs",
    "activations",
    "transient",
)


class TensorMemory(NamedTuple):
    """The memory of one tensor (and of its views).

    Attributes:
        nbytes: Rounded up to the target allocator's granularity.
        shape: Of the tensor that the memory was made for.
        dtype: Likewise, e.g. `float32`.
        operator: What made it, e.g. `aten.convolution.default`; for what was there before, its own name.
        module: Dotted name of the module that made it or, for parameters, gradients and optimizer state,
            owns it; names in parentheses are no modules.
        category: What it is; `activations` outlive the forward pass, `transient` is all that is not
            one of the others.
        born: Index of the operation that made it; -1 if it was there before.
        died: Index of the first operation that ended without it; None if it outlived the step.
    """

    nbytes: int
    shape: tuple[int, ...]
    dtype: str
    operator: str
    module: str
    category: Category
    born: int
    died: int | None

    def alive(self, operation: int) -> bool:
        """Whether it was there when that operation ended."""
        return self.born <= operation and (self.died is None or operation < self.died)


class Operation(NamedTuple):
    """An operator that ran, and the bytes alive when it had."""

    operator: str
    phase: str
    module: str
    live_bytes: int


@dataclass(frozen=True, slots=True)
class Peak:
    """What was alive when most was.

    Attributes:
        live_bytes: All of it.
        operation: Index of the (first such) operation in the timeline.
        operator: Its name.
        module: Dotted name of the module that it belongs to.
        by_category: Bytes by category; they sum to `live_bytes`.
        by_module: Bytes by module, most first; they sum to `live_bytes`.
    """

    live_bytes: int
    operation: int
    operator: str
    module: str
    by_category: Mapping[Category, int]
    by_module: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class MemoryProfile:
    """The memory of one step.

    Attributes:
        mode: Training step or inference pass.
        source: Tensors without data, or real ones.
        target: Whose allocator rounded the sizes and whose defaults chose the optimizer.
        device: Where the tensors were (`meta` for a simulation).
        peaks: By phase, in order.
        static_bytes: Alive all through the step: parameters, buffers, optimizer state, inputs
            (images and labels) and, where they are kept between steps, gradients.
        saved_bytes: Alive at the end of the forward pass beyond these: what the backward pass will
            read, and the output and the loss, which a training loop holds; 0 for inference.
        allocations: Tensors made during the step (views and empty ones aside).
        allocated_bytes: Their sum.
        timeline: Every operation in order.
        tensors: Every tensor, those that were there before first.
        events: Order of birth and death: i for the birth of tensors[i], ~i (that is -i - 1) for its death.
        reserved_bytes: What CUDA's caching allocator would hold, by the model; None for other targets.
        modelled_allocated_bytes: What it would report as allocated: no less than the peak of live bytes.
        left_out: What the modelled figures do not hold, in words.
        simulation_seconds: Wall time, building included.
    """

    mode: Mode
    source: Source
    target: Target
    device: str
    peaks: Mapping[str, Peak]
    static_bytes: int
    saved_bytes: int
    allocations: int
    allocated_bytes: int
    timeline: tuple[Operation, ...]
    tensors: tuple[TensorMemory, ...]
    events: tuple[int, ...]
    simulation_seconds: float
    reserved_bytes: int | None = None
    modelled_allocated_bytes: int | None = None
    left_out: tuple[str, ...] = ()

    @property
    def peak(self) -> Peak:
        """The highest of the phases' peaks, the first among equals."""
        return max(self.peaks.values(), key=lambda peak: peak.live_bytes)

    @property
    def peak_bytes(self) -> int:
        """Most bytes alive at once."""
        return self.peak.live_bytes

    @property
    def by_category(self) -> Mapping[Category, int]:
        """Bytes alive at the peak, by category."""
        return self.peak.by_category

    @property
    def by_module(self) -> Mapping[str, int]:
        """Bytes alive at the peak, by module."""
        return self.peak.by_module

    def category_timeline(self) -> list[dict[Category, int]]:
        """Bytes alive after each operation, by category: the timeline's live bytes taken apart."""
        changes: list[dict[Category, int]] = [dict.fromkeys(CATEGORIES, 0) for _ in self.timeline]
        for tensor in self.tensors:
            changes[max(tensor.born, 0)][tensor.category] += tensor.nbytes
            if tensor.died is not None and tensor.died < len(changes):
                changes[tensor.died][tensor.category] -= tensor.nbytes
        for before, after in pairwise(changes):
            for category in CATEGORIES:
                after[category] += before[category]
        return changes

    def summary(self) -> dict[str, Any]:
        """The figures without the single tensors and operations, as JSON can hold them."""
        return {
            "mode": self.mode,
            "source": self.source,
            "target": self.target,
            "device": self.device,
            "peak_bytes": self.peak_bytes,
            "peak_bytes_by_phase": {phase: peak.live_bytes for phase, peak in self.peaks.items()},
            "static_bytes": self.static_bytes,
            "saved_bytes": self.saved_bytes,
            "allocations": self.allocations,
            "allocated_bytes": self.allocated_bytes,
            "reserved_bytes": self.reserved_bytes,
            "modelled_allocated_bytes": self.modelled_allocated_bytes,
            "left_out": list(self.left_out),
            "by_category": dict(self.by_category),
            "by_module": dict(self.by_module),
            "peak_operator": self.peak.operator,
            "peak_module": self.peak.module,
            "simulation_seconds": self.simulation_seconds,
        }
