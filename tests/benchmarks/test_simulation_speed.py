"""What a simulated training step of ResNet-50 costs, beside torch's own tracker in the same run.

Both build the network; ours says which module and category every byte belongs to as well.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker

import ablations
from runners.memory.settings import StepSettings
from runners.memory.simulate import simulate

pytestmark = pytest.mark.bench

Benchmark = Callable[..., Any]


def build(device: torch.device) -> nn.Module:
    return ablations.build("resnet:depth=50", device=device)


@pytest.mark.benchmark(group="one training step of ResNet-50 at 224 px, simulated")
@pytest.mark.parametrize("batch_size", [8, 256, 1024])
def test_ours(benchmark: Benchmark, batch_size: int) -> None:
    settings = StepSettings((batch_size, 3, 224, 224))
    assert benchmark(simulate, build, settings, target="cuda").peak_bytes > 0


@pytest.mark.benchmark(group="one training step of ResNet-50 at 224 px, simulated")
def test_torchs_mem_tracker_under_fake_tensors(benchmark: Benchmark) -> None:
    def track() -> int:
        with FakeTensorMode():
            network = torchvision.models.resnet50()
            optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
            images, labels = torch.empty(8, 3, 224, 224), torch.zeros(8, dtype=torch.int64)
            tracker = MemTracker()
            tracker.track_external(network, optimizer, images, labels)
            with tracker:
                nn.functional.cross_entropy(network(images), labels).backward()
                optimizer.step()
            return int(tracker.get_tracker_snapshot("peak")[torch.device("cpu")]["Total"])

    assert benchmark.pedantic(track, rounds=3, warmup_rounds=1) > 0  # type: ignore[attr-defined]
