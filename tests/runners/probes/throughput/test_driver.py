"""The driver's device is the one that CUDA means, where some are hidden or are named otherwise."""

import sys
from types import ModuleType
from typing import Any

import pytest

from runners.probes.throughput.driver import Driver
from runners.probes.throughput.machine import Machine

UUIDS = ["GPU-aaaa-1", "GPU-bbbb-2", "GPU-cccc-3", "GPU-dddd-4"]


class FakeDriver(ModuleType):
    """Four devices that each tell a clock of their own."""

    NVML_CLOCK_SM = 1
    NVMLError = RuntimeError

    def nvmlInit(self) -> None:  # noqa: N802 - the library's own names
        pass

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(UUIDS)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        if not 0 <= index < len(UUIDS):
            raise RuntimeError("no such device")
        return index

    def nvmlDeviceGetUUID(self, handle: int) -> str:  # noqa: N802
        return UUIDS[handle]

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> int:  # noqa: N802
        return UUIDS.index(uuid)

    def nvmlDeviceGetClockInfo(self, handle: int, clock: int) -> int:  # noqa: N802
        assert clock == self.NVML_CLOCK_SM
        return 1000 + handle

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:  # noqa: N802
        raise RuntimeError("not supported")

    def nvmlDeviceGetCurrentClocksEventReasons(self, handle: int) -> int:  # noqa: N802
        return 0


@pytest.mark.parametrize(
    ("device", "visible", "clock"),
    [
        ("cuda", None, 1000),
        ("cuda:2", None, 1002),
        ("cuda", "2,1", 1002),
        ("cuda:1", "2,1", 1001),
        ("cuda:1", "GPU-dddd-4,GPU-bbbb-2", 1001),
        ("cuda", "GPU-cccc", 1002),  # an abbreviation
        ("cuda:1", "3,-1,0", None),  # CUDA ignores what follows what is none
        ("cuda:9", None, None),
        ("cuda", "", None),
        ("cpu", None, None),
    ],
)
def test_the_clock_is_that_of_the_device_that_is_used(
    monkeypatch: pytest.MonkeyPatch, device: str, visible: str | None, clock: int | None
) -> None:
    fake: Any = FakeDriver("pynvml")
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    driver = Driver.of(device)
    assert (None if driver is None else driver.clock_mhz()) == clock
    if driver is not None:
        snapshot = Machine(device, []).snapshot()
        assert (snapshot.clock_mhz, snapshot.device_throttling, snapshot.energy_joules) == (clock, None, None)
