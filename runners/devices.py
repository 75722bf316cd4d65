"""The device that trials run on, by way of `torch.accelerator`: thin, and the same for every vendor."""

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
