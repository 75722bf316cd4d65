"""The allocator's rules: each in an example worked out by hand, all against a plain rendering of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.memory.cuda_allocator import (
    KIB,
    LEFT_OUT,
    MIB,
    Block,
    CachingAllocator,
    OutOfMemoryError,
    replay,
)
from runners.memory.simulate import follow, simulate
from tests.runners.memory.cases import VARIANTS, small, variant


def state(allocator: CachingAllocator) -> tuple[int, int]:
    return allocator.allocated_bytes, allocator.reserved_bytes


def test_requests_are_rounded_up_to_512_bytes() -> None:
    allocator = CachingAllocator()
    for nbytes, rounded in ((1, 512), (512, 512), (513, 1024), (1500, 1536)):
        assert allocator.allocate(nbytes).size == rounded
    assert state(allocator) == (512 + 512 + 1024 + 1536, 2 * MIB)


def test_requests_up_to_1_mib_share_segments_of_2_mib() -> None:
    allocator = CachingAllocator()
    first, second = allocator.allocate(MIB), allocator.allocate(MIB)
    assert state(allocator) == (2 * MIB, 2 * MIB)
    assert (first.address, second.address) == (0, MIB)
    allocator.allocate(512)
    assert state(allocator) == (2 * MIB + 512, 4 * MIB)


def test_requests_above_1_mib_share_segments_of_20_mib() -> None:
    allocator = CachingAllocator()
    for _ in range(3):
        allocator.allocate(6 * MIB)
    assert state(allocator) == (18 * MIB, 20 * MIB)
    allocator.allocate(3 * MIB)  # 2 MiB are left
    assert state(allocator) == (21 * MIB, 40 * MIB)
    allocator.allocate(MIB + 1)  # 1 MiB and 512 bytes; what is left of the 2 MiB is no more than 1 MiB
    assert state(allocator) == (23 * MIB, 40 * MIB)


def test_requests_from_10_mib_get_a_segment_of_their_own_in_steps_of_2_mib() -> None:
    allocator = CachingAllocator()
    assert allocator.allocate(10 * MIB).size == 10 * MIB
    assert state(allocator) == (10 * MIB, 10 * MIB)
    assert allocator.allocate(10 * MIB + 1).size == 10 * MIB + 512  # 2 MiB less 512 bytes are split off
    assert state(allocator) == (20 * MIB + 512, 22 * MIB)


def test_a_large_request_just_under_the_step_takes_the_whole_segment() -> None:
    allocator = CachingAllocator()
    assert allocator.allocate(11 * MIB).size == 12 * MIB  # 1 MiB is left, which is not more than 1 MiB
    assert state(allocator) == (12 * MIB, 12 * MIB)


def test_the_rest_of_a_small_block_is_split_off_down_to_512_bytes() -> None:
    allocator = CachingAllocator()
    whole = allocator.allocate(MIB)
    allocator.allocate(MIB)
    allocator.release(whole)
    assert allocator.allocate(MIB - 512).address == 0
    assert allocator.allocate(512).address == MIB - 512
    assert state(allocator) == (2 * MIB, 2 * MIB)


def test_the_smallest_free_block_that_fits_is_taken_and_the_lowest_among_equals() -> None:
    allocator = CachingAllocator()
    blocks = [allocator.allocate(size * KIB) for size in (300, 1, 100, 1, 100, 1, 200, 1)]
    for index in (0, 2, 4, 6):
        allocator.release(blocks[index])
    assert allocator.allocate(90 * KIB).address == blocks[2].address
    assert allocator.allocate(100 * KIB).address == blocks[4].address
    assert allocator.allocate(101 * KIB).address == blocks[6].address
    assert allocator.allocate(201 * KIB).address == blocks[0].address


def test_free_neighbours_are_merged_and_neighbours_in_use_are_not() -> None:
    allocator = CachingAllocator()
    first, second, third = (allocator.allocate(6 * MIB) for _ in range(3))
    allocator.release(first)
    allocator.release(third)  # merges with the 2 MiB at the end
    assert [(b.size, b.free) for b in allocator.blocks()] == [
        (6 * MIB, True),
        (6 * MIB, False),
        (8 * MIB, True),
    ]
    allocator.release(second)
    assert [(b.size, b.free) for b in allocator.blocks()] == [(20 * MIB, True)]
    assert allocator.allocate(18 * MIB).address == 0
    assert state(allocator) == (18 * MIB, 20 * MIB)


def test_the_pools_do_not_lend_to_each_other() -> None:
    allocator = CachingAllocator()
    allocator.release(allocator.allocate(2 * MIB))
    allocator.allocate(512)
    assert state(allocator) == (512, 20 * MIB + 2 * MIB)


def test_freed_memory_stays_reserved() -> None:
    allocator = CachingAllocator()
    allocator.release(allocator.allocate(30 * MIB))
    assert state(allocator) == (0, 30 * MIB)
    allocator.allocate(40 * MIB)
    assert state(allocator) == (40 * MIB, 70 * MIB)


def test_a_full_device_takes_back_unused_segments_and_is_asked_again() -> None:
    allocator = CachingAllocator(capacity=50 * MIB)
    allocator.release(allocator.allocate(30 * MIB))
    allocator.allocate(512)
    allocator.allocate(40 * MIB)
    assert state(allocator) == (40 * MIB + 512, 42 * MIB)
    assert allocator.retries == 1
    assert allocator.reserved_peak_bytes == 42 * MIB


def test_a_segment_with_a_block_in_use_cannot_be_given_back() -> None:
    allocator = CachingAllocator(capacity=50 * MIB)
    kept, freed = allocator.allocate(2 * MIB), allocator.allocate(9 * MIB)
    allocator.release(freed)
    with pytest.raises(OutOfMemoryError):
        allocator.allocate(40 * MIB)
    allocator.release(kept)
    allocator.allocate(40 * MIB)
    assert state(allocator) == (40 * MIB, 40 * MIB)


SIZES = st.one_of(
    st.integers(1, 4 * KIB),
    st.integers(1, 2 * MIB),
    st.integers(1, 30 * MIB),
    st.sampled_from([MIB, 10 * MIB]),
)


@given(st.lists(st.tuples(SIZES, st.integers(0, 10**6))), st.none() | st.integers(20, 200))
def test_it_agrees_with_a_plain_rendering_of_its_rules(
    requests: list[tuple[int, int]], capacity: int | None
) -> None:
    allocator = CachingAllocator(None if capacity is None else capacity * MIB)
    plain = Plain(None if capacity is None else capacity * MIB)
    held: list[tuple[Block, int]] = []
    for nbytes, choice in requests:
        if held and choice % 3 == 0:
            ours, theirs = held.pop(choice % len(held))
            allocator.release(ours)
            plain.release(theirs)
        else:
            try:
                theirs = plain.allocate(nbytes)
            except MemoryError:
                with pytest.raises(OutOfMemoryError):
                    allocator.allocate(nbytes)
                continue
            ours = allocator.allocate(nbytes)
            assert ours.address == theirs
            held.append((ours, theirs))
        assert state(allocator) == plain.state()
        assert allocator.retries == plain.retries
        assert [(b.address, b.size, b.free) for b in allocator.blocks()] == plain.listed()


class Plain:
    """Segments as lists of [size, free], searched from end to end."""

    def __init__(self, capacity: int | None) -> None:
        self.capacity = capacity
        self.segments: dict[int, list[list[int]]] = {}
        self.small: dict[int, bool] = {}
        self.top = 0
        self.retries = 0

    def listed(self) -> list[tuple[int, int, bool]]:
        return [
            (start + sum(size for size, _ in pieces[:i]), pieces[i][0], bool(pieces[i][1]))
            for start, pieces in sorted(self.segments.items())
            for i in range(len(pieces))
        ]

    def state(self) -> tuple[int, int]:
        listed = self.listed()
        return sum(size for _, size, free in listed if not free), sum(size for _, size, _ in listed)

    def allocate(self, nbytes: int) -> int:
        size = (nbytes + 511) // 512 * 512
        small = size <= 1048576
        fits = [
            (pieces[i][0], self._address(start, i), start, i)
            for start, pieces in self.segments.items()
            if self.small[start] == small
            for i in range(len(pieces))
            if pieces[i][1] and pieces[i][0] >= size
        ]
        if fits:
            _, address, start, i = min(fits)
        else:
            address, start, i = self._grow(size, small), self.top, 0
            self.top += self.segments[start][0][0]
        left = self.segments[start][i][0] - size
        self.segments[start][i][1] = 0
        if (small and left >= 512) or (not small and left > 1048576):
            self.segments[start][i][0] = size
            self.segments[start].insert(i + 1, [left, 1])
        return address

    def release(self, address: int) -> None:
        start = max(s for s in self.segments if s <= address)
        pieces = self.segments[start]
        pieces[next(i for i in range(len(pieces)) if self._address(start, i) == address)][1] = 1
        merged: list[list[int]] = []
        for size, free in pieces:
            if merged and free and merged[-1][1]:
                merged[-1][0] += size
            else:
                merged.append([size, free])
        self.segments[start] = merged

    def _address(self, start: int, i: int) -> int:
        return start + sum(size for size, _ in self.segments[start][:i])

    def _grow(self, size: int, small: bool) -> int:
        wanted = 2097152 if small else 20971520 if size < 10485760 else (size + 2097151) // 2097152 * 2097152
        if self.capacity is not None and self.state()[1] + wanted > self.capacity:
            self.retries += 1
            self.segments = {s: p for s, p in self.segments.items() if len(p) > 1 or not p[0][1]}
            if self.state()[1] + wanted > self.capacity:
                raise MemoryError
        self.segments[self.top] = [[wanted, 1]]
        self.small[self.top] = small
        return self.top


@pytest.mark.parametrize("specification", VARIANTS[:3])
def test_a_recorded_step_replays_within_its_bounds(specification: str) -> None:
    """From the allocations of a step that really ran; two sizes of it, for small and for large segments."""
    for settings in (small(), small(mode="inference")):
        profile = follow(variant(specification), settings)
        reservation = replay(profile)
        assert profile.peak_bytes <= reservation.allocated_peak_bytes <= reservation.reserved_peak_bytes
        assert replay(profile, capacity=reservation.reserved_peak_bytes) == reservation
        with pytest.raises(OutOfMemoryError):
            replay(profile, capacity=profile.peak_bytes)


def test_a_simulation_for_cuda_says_what_would_be_reserved_and_that_it_was_not_validated() -> None:
    profile = simulate(variant(VARIANTS[0]), small())
    assert profile.reserved_bytes is not None
    assert profile.reserved_bytes >= profile.peak_bytes
    assert profile.reserved_bytes % (2 * MIB) == 0
    assert profile.summary()["left_out"] == list(LEFT_OUT)
    assert LEFT_OUT[0] == "not yet validated on CUDA"
    on_the_cpu = simulate(variant(VARIANTS[0]), small(), target="cpu")
    assert on_the_cpu.reserved_bytes is None
