"""The machine's counters, read while arms are timed."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from runners.probes.throughput.cgroup import throttled_counter, throttled_seconds
from runners.probes.throughput.driver import Driver
from runners.probes.throughput.machine_state import Snapshot


def seconds_since_fork() -> float:
    """What the process cost before it came here: it was forked, not started; 0 where Linux does not tell."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        born = int(fields[19]) / os.sysconf("SC_CLK_TCK")  # of boot; psutil's time of day is a second coarse
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - born)
    except (OSError, AttributeError):
        return 0.0


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
        self._driver = Driver.of(device)

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
