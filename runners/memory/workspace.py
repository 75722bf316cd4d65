"""The allocator's peak taken apart: tensors that were followed, and scratch by operator."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from runners.memory.events import MemoryEvent, Recorder
from runners.memory.profile import MemoryProfile

BETWEEN = "(between operators)"


@dataclass(frozen=True, slots=True)
class Workspace:
    """Memory that was no tensor of the step: scratch of a library, a copy in another layout, a number.

    Attributes:
        nbytes: Its size.
        operator: The step's operator that it was asked for, or a name in parentheses.
        module: The module at work.
        kernel: What asked for it, innermost.
    """

    nbytes: int
    operator: str
    module: str
    kernel: str


@dataclass(frozen=True, slots=True)
class AllocatorPeak:
    """What the allocator held when it held most; the two add up to it exactly.

    Attributes:
        tensor_bytes: Tensors alive, those from before the step included.
        workspaces: Everything else, the largest first.
        lasting_bytes: Of these, what outlived the operator that asked for it: nothing should.
        unplaced_tensors: Tensors that no event of the allocator handed out: there should be none.
        largest_by_operator: Most scratch held at once by any one operator, over the whole step.
    """

    tensor_bytes: int
    workspaces: tuple[Workspace, ...]
    lasting_bytes: int
    unplaced_tensors: int
    largest_by_operator: Mapping[str, int]

    @property
    def allocator_bytes(self) -> int:
        """Tensors and workspaces."""
        return self.tensor_bytes + sum(workspace.nbytes for workspace in self.workspaces)


def attribute(profile: MemoryProfile, recorder: Recorder) -> AllocatorPeak:
    """Tell the tensors among the allocator's blocks from the rest, at its peak.

    Args:
        profile: The step, followed while it was recorded.
        recorder: What the allocator did, and where the tensors lay.
    """
    events = recorder.events
    tensors = _tensor_events(profile, recorder)
    missing = profile.allocations - len(tensors)
    tensor_bytes = profile.static_bytes
    scratch: dict[int, tuple[int | None, Workspace]] = {}
    tensor_sizes: dict[int, int] = {}
    by_operator: dict[str, int] = defaultdict(int)
    largest: dict[str, int] = defaultdict(int)
    highest, scratch_bytes = AllocatorPeak(tensor_bytes, (), 0, missing, {}), 0
    for index, event in enumerate(events):
        if event.nbytes < 0:
            tensor_bytes -= tensor_sizes.pop(event.address, 0)
            gone = scratch.pop(event.address, None)
            if gone is not None:
                scratch_bytes -= gone[1].nbytes
                by_operator[gone[1].operator] -= gone[1].nbytes
        elif index in tensors:
            tensor_sizes[event.address] = event.nbytes
            tensor_bytes += event.nbytes
        elif not _passing_number(event):
            workspace = _workspace(profile, event)
            scratch[event.address] = (event.operation, workspace)
            scratch_bytes += event.nbytes
            by_operator[workspace.operator] += event.nbytes
            operator = workspace.operator
            largest[operator] = max(largest[operator], by_operator[operator])
        if tensor_bytes + scratch_bytes > highest.allocator_bytes:
            lasting = sum(w.nbytes for operation, w in scratch.values() if operation != event.operation)
            held = sorted((w for _, w in scratch.values()), key=lambda w: -w.nbytes)
            highest = AllocatorPeak(tensor_bytes, tuple(held), lasting, missing, {})
    return replace(highest, largest_by_operator=dict(sorted(largest.items(), key=lambda item: -item[1])))


def _tensor_events(profile: MemoryProfile, recorder: Recorder) -> set[int]:
    """Indices of the events that handed out the tensors: the last so placed in its operation."""
    last = {
        (event.operation, event.address, event.nbytes): index
        for index, event in enumerate(recorder.events)
        if event.nbytes > 0
    }
    places = {
        (profile.tensors[index].born, address, profile.tensors[index].nbytes)
        for index, address in recorder.addresses.items()
    }
    return {index for place, index in last.items() if place in places}


def _passing_number(event: MemoryEvent) -> bool:
    """A Python number on its way into the follower, which is made a tensor once more on its way out."""
    return event.operation is None and event.nbytes <= 16


def _workspace(profile: MemoryProfile, event: MemoryEvent) -> Workspace:
    if event.operation is None:
        return Workspace(event.nbytes, BETWEEN, BETWEEN, event.kernel)
    operation = profile.timeline[event.operation]
    return Workspace(event.nbytes, operation.operator, operation.module, event.kernel)
