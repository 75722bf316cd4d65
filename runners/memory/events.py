"""What the CPU's allocator did: the profiler's memory events, in the order of time."""

import gc
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from torch.profiler import ProfilerActivity, profile

MARK = "runners.memory operation "
"""Beginning of the name under which a follower marks an operation; its index follows."""


class MemoryEvent(NamedTuple):
    """Memory handed out or taken back.

    Attributes:
        nbytes: As it was asked for; negative when taken back.
        address: Where it begins.
        operation: Index of the operation marked at the time; None between operations.
        kernel: The innermost operator that was at work, e.g. `aten::mkldnn_convolution`, or "".
    """

    nbytes: int
    address: int
    operation: int | None
    kernel: str


class Recorder:
    """Records a step while it is followed.

    Attributes:
        events: What the allocator did.
        addresses: Where each tensor made in the step lay, by its index in the profile's tensors.
    """

    def __init__(self) -> None:
        self.events: list[MemoryEvent] = []
        self.addresses: dict[int, int] = {}

    def run(self, phase: Callable[[], None]) -> None:
        """Run a phase and record it."""
        self.events += memory_events(phase)


def memory_events(run: Callable[[], None]) -> list[MemoryEvent]:
    """Run something and list what the CPU's allocator did meanwhile.

    Garbage of others is collected before, and none during, so that nothing but the run's is taken back.
    """
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
            run()
    finally:
        if enabled:
            gc.enable()
    found: list[tuple[int, MemoryEvent]] = []
    for root in profiler.profiler.kineto_results.experimental_event_tree():
        found.extend(_below(root, None, ""))
    found.sort(key=lambda item: item[0])
    return [event for _, event in found]


def _below(node: Any, operation: int | None, kernel: str) -> Iterator[tuple[int, MemoryEvent]]:
    if node.tag.name == "Allocation":
        fields = node.extra_fields
        yield node.start_time_ns, MemoryEvent(fields.alloc_size, fields.ptr, operation, kernel)
    elif node.name.startswith(MARK):
        operation = int(node.name.removeprefix(MARK))
    elif node.name != "aten::empty":
        kernel = node.name
    for child in node.children:
        yield from _below(child, operation, kernel)
