"""The driver's figure, asked of a stand-in for its library: no device is needed to see who is asked what."""

from dataclasses import dataclass, field

from runners.memory.layers import driver_process_bytes


@dataclass
class _Process:
    pid: int
    usedGpuMemory: int | None  # noqa: N815 - NVML's name


@dataclass
class _Nvml:
    processes: list[_Process]
    asked: list[object] = field(default_factory=list)

    def nvmlInit(self) -> None:  # noqa: N802
        self.asked.append("init")

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.asked.append("shutdown")

    def nvmlDeviceGetHandleByIndex(self, index: int) -> str:  # noqa: N802
        self.asked.append(index)
        return f"device {index}"

    def nvmlDeviceGetComputeRunningProcesses(self, handle: str) -> list[_Process]:  # noqa: N802
        self.asked.append(handle)
        return self.processes


def test_the_process_is_found_among_others_on_its_device_and_the_library_is_closed() -> None:
    nvml = _Nvml([_Process(1, 10), _Process(7, 700)])
    assert driver_process_bytes(nvml, 2, 7) == {"driver_process_bytes": 700}
    assert nvml.asked == ["init", 2, "device 2", "shutdown"]


def test_a_process_that_the_driver_does_not_list_has_a_reason_in_place_of_a_number() -> None:
    for processes in ([], [_Process(1, 10)], [_Process(7, None)]):
        found = driver_process_bytes(_Nvml(processes), 0, 7)
        assert found["driver_process_bytes"] is None
        assert found["driver_reason"] == "the driver does not list this process"
