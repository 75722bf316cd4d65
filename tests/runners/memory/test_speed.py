"""How long a simulation takes."""

import subprocess
import sys
from statistics import median

import pytest

_COLD = """
import torch, time
import ablations
from runners.memory.settings import StepSettings
from runners.memory.simulate import simulate
build = lambda device: ablations.build("resnet:depth=50", device=device)
for batch in (8, 256):
    started = time.perf_counter()
    simulate(build, StepSettings((batch, 3, 224, 224)))
    print(time.perf_counter() - started)
"""

_AGAINST_TORCH = """
import time
import torch
import torchvision
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker
from runners.memory.settings import StepSettings
from runners.memory.simulate import simulate

def ours(batch):
    started = time.perf_counter()
    simulate(lambda _: torchvision.models.resnet50(), StepSettings((batch, 3, 224, 224)))
    return time.perf_counter() - started

def theirs(batch):
    started = time.perf_counter()
    with FakeTensorMode():
        network = torchvision.models.resnet50()
        images, labels = torch.empty(batch, 3, 224, 224), torch.empty(batch, dtype=torch.int64)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
        tracker = MemTracker()
        tracker.track_external(network, optimizer, images, labels)
        prepared = time.perf_counter()
        with tracker:
            torch.nn.functional.cross_entropy(network(images), labels).backward()
            optimizer.step()
    return time.perf_counter() - prepared

for _ in range(5):
    print(*(ours(8), theirs(8), ours(1024)))
"""


def _run(program: str) -> list[list[float]]:
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    return [[float(word) for word in line.split()] for line in output.splitlines()]


def test_resnet50_takes_at_most_a_second_and_a_half_in_a_fresh_process_at_any_batch() -> None:
    for (seconds,) in _run(_COLD):
        assert seconds <= 1.5


@pytest.mark.slow
def test_a_simulation_is_four_times_faster_than_torchs_tracker_and_as_fast_at_a_large_batch() -> None:
    ours, theirs, ours_at_a_large_batch = map(median, zip(*_run(_AGAINST_TORCH), strict=True))
    assert theirs >= 4 * ours
    assert ours_at_a_large_batch <= 1.25 * ours
