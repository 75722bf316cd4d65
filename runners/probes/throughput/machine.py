"""The state of the machine while arms are timed: who else was at work, and what held us back."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil

BUSY_CORES = 0.25
"""Others at work with a quarter of a core or more disturb caches and memory even where cores are free."""
STEAL_SHARE = 0.02
THROTTLED_SHARE = 0.005
CLOCK_CHANGE = 0.05
"""Marked from here on: two parts in a hundred of the machine, or a clock 5 % off, move a step as much."""
_BUSY = ("user", "nice", "system", "irq", "softirq")
_TICK_SECONDS = 0.01
"""The kernel counts busy time in ticks: a difference of one tick per core is no news."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Counters at one moment; None where the system does not tell.

    Attributes:
        wall: Seconds of the monotonic clock.
        busy: Core-seconds that all processes worked since boot.
        steal: Core-seconds that the hypervisor took.
        own: Core-seconds of this process.
        throttled: Seconds that the cgroup's CPU limit held this process's group.
        clock_mhz: Clock of the cores in use, or of the accelerator.
        device_throttling: Why the accelerator runs below its clock, in words; None if it does not.
        energy_joules: Counter of the accelerator's or the processor's energy.
    """

    wall: float
    busy: float
    steal: float
    own: float
    throttled: float | None
    clock_mhz: float | None
    device_throttling: str | None
    energy_joules: float | None


@dataclass(frozen=True, slots=True)
class MachineState:
    """What happened between two snapshots; see the fields of `Snapshot`.

    Attributes:
        seconds: Wall time between them.
        others_cores: Cores' worth of work that other processes did.
        steal_share: Share of all cores' time that the hypervisor took.
        throttled_share: Share of the time that the cgroup's limit held the group.
        slack: What the rounding of the kernel's ticks may amount to in `others_cores`.
    """

    seconds: float
    others_cores: float
    steal_share: float
    throttled_share: float | None
    clock_mhz: float | None
    device_throttling: str | None
    energy_joules: float | None
    slack: float

    @classmethod
    def between(cls, before: Snapshot, after: Snapshot, cores: int) -> "MachineState":
        """From two snapshots of a machine with that many cores."""
        wall = max(after.wall - before.wall, 1e-9)
        others = (after.busy - before.busy) - (after.own - before.own)
        return cls(
            seconds=wall,
            others_cores=max(0.0, others / wall),
            steal_share=max(0.0, after.steal - before.steal) / (wall * cores),
            throttled_share=_difference(before.throttled, after.throttled, wall),
            clock_mhz=after.clock_mhz,
            device_throttling=after.device_throttling,
            energy_joules=_difference(before.energy_joules, after.energy_joules, 1.0),
            slack=_TICK_SECONDS * cores / wall,
        )


def _difference(before: float | None, after: float | None, unit: float) -> float | None:
    return None if before is None or after is None else max(0.0, (after - before) / unit)


def marks(states: Sequence[MachineState]) -> list[list[str]]:
    """For each stretch of a process in what way the machine's state was changed: codes, none if it was not.

    `busy`: other processes worked; `steal`: the hypervisor took time; `throttled`: the cgroup's limit held
    the process; `clock`: the clock differs from its median over all stretches; `device`: the accelerator
    throttles.
    """
    clocks = [state.clock_mhz for state in states if state.clock_mhz]
    usual = median(clocks) if clocks else None
    return [_codes(state, usual) for state in states]


def _codes(state: MachineState, usual_mhz: float | None) -> list[str]:
    found = {
        "busy": state.others_cores > BUSY_CORES + state.slack,
        "steal": state.steal_share > STEAL_SHARE + state.slack / 2,
        "throttled": (state.throttled_share or 0.0) > THROTTLED_SHARE,
        "clock": bool(usual_mhz and state.clock_mhz and abs(state.clock_mhz / usual_mhz - 1) > CLOCK_CHANGE),
        "device": state.device_throttling is not None,
    }
    return [code for code, is_so in found.items() if is_so]


class Machine:
    """Reads the counters; what the system does not offer is found out once and left out."""

    def __init__(self, device: str, cores: Sequence[int]) -> None:
        self.count = os.cpu_count() or 1
        self._clocks = [
            path
            for core in cores
            if (path := Path(f"/sys/devices/system/cpu/cpu{core}/cpufreq/scaling_cur_freq")).is_file()
        ]
        self._energy = next(
            (p for p in Path("/sys/class/powercap").glob("intel-rapl:?/energy_uj") if os.access(p, os.R_OK)),
            None,
        )
        self._throttled = throttled_counter()
        self._driver = _Driver.of(device)

    def snapshot(self) -> Snapshot:
        """The counters now; some 0.2 ms of work."""
        times = psutil.cpu_times()
        driver = self._driver
        return Snapshot(
            wall=time.perf_counter(),
            busy=times.user
            + times.system
            + sum(getattr(times, name, 0.0) for name in ("nice", "irq", "softirq")),
            steal=getattr(times, "steal", 0.0),
            own=time.process_time(),
            throttled=None if self._throttled is None else throttled_seconds(self._throttled.read_text()),
            clock_mhz=driver.clock_mhz() if driver else self._clock_mhz(),
            device_throttling=driver.throttling() if driver else None,
            energy_joules=driver.energy_joules() if driver else self._energy_joules(),
        )

    def _clock_mhz(self) -> float | None:
        if not self._clocks:
            return None
        return sum(int(path.read_text()) for path in self._clocks) / len(self._clocks) / 1e3

    def _energy_joules(self) -> float | None:
        return None if self._energy is None else int(self._energy.read_text()) / 1e6


def throttled_counter(
    root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")
) -> Path | None:
    """The file where the cgroup counts how long its CPU limit held it; None where nothing counts."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers == "" or "cpu" in controllers.split(","):
            for folder in (root / group.lstrip("/"), root / "cpu" / group.lstrip("/"), root):
                path = folder / "cpu.stat"
                if path.is_file() and throttled_seconds(path.read_text()) is not None:
                    return path
    return None


