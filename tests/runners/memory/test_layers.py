"""The driver's figure, asked of a stand-in for its library: no device is needed to see who is asked what."""

from dataclasses import dataclass, field

import pytest

from runners.memory.layers import driver_process_bytes


@dataclass
class _Process:
    pid: int
    usedGpuMemory: int | None  # noqa: N815 - NVML's name


@dataclass
class _Nvml:
    processes: list[_Process]
    asked: list[object] = field(default_factory=list)
    known: int = 3

    class NVMLError(Exception):
        pass

    def nvmlInit(self) -> None:  # noqa: N802
        self.asked.append("init")

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.asked.append("shutdown")

    def nvmlDeviceGetHandleByIndex(self, index: int) -> str:  # noqa: N802
        if index >= self.known:
            raise self.NVMLError("Invalid Argument")
        self.asked.append(index)
        return f"device {index}"

    def nvmlDeviceGetComputeRunningProcesses(self, handle: str) -> list[_Process]:  # noqa: N802
        self.asked.append(handle)
        return self.processes


@pytest.mark.parametrize(("index", "visible"), [(2, None), (0, "2"), (1, "0,2")])
def test_the_process_is_found_among_others_on_its_device_and_the_library_is_closed(
    index: int, visible: str | None
) -> None:
    nvml = _Nvml([_Process(1, 10), _Process(7, 700)])
    assert driver_process_bytes(nvml, index, 7, visible=visible) == {"driver_process_bytes": 700}
    assert nvml.asked == ["init", 2, "device 2", "shutdown"]


def test_a_process_that_the_driver_does_not_list_has_a_reason_in_place_of_a_number() -> None:
    for processes in ([], [_Process(1, 10)], [_Process(7, None)]):
        found = driver_process_bytes(_Nvml(processes), 0, 7, visible=None)
        assert found["driver_process_bytes"] is None
        assert found["driver_reason"] == "the driver does not list this process"


def test_a_device_that_cannot_be_asked_for_has_a_reason_in_place_of_a_number() -> None:
    nvml = _Nvml([_Process(7, 700)])
    unknown = driver_process_bytes(nvml, 5, 7, visible=None)
    assert unknown == {"driver_process_bytes": None, "driver_reason": "Invalid Argument"}
    assert nvml.asked == ["init", "shutdown"]
    hidden = driver_process_bytes(_Nvml([]), 1, 7, visible="0")
    assert hidden["driver_reason"] == "device 1: CUDA_VISIBLE_DEVICES='0' shows 1"
