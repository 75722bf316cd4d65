"""A profile as a record keeps it: enough to draw and to explain it, without every tensor and operation."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from runners.memory.difference import difference
from runners.memory.profile import MemoryProfile

MOST_POINTS = 400
"""Of a timeline; the highest operation of each stretch stands for it, so that no peak is lost."""

MOST_TENSORS = 8


def profile_story(profile: MemoryProfile, device: str) -> dict[str, Any]:
    """What a report tells of a profile.

    Args:
        profile: The profile.
        device: What it holds for: the device measured, or the target simulated.
    """
    return profile.summary() | {
        "device": device,
        "saved_by_module": saved_by_module(profile),
        "timeline": timeline(profile),
        "against_baseline": None,
        "safety_margin": None,
        "largest_batch_size": {},
    }


def against(before: MemoryProfile, after: MemoryProfile) -> dict[str, Any]:
    """What the second needs more than the first, and why; of the tensors the heaviest."""
    found = asdict(difference(before, after))
    found["tensors"] = [entry | {"shape": list(entry["shape"])} for entry in found["tensors"][:MOST_TENSORS]]
    return found


def saved_by_module(profile: MemoryProfile) -> dict[str, int]:
    """Bytes of activations that the forward pass leaves for the backward pass, the heaviest module first."""
    saved: Counter[str] = Counter()
    for tensor in profile.tensors:
        if tensor.category == "activations":
            saved[tensor.module] += tensor.nbytes
    return dict(saved.most_common())


def timeline(profile: MemoryProfile) -> dict[str, Any]:
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
    return {
        "operation": kept,
        "live_bytes": [profile.timeline[index].live_bytes for index in kept],
        "phase_starts": starts,
    }
