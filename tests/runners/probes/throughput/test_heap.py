"""A heap full of holes, filled: in processes of their own, by the C library's own allocator."""

import json
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

HEAP = Path(__file__).parents[4] / "runners" / "probes" / "throughput" / "heap.py"

PROCESS = """
import ctypes, json, random, runpy, sys

fill_holes = runpy.run_path(sys.argv[1])["fill_holes"]
library = ctypes.CDLL(None)
library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
library.free.restype, library.free.argtypes = None, [ctypes.c_void_p]
draw = random.Random(0)
# All sizes that the allocator keeps apart by size, and larger ones up to what it maps.
small, large = range(24, 1041, 16), (1_500, 4_000, 16_000, 60_000, 100_000)
sizes = [*small] * 20 + [*large] * 40
draw.shuffle(sizes)
wanted = [*small] * 8 + [*large] * 8
draw.shuffle(wanted)
found = [0] * len(wanted)  # made before, like all else here: lists ask for memory and free it, too
chunks = [library.malloc(size) for size in sizes]
for chunk in chunks[::2]:
    library.free(chunk)
filled = fill_holes() if sys.argv[2] == "filled" else 0
for i, size in enumerate(wanted):
    found[i] = library.malloc(size)
holes = dict(first=min(chunks), last=max(chunks), bytes=sum(sizes[::2]))
print(json.dumps(holes | dict(filled=filled, wanted=wanted, found=found)))
"""

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="the heap of another C library has no holes of this kind"
)


@dataclass(frozen=True)
class Heap:
    """What a process found.

    Attributes:
        first: Address of the first of the old chunks, of which every other one was freed.
        last: That of the last.
        bytes: Of those that were freed.
        filled: What filling the holes said.
        wanted: Sizes of fresh chunks.
        found: Their addresses.
    """

    first: int
    last: int
    bytes: int
    filled: int
    wanted: list[int]
    found: list[int]

    @property
    def in_holes(self) -> list[int]:
        """Sizes of the fresh chunks that lie among the old ones."""
        places = zip(self.wanted, self.found, strict=True)
        return sorted(size for size, place in places if self.first <= place <= self.last)


def heap(state: str) -> Heap:
    """Where fresh chunks of many sizes are found, in a heap of which every other chunk was freed."""
    ran = subprocess.run(
        [sys.executable, "-c", PROCESS, HEAP, state], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return Heap(**json.loads(ran.stdout))


def test_what_is_allocated_after_filling_lies_in_a_row_at_the_heaps_end() -> None:
    found = heap("filled")
    assert found.in_holes == []
    addresses = found.found
    assert addresses[0] > found.last
    gaps = [
        after - (before + size)
        for before, after, size in zip(addresses, addresses[1:], found.wanted, strict=False)
    ]
    # The allocator's own header and rounding; nothing else lies between.
    assert 0 <= min(gaps) <= max(gaps) < 32


def test_without_filling_the_same_chunks_land_in_the_holes() -> None:
    found = heap("left")
    assert len(found.in_holes) > len(found.wanted) / 2
    assert len(set(found.in_holes)) > 60, "whatever their size"


def test_how_much_was_filled_is_told() -> None:
    found = heap("filled")
    assert found.filled == pytest.approx(found.bytes, rel=0.1)
