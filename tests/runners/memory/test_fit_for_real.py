"""The largest batch, confirmed by real steps under a memory limit, from both sides."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

# The limit is on private memory (RLIMIT_DATA), beyond what a first step left behind: libraries, no tensor.
_STEP = """
import ctypes, gc, resource, sys
from pathlib import Path
import torch
import ablations
from runners.memory.fit import largest_batch
from runners.memory.settings import StepSettings
from runners.memory.step import Step

specification, size, capacity, share = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
build = lambda device: ablations.build(specification, device=device)
settings = lambda batch: StepSettings((batch, 3, size, size))

def step(batch):
    one = Step(build, settings(batch), torch.device("cpu"), "cpu")
    one.prepare()
    one.run()

def private_bytes():
    (line,) = (l for l in Path("/proc/self/status").read_text().splitlines() if l.startswith("VmData"))
    return int(line.split()[1]) * 1024

fits = largest_batch(build, settings(1), capacity, target="cpu", safety_margin=0.0).batch_size
step(1)
gc.collect()
ctypes.CDLL(None).malloc_trim(0)
limit = private_bytes() + capacity
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
try:
    step(round(fits * share))
    print(fits, "ok")
except RuntimeError as error:
    print(fits, "out of memory" if "DefaultCPUAllocator: can't allocate memory" in str(error) else error)
"""

CAPACITY = 2 * 2**30


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA covers private mappings on Linux alone")
@pytest.mark.parametrize(("share", "end"), [(0.9, "ok"), (1.1, "out of memory")])
@pytest.mark.parametrize(
    ("specification", "size"),
    [
        ("resnet:depth=50", 288),
        ("resnet:depth=18,norm=none", 704),
        ("resnet:depth=18,stem=deep64", 448),
    ],
)
def test_ten_percent_below_the_largest_batch_runs_and_ten_percent_above_does_not(
    specification: str, size: int, share: float, end: str
) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", _STEP, specification, str(size), str(CAPACITY), str(share)],
        capture_output=True,
        text=True,
        check=True,
        # Freed memory goes back to the system at once, so that the limit counts what is in use.
        env=os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536", "PYTHONPATH": str(ROOT)},
    )
    fits, _, ended = finished.stdout.strip().partition(" ")
    assert ended == end
    assert CAPACITY / int(fits) >= 100 * 2**20, "a sample must weigh enough for 10 % to be whole samples"
