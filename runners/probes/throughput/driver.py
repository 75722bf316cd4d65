"""What the driver of an NVIDIA device tells (nvidia-ml-py)."""

import os
from typing import Any

from runners.memory.visible import device_handle, physical_index


class Driver:
    """What it tells about one device; each figure None where it does not."""

    def __init__(self, nvml: Any, handle: Any) -> None:
        self._nvml, self._handle = nvml, handle

    @classmethod
    def of(cls, device: str) -> "Driver | None":
        """None for other devices, without the library or without its driver."""
        if not device.startswith("cuda"):
            return None
        try:
            import pynvml

            pynvml.nvmlInit()
            index = int(device.partition(":")[2] or 0)
            named = physical_index(index, os.environ.get("CUDA_VISIBLE_DEVICES"))
            return cls(pynvml, device_handle(pynvml, named))
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
