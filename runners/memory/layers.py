"""What the layers above the tensors hold: the operating system's figure, and the driver's.

Each layer holds the one below and more, so that they are reported beside each other and never as one number.
"""

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

import ablations
from runners.memory.resident import measure_resident
from runners.memory.settings import StepSettings, Target
from runners.memory.step import Step
from runners.memory.visible import device_handle, physical_index
from runners.plugins import load


def measure_layers(
    specification: str, settings: StepSettings, device: str, plugins: Sequence[Path] = ()
) -> dict[str, Any]:
    """Run the step in a process of its own and ask those who watch it.

    Args:
        specification: The variant.
        settings: The step.
        device: `cpu`, or an accelerator of this machine.
        plugins: What the process loads first, if the variant is one of theirs.

    Returns:
        For the CPU `resident_before_bytes` and `resident_peak_bytes_by_phase`; for a CUDA device
        `driver_process_bytes`, or None with `driver_reason`.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
        return alone.submit(_measure, specification, settings, device, plugins).result()


def _measure(
    specification: str, settings: StepSettings, device: str, plugins: Sequence[Path]
) -> dict[str, Any]:
    load(plugins)

    def build(where: torch.device) -> torch.nn.Module:
        return ablations.build(specification, device=where)

    if device == "cpu":
        resident = measure_resident(build, settings)
        return {
            "resident_before_bytes": resident.before_bytes,
            "resident_peak_bytes_by_phase": dict(resident.peak_by_phase),
        }
    target: Target = "cuda"
    step = Step(build, settings, torch.device(device), target)
    step.prepare()
    step.run()
    try:
        import pynvml
    except ImportError:
        return _without_driver("nvidia-ml-py is not installed")
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return driver_process_bytes(pynvml, torch.device(device).index or 0, os.getpid(), visible=visible)


def driver_process_bytes(
    nvml: ModuleType | Any, index: int, process: int, *, visible: str | None
) -> dict[str, Any]:
    """What NVIDIA's driver says that a process holds on a device; the caching allocator gives nothing back.

    Args:
        nvml: The module `pynvml` of nvidia-ml-py.
        index: CUDA's number of the device.
        process: Its id.
        visible: The variable `CUDA_VISIBLE_DEVICES` under which CUDA numbers; None if it is not set.

    Returns:
        `driver_process_bytes`, or None with `driver_reason`.
    """
    try:
        device = physical_index(index, visible)
        nvml.nvmlInit()
    except (ValueError, nvml.NVMLError) as error:
        return _without_driver(str(error))
    try:
        for running in nvml.nvmlDeviceGetComputeRunningProcesses(device_handle(nvml, device)):
            if running.pid == process and running.usedGpuMemory is not None:
                return {"driver_process_bytes": int(running.usedGpuMemory)}
    except nvml.NVMLError as error:
        return _without_driver(str(error))
    finally:
        nvml.nvmlShutdown()
    return _without_driver("the driver does not list this process")


def _without_driver(reason: str) -> dict[str, Any]:
    return {"driver_process_bytes": None, "driver_reason": reason}
