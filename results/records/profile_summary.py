"""What a record keeps of a memory profile: enough to draw and to explain it, without every tensor."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from results.records.values import STRICT, Change, Count, Positive, Seconds, Text

CATEGORIES = ("parameters", "gradients", "optimizer_state", "buffers", "inputs", "activations", "transient")


@dataclass(frozen=True, slots=True)
class Timeline:
    """Live bytes over the operations of a step, thinned out to the highest of each stretch.

    Attributes:
        operation: Index of each operation kept.
        live_bytes: Bytes alive after it.
        phase_starts: Index of the first operation of each phase.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    operation: tuple[Count, ...]
    live_bytes: tuple[Count, ...]
    phase_starts: dict[Text, Count]

    def __post_init__(self) -> None:
        if len(self.operation) != len(self.live_bytes):
            raise ValueError(f"{len(self.operation)} operations but {len(self.live_bytes)} live_bytes")


@dataclass(frozen=True, slots=True)
class TensorChange:
    """Tensors alike in everything named here: how many at the peak of one step and at the other's.

    Attributes:
        category: One of `CATEGORIES`.
        module: Dotted name of the module that they belong to.
        shape: Of each of them.
        dtype: Likewise, e.g. `float32`.
        before: How many at the first peak.
        after: How many at the second.
        nbytes: What they weigh at the second less what they weigh at the first.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    category: Text
    module: Text
    shape: tuple[Count, ...]
    dtype: Text
    before: Count
    after: Count
    nbytes: Change


@dataclass(frozen=True, slots=True)
class Against:
    """A step less the baseline's.

    Attributes:
        peak_bytes: Of the peaks.
        saved_bytes: Of what the forward pass leaves for the backward pass.
        allocations: Of the numbers of tensors made.
        allocated_bytes: Of their sums.
        reason: In words.
        tensors: The heaviest tensors that differ at the peak.
        allocations_by_operator: Operators that made more tensors, or fewer.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    peak_bytes: Change
    saved_bytes: Change
    allocations: Change
    allocated_bytes: Change
    reason: Text
    tensors: tuple[TensorChange, ...] = ()
    allocations_by_operator: dict[Text, Change] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProfileSummary:
    """The memory of one step.

    Attributes:
        mode: `train` or `inference`.
        source: `simulated` or `measured`.
        device: What it holds for: the device measured, or the target simulated.
        peak_bytes: Most bytes of tensors alive at once.
        peak_bytes_by_phase: Likewise, by phase.
        by_category: Bytes alive at the peak, by category.
        saved_by_module: Bytes of activations left for the backward pass, by module.
        timeline: Live bytes over the operations.
        target: Whose allocator rounded the sizes and whose defaults chose the optimizer.
        static_bytes: Bytes alive all through the step.
        saved_bytes: Bytes that the forward pass leaves for the backward pass.
        allocations: Tensors made during the step.
        allocated_bytes: Their sum.
        reserved_bytes: What the allocator holds, or would hold, from the device; None where it does not say.
        modelled_allocated_bytes: What CUDA's would report as allocated; None where nothing was modelled.
        left_out: What the modelled figures do not hold, in words.
        by_module: Bytes alive at the peak, by module.
        peak_operator: The operator at the peak.
        peak_module: The module it belongs to.
        simulation_seconds: Wall time, building included.
        against_baseline: The difference to the baseline; None for the baseline and where there is none.
        safety_margin: Share of a card that `largest_batch_size` leaves free.
        largest_batch_size: Most images for each card; None where not one fits.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    mode: Text
    source: Text
    device: Text
    peak_bytes: Positive
    peak_bytes_by_phase: dict[Text, Count]
    by_category: dict[Text, Count]
    saved_by_module: dict[Text, Count]
    timeline: Timeline
    target: Text = ""
    static_bytes: Count = 0
    saved_bytes: Count = 0
    allocations: Count = 0
    allocated_bytes: Count = 0
    reserved_bytes: Count | None = None
    modelled_allocated_bytes: Count | None = None
    left_out: tuple[Text, ...] = ()
    by_module: dict[Text, Count] = field(default_factory=dict)
    peak_operator: Text = ""
    peak_module: Text = ""
    simulation_seconds: Seconds = 0.0
    against_baseline: Against | None = None
    safety_margin: Annotated[float, Field(ge=0, lt=1)] | None = None
    largest_batch_size: dict[Text, Positive | None] = field(default_factory=dict)
