"""From profiles to measurements, and which of them cannot be believed."""

from collections.abc import Iterator, Mapping

from results.records.record import Measurement
from runners.memory.measure import AllocatorMeasurement
from runners.memory.profile import MemoryProfile
from runners.workload_settings import Mode


def simulated(profile: MemoryProfile, device: str) -> list[Measurement]:
    """The figures of a simulated step: its tensors, and what the target's allocator would hold."""
    figures = _followed(profile)
    if profile.reserved_bytes is not None:
        figures["reserved_bytes"] = profile.reserved_bytes
    return list(_measurements(figures, "simulated", device, profile.mode))


def measured(found: AllocatorMeasurement, device: str) -> list[Measurement]:
    """The figures of a step that was run: its tensors, and the allocator's own."""
    figures = _followed(found.profile)
    figures["allocator_peak_bytes"] = found.allocator_peak_bytes
    if found.workspace_bytes >= 0:
        figures["workspace_bytes"] = found.workspace_bytes
    if found.reserved_bytes is not None:
        figures["reserved_bytes"] = found.reserved_bytes
    return list(_measurements(figures, "measured", device, found.profile.mode))


def disbelieved(found: AllocatorMeasurement) -> dict[str, str]:
    """The metrics that a fault of the measurement spoils, each with the reason; empty without one.

    The allocator's own figures stand: it is the tensors that were followed wrongly.
    """
    if found.fault is None:
        return {}
    return dict.fromkeys((*_followed(found.profile), "workspace_bytes"), found.fault)


def _followed(profile: MemoryProfile) -> dict[str, int]:
    """The figures of live tensors."""
    figures = {
        "peak_bytes": profile.peak_bytes,
        "static_bytes": profile.static_bytes,
        "saved_bytes": profile.saved_bytes,
        "allocations": profile.allocations,
    }
    if profile.mode == "inference":
        del figures["saved_bytes"]  # nothing is kept for a backward pass that never comes
    return figures


def _measurements(figures: Mapping[str, int], source: str, device: str, mode: Mode) -> Iterator[Measurement]:
    for name, value in figures.items():
        yield Measurement(name, (float(value),), source=source, device=device, mode=mode)
