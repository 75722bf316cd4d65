"""CUDA's caching allocator, modelled: what it would report as allocated and as reserved.

PyTorch asks the driver for segments and hands out blocks of them. The rules, with their default sizes
(PyTorch's c10/cuda/CUDACachingAllocator.cpp; "Memory management" in its CUDA notes):

- A request is rounded up to 512 bytes; up to 1 MiB it is served from the small pool, above from the large.
- The smallest free block that fits is taken, the lowest address among equals.
- If there is none, a segment is asked for: 2 MiB for the small pool; 20 MiB for requests under 10 MiB;
  above, the request rounded up to 2 MiB.
- What is left of a block is split off if it is at least 512 bytes (small pool) or more than 1 MiB (large
  pool); otherwise the request gets the whole block, and it counts as allocated in full.
- A block that is given back is merged with free neighbours of its segment.
- When the device has no room for a segment, all segments without a block in use go back to the device,
  and it is asked again: a retry.

One stream, no expandable segments, no other settings. The model was not yet validated on CUDA.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass

from runners.memory.profile import MemoryProfile

KIB, MIB = 2**10, 2**20
MINIMUM_BLOCK = 512
SMALL_REQUEST = MIB
SMALL_SEGMENT = 2 * MIB
MEDIUM_REQUEST = 10 * MIB
MEDIUM_SEGMENT = 20 * MIB
LARGE_ROUNDING = 2 * MIB

LEFT_OUT = (
    "not yet validated on CUDA",
    "library workspaces (cuDNN, cuBLAS) and temporaries inside operators",
    "the CUDA context and loaded kernels, some hundred MiB that the allocator does not see",
    "fragmentation by what ran before the first step",
)
"""What the modelled figures do not hold."""


class OutOfMemoryError(Exception):
    """The device had no room for a segment, even with all unused ones given back."""


class Block:
    """A piece of a segment."""

    __slots__ = ("address", "following", "free", "preceding", "size", "small")

    def __init__(self, address: int, size: int, small: bool) -> None:
        self.address, self.size, self.small = address, size, small
        self.free = False
        self.preceding: Block | None = None
        self.following: Block | None = None


class CachingAllocator:
    """The model; sizes in bytes.

    Args:
        capacity: What the device gives in all; None for no limit.
    """

    def __init__(self, capacity: int | None = None) -> None:
        self.capacity = capacity
        self.allocated_bytes = self.allocated_peak_bytes = 0
        self.reserved_bytes = self.reserved_peak_bytes = 0
        self.retries = 0
        self._pools: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
        self._blocks: dict[int, Block] = {}
        self._top = 0

    def allocate(self, nbytes: int) -> Block:
        """Hand out a block of at least so many bytes.

        Raises:
            OutOfMemoryError: The capacity does not allow for it.
        """
        size = max(MINIMUM_BLOCK, _round_up(nbytes, MINIMUM_BLOCK))
        small = size <= SMALL_REQUEST
        block = self._best_fit(size, small) or self._new_segment(size, small)
        left = block.size - size
        if left >= MINIMUM_BLOCK if small else left > SMALL_REQUEST:
            self._split(block, size)
        block.free = False
        self.allocated_bytes += block.size
        self.allocated_peak_bytes = max(self.allocated_peak_bytes, self.allocated_bytes)
        return block

    def release(self, block: Block) -> None:
        """Take a block back."""
        assert not block.free
        self.allocated_bytes -= block.size
        block.free = True
        if block.following is not None and block.following.free:
            self._withdraw(block.following)
            self._merge(block, block.following)
        if block.preceding is not None and block.preceding.free:
            self._withdraw(block.preceding)
            block = self._merge(block.preceding, block)
        insort(self._pools[block.small], (block.size, block.address))

    def blocks(self) -> Iterator[Block]:
        """All blocks, free or in use, by address."""
        return iter(sorted(self._blocks.values(), key=lambda block: block.address))

    def _best_fit(self, size: int, small: bool) -> Block | None:
        pool = self._pools[small]
        position = bisect_left(pool, (size, 0))
        if position == len(pool):
            return None
        return self._blocks[pool.pop(position)[1]]

    def _new_segment(self, size: int, small: bool) -> Block:
        if small:
            wanted = SMALL_SEGMENT
        else:
            wanted = MEDIUM_SEGMENT if size < MEDIUM_REQUEST else _round_up(size, LARGE_ROUNDING)
        if not self._has_room(wanted):
            self.retries += 1
            self._give_back_unused()
            if not self._has_room(wanted):
                raise OutOfMemoryError(
                    f"a segment of {wanted} bytes beside {self.reserved_bytes} reserved is more than"
                    f" {self.capacity}"
                )
        block = self._blocks[self._top] = Block(self._top, wanted, small)
        self._top += wanted
        self.reserved_bytes += wanted
        self.reserved_peak_bytes = max(self.reserved_peak_bytes, self.reserved_bytes)
        return block

    def _has_room(self, wanted: int) -> bool:
        return self.capacity is None or self.reserved_bytes + wanted <= self.capacity

    def _give_back_unused(self) -> None:
        for pool in self._pools.values():
            for entry in list(pool):
                block = self._blocks[entry[1]]
                if block.preceding is None and block.following is None:
                    pool.remove(entry)
                    del self._blocks[block.address]
                    self.reserved_bytes -= block.size

    def _split(self, block: Block, size: int) -> None:
        rest = Block(block.address + size, block.size - size, block.small)
        rest.free = True
        rest.preceding, rest.following = block, block.following
        if block.following is not None:
            block.following.preceding = rest
        block.following, block.size = rest, size
        self._blocks[rest.address] = rest
        insort(self._pools[rest.small], (rest.size, rest.address))

    def _merge(self, left: Block, right: Block) -> Block:
        left.size += right.size
        left.following = right.following
        if right.following is not None:
            right.following.preceding = left
        del self._blocks[right.address]
        return left

    def _withdraw(self, block: Block) -> None:
        pool = self._pools[block.small]
        del pool[bisect_left(pool, (block.size, block.address))]


@dataclass(frozen=True, slots=True)
class Reservation:
    """What the modelled allocator reports.

    Attributes:
        allocated_peak_bytes: `max_memory_allocated`: blocks in use, with what was not split off.
        reserved_peak_bytes: `max_memory_reserved`: segments held.
        retries: How often unused segments had to be given back to the device.
    """

    allocated_peak_bytes: int
    reserved_peak_bytes: int
    retries: int


def replay(profile: MemoryProfile, capacity: int | None = None) -> Reservation:
    """The allocator through two steps, from an empty one: the second finds what the first left cached.

    Weights, buffers and inputs come first; the optimizer's state comes with the first update, as it does
    when a training begins.

    Raises:
        OutOfMemoryError: The capacity does not allow for it.
    """
    allocator = CachingAllocator(capacity)
    held: dict[int, Block] = {}

    def make(index: int) -> None:
        held[index] = allocator.allocate(profile.tensors[index].nbytes)

    before = [index for index, tensor in enumerate(profile.tensors) if tensor.born < 0]
    state = [index for index in before if profile.tensors[index].category == "optimizer_state"]
    for index in before:
        if index not in state:
            make(index)
    update = next((i for i, o in enumerate(profile.timeline) if o.phase == "optimizer_step"), None)
    for _ in range(2):
        for event in profile.events[len(before) :]:
            tensor = profile.tensors[event if event >= 0 else ~event]
            operation = tensor.born if event >= 0 else tensor.died
            if state and update is not None and operation is not None and operation >= update:
                for index in state:
                    make(index)
                state = []
            if event >= 0:
                make(event)
            else:
                allocator.release(held.pop(~event))
        for index in [index for index in held if profile.tensors[index].born >= 0]:
            allocator.release(held.pop(index))
    return Reservation(allocator.allocated_peak_bytes, allocator.reserved_peak_bytes, allocator.retries)


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
