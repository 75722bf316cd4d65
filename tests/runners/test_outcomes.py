"""From an exception to a status: whatever an arm raises, and what it means where a device is shared."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from results.records.record import Status
from runners import devices
from runners.devices import DeviceMemory, memory
from runners.outcomes import Diverged, Findings, NotApplicable, TimedOut, each_arm, failure, status_of
from runners.trial import Trial
from tests.runners.test_sources import trial

GIB = 2**30


def raising(error: BaseException) -> Callable[..., Findings]:
    def measure(*_: object) -> Findings:
        raise error

    return measure


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (Diverged("the loss was nan"), "diverged", "the loss was nan"),
        (Diverged("\ud83d"), "diverged", "\N{REPLACEMENT CHARACTER}"),
        (NotApplicable("no such stem"), "not_applicable", "no such stem"),
        (TimedOut("it took long"), "timed_out", "it took long"),
        (MemoryError(), "out_of_memory", "MemoryError (test_outcomes.py:"),
        (torch.OutOfMemoryError("CUDA"), "out_of_memory", "OutOfMemoryError: CUDA (test_outcomes.py:"),
        (KeyboardInterrupt(), "failed", "KeyboardInterrupt (test_outcomes.py:"),
        (GeneratorExit(), "failed", "GeneratorExit (test_outcomes.py:"),
        (
            RuntimeError("two\nlines\x1b[31m"),
            "failed",
            "RuntimeError: two lines\N{REPLACEMENT CHARACTER}[31m (",
        ),
        (RuntimeError("\udcff"), "failed", "RuntimeError: \N{REPLACEMENT CHARACTER} (test_outcomes.py:"),
        (ValueError("x" * 10_000), "failed", f"ValueError: {'x' * 500} (test_outcomes.py:"),
    ],
)
def test_whatever_is_raised_becomes_a_status_and_a_reason(
    error: BaseException, status: Status, reason: str
) -> None:
    ((found,),) = [each_arm(trial("memory"), raising(error))]
    assert found.status == status
    assert (found.reason or "").startswith(reason)
    (found.reason or "").encode()
    assert found.measurements == ()


def test_the_cpus_allocator_has_no_exception_of_its_own() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60)
    assert status_of(caught.value) == "out_of_memory"


class Figures:
    """A device of 40 GiB."""

    def __init__(self, free: int, reserved: int) -> None:
        self._free, self._reserved = free, reserved

    def get_memory_info(self, device: torch.device, /) -> tuple[int, int]:
        assert device.type == "cuda"
        return self._free, 40 * GIB

    def memory_reserved(self, device: torch.device, /) -> int:
        return self._reserved


def test_what_others_hold_is_neither_free_nor_ours() -> None:
    assert memory("cuda:1", Figures(4 * GIB, 30 * GIB)) == DeviceMemory(40 * GIB, 6 * GIB)
    assert memory("cuda", Figures(9 * GIB, 32 * GIB)) == DeviceMemory(40 * GIB, 0)


def test_a_device_that_cannot_be_asked_is_no_second_fault() -> None:
    class Broken(Figures):
        def memory_reserved(self, device: torch.device, /) -> int:
            raise RuntimeError("device-side assert triggered")

    assert memory("cuda", Broken(1, 1)) is None
    assert memory("no device", Figures(1, 1)) is None


def on(device: str) -> Trial:
    return replace(trial("memory"), device=device)


@pytest.mark.parametrize(
    ("device", "held", "status"),
    [
        ("cuda", 3 * GIB, "failed"),
        ("cuda", 2 * GIB, "out_of_memory"),
        ("cuda", None, "out_of_memory"),
        ("cpu", 30 * GIB, "out_of_memory"),
    ],
)
def test_running_out_of_memory_is_final_unless_others_held_some_of_it(
    monkeypatch: pytest.MonkeyPatch, device: str, held: int | None, status: Status
) -> None:
    shared = None if held is None else DeviceMemory(40 * GIB, held)
    monkeypatch.setattr(devices, "memory", lambda asked: shared if asked == device else None)
    one = on(device)
    found = failure(one, one.arms[0], torch.OutOfMemoryError("CUDA out of memory"))
    assert found.status == status
    told = "; other processes held 3.0 of the device's 40.0 GiB: --retry-failed asks again"
    assert (found.reason or "").endswith(told) == (status == "failed")
