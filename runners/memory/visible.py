"""Which of the machine's devices a number means, where `CUDA_VISIBLE_DEVICES` leaves some out."""

from itertools import takewhile
from typing import Any


def physical_index(index: int, visible: str | None) -> int | str:
    """The driver's name of a device that CUDA numbers among the visible ones.

    Args:
        index: CUDA's number of the device, from 0.
        visible: The variable `CUDA_VISIBLE_DEVICES`; None if it is not set, and all devices are visible.

    Returns:
        The device's number among all, or its UUID (`GPU-...`, `MIG-...`), which may be abbreviated.

    Raises:
        ValueError: No such device is visible.
    """
    if visible is None:
        return index
    entries = [entry.strip() for entry in visible.split(",")]
    valid = list(takewhile(_names_a_device, entries))  # CUDA ignores what follows the first that names none
    if index >= len(valid):
        raise ValueError(f"device {index}: CUDA_VISIBLE_DEVICES={visible!r} shows {len(valid)}")
    entry = valid[index]
    return int(entry) if entry.isdigit() else entry


def device_handle(nvml: Any, device: int | str) -> Any:
    """The driver's handle of a device.

    Args:
        nvml: The module `pynvml` of nvidia-ml-py, initialised.
        device: What `physical_index` returned.

    Raises:
        nvml.NVMLError: The driver knows no such device.
    """
    if isinstance(device, int):
        return nvml.nvmlDeviceGetHandleByIndex(device)
    for index in range(nvml.nvmlDeviceGetCount()):
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        if nvml.nvmlDeviceGetUUID(handle).startswith(device):
            return handle
    return nvml.nvmlDeviceGetHandleByUUID(device)  # a part of a device (MIG), which is not among them


def _names_a_device(entry: str) -> bool:
    return entry.isdigit() or entry.startswith(("GPU-", "MIG-"))
