"""The allocator's own figures, and PyTorch's own tracker, beside ours."""

import inspect
from collections.abc import Mapping

import pytest
import torch
from torch import nn
from torch.distributed._tools.mem_tracker import MemTracker
from torch.profiler import ProfilerActivity, profile

from results.records.metric import Metric
from runners.memory.measure import AllocatorMeasurement, accelerator_peaks, measure_allocator
from runners.memory.settings import Mode, StepSettings
from runners.memory.simulate import follow, simulate
from runners.memory.step import Step
from runners.probes.memory.metrics import METRICS
from tests.runners.memory.cases import VARIANTS, one_convolution, small, variant


@pytest.mark.parametrize("mode", ["train", "inference"])
def test_the_allocators_peak_holds_the_tensors_and_some_scratch(mode: Mode) -> None:
    measured = measure_allocator(variant(VARIANTS[0]), small(mode))
    simulated = simulate(variant(VARIANTS[0]), small(mode), target="cpu")
    assert measured.profile.peak_bytes == simulated.peak_bytes
    assert 0 <= measured.workspace_bytes < 0.5 * simulated.peak_bytes
    assert list(measured.peak_by_phase) == list(simulated.peaks)
    for phase, peak in simulated.peaks.items():
        assert measured.peak_by_phase[phase] >= peak.live_bytes


def test_the_cpu_allocator_counts_bytes_as_they_are_asked_for() -> None:
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        kept = torch.empty(3, dtype=torch.uint8)
    events = [e for e in profiler.profiler.kineto_results.events() if e.name() == "[memory]"]
    assert [e.nbytes() for e in events] == [3]
    del kept


DEVICE = torch.device("cuda", 1)


class FakeStatistics:
    """An allocator that was at 7 bytes, and at a peak of 10 and 20 in the phases."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.retries = 5

    def reset_peak_memory_stats(self, device: torch.device, /) -> None:
        self._called("reset", device)

    def max_memory_allocated(self, device: torch.device, /) -> int:
        self._called("read", device)
        return 10 * self.calls.count("reset")

    def max_memory_reserved(self, device: torch.device, /) -> int:
        assert device == DEVICE
        return 64

    def memory_stats(self, device: torch.device, /) -> Mapping[str, int]:
        assert device == DEVICE
        self.retries += 1
        return {"num_alloc_retries": self.retries}

    def synchronize(self, device: torch.device, /) -> None:
        self._called("wait", device)

    def _called(self, name: str, device: torch.device) -> None:
        assert device == DEVICE
        self.calls.append(name)


def as_if_elsewhere(settings: StepSettings) -> Step:
    """A step that believes itself on the second of two accelerators."""
    step = Step(one_convolution, settings, torch.device("cpu"), "cpu")
    step.prepare()
    step.device = DEVICE
    return step


def test_an_accelerators_peaks_are_reset_before_each_phase_and_read_after_it_has_ended() -> None:
    fake = FakeStatistics()
    step = as_if_elsewhere(StepSettings((2, 3, 4, 4), target_shape=(2, 4, 4)))
    peaks, reserved, retries = accelerator_peaks(step, fake)
    assert peaks == {"forward": 10, "backward": 20, "optimizer_step": 30}
    assert fake.calls == ["wait", "reset", "wait", "read"] * 3
    assert (reserved, retries) == (64, 1)


def test_an_accelerator_that_counts_no_retries_has_none() -> None:
    class Silent(FakeStatistics):
        def memory_stats(self, device: torch.device, /) -> Mapping[str, int]:
            return {}

    step = as_if_elsewhere(StepSettings((2, 3, 4, 4), mode="inference"))
    assert accelerator_peaks(step, Silent())[2] is None


@pytest.mark.parametrize(
    "name",
    [
        "reset_peak_memory_stats",
        "max_memory_allocated",
        "max_memory_reserved",
        "memory_stats",
        "synchronize",
    ],
)
def test_pytorch_answers_for_the_device_that_it_is_given(name: str) -> None:
    inspect.signature(getattr(torch.accelerator, name)).bind(DEVICE)


def test_tensors_heavier_than_what_the_allocator_handed_out_are_a_fault_that_says_so() -> None:
    profile = simulate(one_convolution, StepSettings((2, 3, 4, 4), mode="inference"), target="cpu")
    right = AllocatorMeasurement("cpu", {"inference": profile.peak_bytes}, profile)
    wrong = AllocatorMeasurement("cpu", {"inference": profile.peak_bytes - 1500}, profile)
    assert (right.workspace_bytes, right.fault) == (0, None)
    assert wrong.workspace_bytes == -1500
    assert wrong.fault == (
        "the tensors followed weigh 1,500 bytes more than the allocator handed out, at "
        "aten.convolution.default of (model): the figures of this step are wrong"
    )


def _mem_tracker_peak(network: nn.Module) -> int:
    tracker = MemTracker()
    images = torch.rand(2, 3, 48, 48)
    labels = torch.zeros(2, dtype=torch.int64)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, weight_decay=1e-4)
    tracker.track_external(network, optimizer, images, labels)
    with tracker:
        output = network(images)
        loss = nn.functional.cross_entropy(output, labels)
        loss.backward()
        optimizer.step()
    snapshot = tracker.get_tracker_snapshot("peak")[torch.device("cpu")]
    return int(snapshot["Total"])


def chain(device: torch.device) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 10),
    ).to(device)


def test_torchs_own_tracker_finds_the_same_peak_where_no_gradients_meet() -> None:
    ours = follow(chain, small(momentum=0.0))
    assert ours.peak_bytes == _mem_tracker_peak(chain(torch.device("cpu")))


def test_every_metric_is_exact_and_lower_is_better() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    assert all(isinstance(m, Metric) and m.exact and m.better == "lower" for m in METRICS)
    assert [m.name for m in METRICS if m.headline] == ["peak_bytes"]
