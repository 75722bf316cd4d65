"""A training's process keeps the memory that it frees: the system's own count of page faults tells."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
PROGRAM = """
import ctypes, resource, sys
sys.path.insert(0, sys.argv[1])
from runners.probes.convergence.allocator import keep_freed_memory
if sys.argv[2] == "kept":
    assert keep_freed_memory()
if sys.argv[2] == "trained":
    from dataclasses import replace
    from runners.probes import convergence
    from runners.trial import TrialArm
    from tests.runners.test_sources import trial
    small = "resnet:depth=18,width=2,in_channels=1,num_classes=10"
    one = trial("convergence", epochs=1, train_images=32, batch_size=16, image_size=8)
    convergence.run(replace(one, arms=(TrialArm("baseline", small, small),)))
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
def step():
    blocks = [libc.malloc(3_000_000) for _ in range(20)]
    for block in blocks:
        ctypes.memset(block, 1, 3_000_000)
    for block in reversed(blocks):
        libc.free(block)
for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how: str) -> int:
    """Of ten rounds that allocate, write and free 60 MB, as activations are, in blocks."""
    command = [sys.executable, "-c", PROGRAM, str(ROOT), how]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of glibc")
def test_what_is_freed_is_not_taken_anew_from_the_system() -> None:
    assert page_faults("kept") < 1_000
    assert page_faults("given back") > 10_000
    assert page_faults("trained") < 1_000, "a training keeps it"
