"""A profile as a record keeps it: enough to draw and to explain it, without every tensor and operation."""

from collections import Counter
from collections.abc import Mapping

from results.records.profile_summary import Against, ProfileSummary, TensorChange, Timeline
from runners.memory.difference import TensorDifference, difference
from runners.memory.profile import MemoryProfile

MOST_POINTS = 400
"""Of a timeline; the highest operation of each stretch stands for it, so that no peak is lost."""

MOST_TENSORS = 8


def profile_story(
    profile: MemoryProfile,
    device: str,
    *,
    baseline: MemoryProfile | None = None,
    safety_margin: float | None = None,
    largest_batch_size: Mapping[str, int | None] | None = None,
) -> ProfileSummary:
    """What a report tells of a profile.

    Args:
        profile: The profile.
        device: What it holds for: the device measured, or the target simulated.
        baseline: A profile that it is set against; None for the baseline itself.
        safety_margin: Share of a card that `largest_batch_size` leaves free.
        largest_batch_size: Most images for each card; None where not one fits.
    """
    return ProfileSummary(
        mode=profile.mode,
        source=profile.source,
        device=device,
        peak_bytes=profile.peak_bytes,
        peak_bytes_by_phase={phase: peak.live_bytes for phase, peak in profile.peaks.items()},
        by_category={str(category): nbytes for category, nbytes in profile.by_category.items()},
        saved_by_module=saved_by_module(profile),
        timeline=timeline(profile),
        target=profile.target,
        static_bytes=profile.static_bytes,
        saved_bytes=profile.saved_bytes,
        allocations=profile.allocations,
        allocated_bytes=profile.allocated_bytes,
        reserved_bytes=profile.reserved_bytes,
        modelled_allocated_bytes=profile.modelled_allocated_bytes,
        left_out=profile.left_out,
        by_module=dict(profile.by_module),
        peak_operator=profile.peak.operator,
        peak_module=profile.peak.module,
        simulation_seconds=profile.simulation_seconds,
        against_baseline=None if baseline is None else against(baseline, profile),
        safety_margin=safety_margin,
        largest_batch_size=dict(largest_batch_size or {}),
    )


def against(before: MemoryProfile, after: MemoryProfile) -> Against:
    """What the second needs more than the first, and why; of the tensors the heaviest."""
    found = difference(before, after)
    return Against(
        peak_bytes=found.peak_bytes,
        saved_bytes=found.saved_bytes,
        allocations=found.allocations,
        allocated_bytes=found.allocated_bytes,
        reason=found.reason,
        tensors=tuple(map(_change, found.tensors[:MOST_TENSORS])),
        allocations_by_operator=dict(found.allocations_by_operator),
    )


def _change(tensor: TensorDifference) -> TensorChange:
    return TensorChange(
        tensor.category,
        tensor.module,
        tensor.shape,
        tensor.dtype,
        tensor.before,
        tensor.after,
        tensor.nbytes,
    )


def saved_by_module(profile: MemoryProfile) -> dict[str, int]:
    """Bytes of activations that the forward pass leaves for the backward pass, the heaviest module first."""
    saved: Counter[str] = Counter()
    for tensor in profile.tensors:
        if tensor.category == "activations":
            saved[tensor.module] += tensor.nbytes
    return dict(saved.most_common())


def timeline(profile: MemoryProfile) -> Timeline:
    """Live bytes over the operations, thinned out to the highest of each stretch."""
    count = len(profile.timeline)
    stretch = max(1, -(-count // MOST_POINTS))
    kept = [
        max(range(start, min(start + stretch, count)), key=lambda i: profile.timeline[i].live_bytes)
        for start in range(0, count, stretch)
    ]
    starts: dict[str, int] = {}
    for index, operation in enumerate(profile.timeline):
        starts.setdefault(operation.phase, index)
    return Timeline(
        operation=tuple(kept),
        live_bytes=tuple(profile.timeline[index].live_bytes for index in kept),
        phase_starts=starts,
    )
