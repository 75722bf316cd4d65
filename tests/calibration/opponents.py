"""How others time two networks in one process: one after the other in two ways, or alternated by hand."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import nn
from torch.utils.benchmark import Timer

import ablations

Samples = NDArray[np.float64]
"""Seconds a step."""
BATCH_SIZE, IMAGE_SIZE = 8, 64
FIRST, OTHER = "resnet:depth=18,width=16", "resnet:depth=18,stem=deep32,width=16"
WARM_UP_STEPS, STEPS = 10, 40
"""Defaults of timm's benchmark.py: num_warm_iter and num_bench_iter."""
ARM_SECONDS = 0.6
"""How long each network is timed where it is alternated with the other, as in this suite's study."""


class Found(NamedTuple):
    """What one process says of two networks.

    Attributes:
        log_ratio: Of the other's time to the first's.
        p_value: Of a test on the samples of this process that the two take equally long.
    """

    log_ratio: float
    p_value: float


def of_two_samples(first: Samples, other: Samples) -> Found:
    """From samples taken one network after the other: medians, and a rank test."""
    ratio = float(np.log(np.median(other) / np.median(first)))
    return Found(ratio, float(stats.mannwhitneyu(first, other).pvalue))


def of_pairs(first: Samples, other: Samples) -> Found:
    """From samples taken in turns, a row a turn: the median of their log ratios, and a signed-rank test."""
    log_ratios = np.log(other / first).reshape(len(first), -1).mean(axis=1)
    return Found(float(np.median(log_ratios)), float(stats.wilcoxon(log_ratios).pvalue))


def by_timer(networks: Sequence[nn.Module], images: torch.Tensor) -> list[Samples]:
    """`blocked_autorange` over a second, of one network and then of the other."""
    timers = _timers(networks, images)
    return [np.array(timer.blocked_autorange(min_run_time=1.0).times) for timer in timers]


def by_iterations(networks: Sequence[nn.Module], images: torch.Tensor) -> list[Samples]:
    """Some steps to warm up, then each step timed by itself, as timm's InferenceBenchmarkRunner does."""
    found = []
    for network in networks:
        _warm_up(network, images)
        seconds = []
        for _ in range(STEPS):
            start = time.perf_counter()
            network(images)
            seconds.append(time.perf_counter() - start)
        found.append(np.array(seconds))
    return found


def by_turns(networks: Sequence[nn.Module], images: torch.Tensor) -> list[Samples]:
    """`timeit(1)` of first, other, other, first, again and again: drifts cancel within these four."""
    for network in networks:
        _warm_up(network, images)
    first, other = _timers(networks, images)
    fours, start = [], time.perf_counter()
    while time.perf_counter() - start < len(networks) * ARM_SECONDS:
        fours.append([timer.timeit(1).times[0] for timer in (first, other, other, first)])
    samples = np.array(fours)
    return [samples[:, [0, 3]], samples[:, [1, 2]]]


def _timers(networks: Sequence[nn.Module], images: torch.Tensor) -> list[Timer]:
    return [
        Timer("network(images)", globals={"network": network, "images": images}, num_threads=1)
        for network in networks
    ]


def _warm_up(network: nn.Module, images: torch.Tensor) -> None:
    for _ in range(WARM_UP_STEPS):
        network(images)


class Way(NamedTuple):
    """How two networks are timed, and how the samples of both are read."""

    timed: Callable[[Sequence[nn.Module], torch.Tensor], list[Samples]]
    read: Callable[[Samples, Samples], Found]


BY_HAND, TIMER, TIMM = "alternated by hand (ABBA)", "torch.utils.benchmark", "timm's benchmark.py"
WAYS = {
    BY_HAND: Way(by_turns, of_pairs),
    TIMER: Way(by_timer, of_two_samples),
    TIMM: Way(by_iterations, of_two_samples),
}


def timed(way: str, specs: Sequence[str]) -> list[Samples]:
    """Build both networks and time them; the entry point of a process."""
    torch.set_num_threads(1)
    images = torch.rand(BATCH_SIZE, 3, IMAGE_SIZE, IMAGE_SIZE)
    networks = [ablations.build(spec, seed=0).eval() for spec in specs]
    with torch.inference_mode():
        return WAYS[way].timed(networks, images)