def throttled_seconds(stat: str) -> float | None:
    """From the text of a `cpu.stat`: microseconds in version 2 of cgroups, nanoseconds in version 1."""
    for line in stat.splitlines():
        name, _, value = line.partition(" ")
        if name == "throttled_usec":
            return int(value) / 1e6
        if name == "throttled_time":
            return int(value) / 1e9
    return None


class _Driver:
    """What NVIDIA's driver tells about one device (nvidia-ml-py); each figure None where it does not."""

    def __init__(self, nvml: Any, handle: Any) -> None:
        self._nvml, self._handle = nvml, handle

    @classmethod
    def of(cls, device: str) -> "_Driver | None":
        """None for other devices, without the library or without its driver."""
        if not device.startswith("cuda"):
            return None
        try:
            import pynvml

            pynvml.nvmlInit()
            index = int(device.partition(":")[2] or 0)
            visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
            numbers = [int(number) for number in visible.split(",") if number.strip().isdigit()]
            return cls(pynvml, pynvml.nvmlDeviceGetHandleByIndex(numbers[index] if numbers else index))
        except Exception:  # noqa: BLE001 - a driver that cannot be asked leaves the figures out
            return None

    def _ask(self, name: str, *arguments: Any) -> Any:
        try:
            return getattr(self._nvml, name)(self._handle, *arguments)
        except self._nvml.NVMLError:
            return None

    def clock_mhz(self) -> float | None:
        """Clock of the multiprocessors."""
        megahertz = self._ask("nvmlDeviceGetClockInfo", self._nvml.NVML_CLOCK_SM)
        return None if megahertz is None else float(megahertz)

    def energy_joules(self) -> float | None:
        """Energy since the driver was loaded."""
        millijoules = self._ask("nvmlDeviceGetTotalEnergyConsumption")
        return None if millijoules is None else millijoules / 1e3

    def throttling(self) -> str | None:
        """Why the device runs below its clock, beyond being idle or set so."""
        reasons = self._ask("nvmlDeviceGetCurrentClocksEventReasons") or 0
        words = {
            "nvmlClocksEventReasonSwPowerCap": "power limit",
            "nvmlClocksThrottleReasonHwSlowdown": "hardware slowdown",
            "nvmlClocksEventReasonSwThermalSlowdown": "temperature",
            "nvmlClocksThrottleReasonHwThermalSlowdown": "temperature",
            "nvmlClocksThrottleReasonHwPowerBrakeSlowdown": "power brake",
        }
        found = [word for name, word in words.items() if reasons & getattr(self._nvml, name, 0)]
        return ", ".join(dict.fromkeys(found)) or None
