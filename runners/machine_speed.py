"""How fast this machine computes, for forecasts: measured in a third of a second."""

import time

import torch

from runners import devices

REFERENCE = 20e9
"""Multiply-accumulates a second of one core, where nothing was measured."""

_SECONDS = 0.3


def macs_per_second(device: str) -> float:
    """Multiply-accumulates a second of a common convolution: of one core of a CPU, or of an accelerator.

    The best of some tries, since a forecast is of an undisturbed machine. 3x3, 64 to 64 channels, 28 px.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        layer = torch.nn.Conv2d(64, 64, 3, padding=1).to(device)
        images = torch.rand(8, 64, 28, 28).to(device)
        best, end = float("inf"), time.perf_counter() + _SECONDS
        with torch.inference_mode():
            while time.perf_counter() < end:
                devices.synchronize(device)
                start = time.perf_counter()
                layer(images)
                devices.synchronize(device)
                best = min(best, time.perf_counter() - start)
    finally:
        torch.set_num_threads(before)
    return 8 * 28 * 28 * 64 * 64 * 9 / best
