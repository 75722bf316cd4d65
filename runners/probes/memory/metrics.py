"""The memory metrics. Live bytes are those of tensors; the allocator's own figures stand beside them."""

from results.records.metric import Metric

_MARGIN = 0.02

METRICS: tuple[Metric, ...] = (
    Metric(
        name="peak_bytes",
        label="peak memory",
        unit="bytes",
        better="lower",
        effect_kind="ratio",
        margin=_MARGIN,
        description="Most bytes of tensors alive at once in a step, each rounded up to the device's blocks.",
        exact=True,
        headline=True,
    ),
    Metric(
        name="saved_bytes",
        label="saved for backward",
        unit="bytes",
        better="lower",
        effect_kind="ratio",
        margin=_MARGIN,
        description="Bytes that the forward pass leaves for the backward pass, output and loss included.",
        exact=True,
    ),
    Metric(
        name="static_bytes",
        label="static memory",
        unit="bytes",
        better="lower",
        effect_kind="ratio",
        margin=_MARGIN,
        description="Bytes alive all through a step: parameters, buffers, optimizer state and inputs.",
        exact=True,
    ),
    Metric(
        name="allocations",
        label="allocations",
        unit="count",
        better="lower",
        effect_kind="ratio",
        margin=_MARGIN,
        description="Tensors that a step allocates.",
        exact=True,
    ),
    Metric(
        name="allocator_peak_bytes",
        label="allocator's peak",
        unit="bytes",
        better="lower",
        effect_kind="ratio",
        margin=_MARGIN,
        description="Most bytes that the device's allocator handed out at once, library scratch included.",
        exact=True,
    ),
    Metric(
        name="reserved_bytes",
        label="reserved memory",
        unit="bytes",
        better="lower",
        effect_kind="ratio",
        margin=_MARGIN,
        description="Most bytes that CUDA's allocator holds from the device, cached ones included: whether a"
        " step fits is decided by it. The CPU's keeps none.",
        exact=True,
    ),
    Metric(
        name="workspace_bytes",
        label="library scratch",
        unit="bytes",
        better="lower",
        effect_kind="difference",
        margin=float(2**20),
        description="The allocator's peak less the peak of live tensors: scratch space of the libraries.",
        exact=True,
        can_be_zero=True,
    ),
)
"""A step's memory; `workspace_bytes` can be 0 and is compared by difference, with a margin of 1 MiB."""
