"""What the machine is: captured with every run, so that figures of different machines are never pooled."""

import hashlib
import json
import os
import platform
from importlib.metadata import version
from typing import Any

import psutil
import torch

_LIBRARIES = ("torch", "torchvision", "numpy", "scikit-learn")


def capture(device: str) -> dict[str, Any]:
    """A flat description of hardware and software that figures depend on; the same on every call.

    What changes from minute to minute (load, clocks) belongs to trials, not here.
    """
    facts: dict[str, Any] = {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        # In whole GiB: machines of one kind differ by what their firmware keeps for itself.
        "memory_bytes": round(psutil.virtual_memory().total / 2**30) * 2**30,
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "device": device,
    }
    facts |= {library: version(library) for library in _LIBRARIES}
    if device != "cpu":
        facts["accelerator"] = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
        facts["cuda"] = torch.version.cuda
        facts["cudnn"] = torch.backends.cudnn.version()
    return facts


def identify(facts: dict[str, Any]) -> str:
    """The environment's id: a hash of its description."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as stream:  # noqa: PTH123 - a kernel file, read by line
            for line in stream:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
