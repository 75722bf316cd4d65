"""Why one step needs more memory than another: which tensors, of which modules and shapes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runners.memory.profile import Category, MemoryProfile, TensorMemory


@dataclass(frozen=True, slots=True)
class TensorDifference:
    """Tensors alike in everything named here, alive at the one peak and at the other.

    Attributes:
        category: See `profile.TensorMemory`.
        module: Likewise.
        shape: Likewise.
        dtype: Likewise.
        before: How many at the first peak.
        after: How many at the second.
        nbytes: What they weigh at the second less what they weigh at the first.
    """

    category: Category
    module: str
    shape: tuple[int, ...]
    dtype: str
    before: int
    after: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A second step less a first.

    Attributes:
        peak_bytes: Of the peaks.
        saved_bytes: Of what the forward pass leaves for the backward pass.
        allocations: Of the numbers of tensors made.
        allocated_bytes: Of their sums.
        tensors: What differs between the peaks, the heaviest first; their bytes sum to `peak_bytes`.
        allocations_by_operator: Operators that made more tensors, or fewer.
        reason: In words.
    """

    peak_bytes: int
    saved_bytes: int
    allocations: int
    allocated_bytes: int
    tensors: tuple[TensorDifference, ...]
    allocations_by_operator: Mapping[str, int]
    reason: str


def difference(before: MemoryProfile, after: MemoryProfile) -> Difference:
    """Explain the second profile by the first.

    Raises:
        ValueError: The profiles are of different modes or targets.
    """
    for name, one, other in (
        ("mode", before.mode, after.mode),
        ("target", before.target, after.target),
    ):
        if one != other:
            raise ValueError(f"{name} {one!r} and {other!r}: profiles to compare must have the same")
    tensors = _tensors(before, after)
    made = _made(after)
    made.subtract(_made(before))
    return Difference(
        peak_bytes=after.peak_bytes - before.peak_bytes,
        saved_bytes=after.saved_bytes - before.saved_bytes,
        allocations=after.allocations - before.allocations,
        allocated_bytes=after.allocated_bytes - before.allocated_bytes,
        tensors=tensors,
        allocations_by_operator={
            operator: count for operator, count in sorted(made.items(), key=lambda i: -abs(i[1])) if count
        },
        reason=_reason(before, after, tensors),
    )


_Kind = tuple[Category, str, tuple[int, ...], str]


def _tensors(before: MemoryProfile, after: MemoryProfile) -> tuple[TensorDifference, ...]:
    counts = [Counter(map(_kind, _at_peak(profile))) for profile in (before, after)]
    sizes = {_kind(tensor): tensor.nbytes for profile in (before, after) for tensor in _at_peak(profile)}
    found = [
        TensorDifference(
            *kind, counts[0][kind], counts[1][kind], nbytes * (counts[1][kind] - counts[0][kind])
        )
        for kind, nbytes in sizes.items()
        if counts[0][kind] != counts[1][kind]
    ]
    return tuple(sorted(found, key=lambda tensor: -abs(tensor.nbytes)))


def _at_peak(profile: MemoryProfile) -> Iterable[TensorMemory]:
    return (tensor for tensor in profile.tensors if tensor.alive(profile.peak.operation))


def _kind(tensor: TensorMemory) -> _Kind:
    return tensor.category, tensor.module, tensor.shape, tensor.dtype


def _made(profile: MemoryProfile) -> Counter[str]:
    return Counter(tensor.operator for tensor in profile.tensors if tensor.born >= 0)


def _reason(before: MemoryProfile, after: MemoryProfile, tensors: tuple[TensorDifference, ...]) -> str:
    """The net change by category at the peaks, or why there is none."""
    change = after.peak_bytes - before.peak_bytes
    where = f"at {after.peak.operator} of {after.peak.module}"
    made = after.allocations - before.allocations
    nbytes = after.allocated_bytes - before.allocated_bytes
    allocated = f"{made:+,} allocations of {nbytes:+,} bytes in all"
    if change:
        net = {
            category: after.by_category[category] - before.by_category[category]
            for category in after.by_category
        }
        parts = sorted((item for item in net.items() if item[1]), key=lambda item: -abs(item[1]))
        listed = ", ".join(f"{category} {nbytes:+,}" for category, nbytes in parts)
        return f"{change:+,} bytes at the peak ({where}): {listed}; {allocated}"
    if not made and not nbytes and not tensors:
        return "the same tensors are alive at the peak, and as many are made"
    if not tensors:
        return f"none at the peak ({where}), where the same tensors are alive; elsewhere {allocated}"
    return (
        f"none at the peak ({where}): tensors of the same sizes stand in for each other; {allocated}"
        if _same_sizes(tensors)
        else f"none at the peak ({where}), where what differs cancels out; {allocated}"
    )


def _same_sizes(tensors: tuple[TensorDifference, ...]) -> bool:
    net: Counter[tuple[Category, tuple[int, ...], str]] = Counter()
    for tensor in tensors:
        net[tensor.category, tensor.shape, tensor.dtype] += tensor.after - tensor.before
    return not any(net.values())
