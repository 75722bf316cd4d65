"""Where raw images lie while they are used: on the device that computes, if it has ample room."""

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

_SHARE = 0.25
"""Of the device's free memory that images may take: the rest is for the network and its batches."""

_moved: WeakTensorKeyDictionary = WeakTensorKeyDictionary()
"""Images by tensor, then by device, None where they stay; gone with the tensor."""


def resident(pixels: Tensor, device: torch.device) -> Tensor:
    """The images on the device, moved there at the first call; as they are where they would not fit.

    Args:
        pixels: All of them, from which batches are taken.
        device: What computes.
    """
    if device.type == pixels.device.type:
        return pixels
    decided: dict[torch.device, Tensor | None] = _moved.setdefault(pixels, {})
    if device not in decided:
        fit = pixels.nbytes < _SHARE * _free_bytes(device)
        decided[device] = pixels.to(device) if fit else None
    there = decided[device]
    return pixels if there is None else there


def _free_bytes(device: torch.device) -> int:
    """Free memory of an accelerator; 0 where nobody can say."""
    ask = (
        torch.cuda.mem_get_info
        if device.type == "cuda"
        else getattr(torch.accelerator, "get_memory_info", None)
    )
    return int(ask(device)[0]) if ask is not None else 0
