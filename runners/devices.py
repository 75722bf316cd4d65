"""The device that trials run on, by way of `torch.accelerator`: thin, and the same for every vendor."""

from dataclasses import dataclass
from typing import Protocol

import torch

from runners.errors import BadInput


def resolve(request: str) -> str:
    """The device a run uses: `auto` is the accelerator where there is one, else the CPU.

    Raises:
        BadInput: The device does not exist on this machine.
    """
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if request == "auto":
        return "cpu" if accelerator is None else accelerator.type
    try:
        device = torch.device(request)
    except RuntimeError:
        raise BadInput(
            f"--device {request!r}: expected auto, cpu, cuda or cuda:N; auto always works"
        ) from None
    if device.type == "cpu":
        return "cpu"
    if accelerator is None or accelerator.type != device.type:
        here = "none" if accelerator is None else accelerator.type
        raise BadInput(f"--device {request!r}: this machine's accelerator is {here}; use --device auto")
    if (device.index or 0) >= torch.accelerator.device_count():
        count = torch.accelerator.device_count()
        raise BadInput(
            f"--device {request!r}: this machine has {count} of them; use {device.type}:{count - 1}"
        )
    return request


def synchronize(device: str) -> None:
    """Wait until the device has finished; a CPU always has."""
    if device != "cpu":
        torch.accelerator.synchronize(torch.device(device))


def random_state(device: str) -> torch.Tensor:
    """What an accelerator's next random numbers follow from; uint8 on the CPU."""
    state: torch.Tensor = torch.get_device_module(device).get_rng_state(device)
    return state


def set_random_state(device: str, state: torch.Tensor) -> None:
    """The inverse of `random_state`."""
    torch.get_device_module(device).set_rng_state(state, device)


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """An accelerator's memory at one moment, in bytes.

    Attributes:
        total: What it has.
        held_by_others: What is neither free nor reserved by this process's allocator. This process's own
            context is among it, some hundred MiB.
    """

    total: int
    held_by_others: int


class Figures(Protocol):
    """What is asked of an accelerator (`torch.accelerator` has it)."""

    def get_memory_info(self, device: torch.device, /) -> tuple[int, int]:
        """Bytes free and in all."""

    def memory_reserved(self, device: torch.device, /) -> int:
        """Bytes that this process's allocator holds."""


def memory(device: str, figures: Figures | None = None) -> DeviceMemory | None:
    """The memory of an accelerator; None where it cannot be asked.

    Args:
        device: `cuda`, `cuda:1`, ...
        figures: Whom to ask; `torch.accelerator` by default.
    """
    figures = figures or torch.accelerator
    try:
        free, total = figures.get_memory_info(torch.device(device))
        reserved = figures.memory_reserved(torch.device(device))
    except Exception:  # noqa: BLE001 - after a fault of its own a device may not answer, and that is no news
        return None
    return DeviceMemory(total, max(0, total - free - reserved))
