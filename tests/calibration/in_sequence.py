"""One network timed after the other in one process, the way others do: `python in_sequence.py METHOD`.

Prints the seconds of every sample of the first network, of the other, and of the first once more.
"""

import json
import sys
import time

import torch
from torch import nn
from torch.utils.benchmark import Timer

import ablations

BATCH_SIZE, IMAGE_SIZE = 8, 64
FIRST, OTHER = "resnet:depth=18,width=16", "resnet:depth=18,stem=deep32,width=16"
WARM_UP_STEPS, STEPS = 10, 40
"""Defaults of timm's benchmark.py: num_warm_iter and num_bench_iter."""


def by_timer(network: nn.Module, images: torch.Tensor) -> list[float]:
    """`torch.utils.benchmark.Timer.blocked_autorange` over a second: seconds per step of each block."""
    timer = Timer("network(images)", globals={"network": network, "images": images}, num_threads=1)
    return [float(seconds) for seconds in timer.blocked_autorange(min_run_time=1.0).times]


def by_iterations(network: nn.Module, images: torch.Tensor) -> list[float]:
    """Some steps to warm up, then each step timed by itself, as timm's InferenceBenchmarkRunner does."""
    for _ in range(WARM_UP_STEPS):
        network(images)
    found = []
    for _ in range(STEPS):
        start = time.perf_counter()
        network(images)
        found.append(time.perf_counter() - start)
    return found


def main(method: str) -> None:
    """Build, time, print."""
    torch.set_num_threads(1)
    timed = by_timer if method.startswith("torch") else by_iterations
    with torch.inference_mode():
        images = torch.rand(BATCH_SIZE, 3, IMAGE_SIZE, IMAGE_SIZE)
        networks = [ablations.build(spec, seed=0).eval() for spec in (FIRST, OTHER)]
        found: dict[str, object] = {
            name: timed(network, images) for name, network in zip(("first", "other"), networks, strict=True)
        }
        start = time.perf_counter()
        found["same"] = timed(networks[0], images)
        found["same_seconds"] = time.perf_counter() - start
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
