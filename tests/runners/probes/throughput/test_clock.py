"""The clock: phases add up to the step, and an accelerator's queue is read by its own events."""

import time
from typing import Any

import pytest
import torch

from runners import devices
from runners.probes.throughput.clock import Mark, time_turn


def test_phases_of_a_turn_add_up_to_its_wall_time() -> None:
    def step(mark: Mark) -> None:
        time.sleep(0.002)
        mark()
        time.sleep(0.006)
        mark()

    turn = time_turn(step, 5, "cpu")
    assert turn.laps_seconds.shape == (5, 2)
    first, second = turn.phase_seconds
    assert 0.002 <= first < second
    assert second >= 0.006
    # Between the last mark and the end stands one reading of the clock.
    assert turn.laps_seconds.sum() <= turn.seconds
    assert turn.seconds - turn.laps_seconds.sum() < 1e-3
    assert turn.step_seconds == pytest.approx(turn.seconds / 5)


class FakeDevice:
    """A device with a queue: work takes device time at once and wall time only where it is waited for."""

    def __init__(self) -> None:
        self.queue_seconds = 0.0
        self.now = 100.0  # device time
        self.synchronized: list[float] = []

    def launch(self, seconds: float) -> None:
        self.now += seconds
        self.queue_seconds += seconds

    def synchronize(self, device: str) -> None:
        time.sleep(self.queue_seconds)
        self.synchronized.append(self.queue_seconds)
        self.queue_seconds = 0.0

    def event(self, device: str, *, enable_timing: bool) -> Any:
        assert enable_timing
        fake = self

        class Event:
            def record(self) -> None:
                self.at = fake.now

            def elapsed_time(self, other: "Event") -> float:
                return (other.at - self.at) * 1e3

        return Event()


def test_an_accelerator_is_waited_for_before_and_after_a_turn_but_not_within(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = FakeDevice()
    monkeypatch.setattr(devices, "synchronize", fake.synchronize)
    monkeypatch.setattr(torch, "Event", fake.event)
    fake.launch(0.05)  # left over from before: no part of the turn

    def step(mark: Mark) -> None:
        fake.launch(0.010)
        mark()
        fake.launch(0.020)
        mark()

    turn = time_turn(step, 3, "cuda")
    assert fake.synchronized == [pytest.approx(0.05), pytest.approx(0.09)]
    assert turn.phase_seconds == pytest.approx([0.010, 0.020])
    assert turn.device_step_seconds == pytest.approx(0.030)
    # Wall time holds what was queued; a sleep is never shorter than asked for.
    assert turn.step_seconds >= 0.030
    assert turn.seconds < 0.14, "the queue from before the turn was timed with it"


@pytest.mark.gpu
def test_events_and_wall_time_agree_on_a_real_device() -> None:
    device = torch.accelerator.current_accelerator(check_available=True)
    assert device is not None, "needs an accelerator"
    a = torch.rand(2048, 2048, device=device)

    def step(mark: Mark) -> None:
        for _ in range(10):
            a @ a
        mark()

    time_turn(step, 3, device.type)
    turn = time_turn(step, 20, device.type)
    # The device's own time is part of the wall time, and nearly all of it where work is queued ahead.
    assert 0.5 * turn.step_seconds < turn.device_step_seconds <= 1.01 * turn.step_seconds
