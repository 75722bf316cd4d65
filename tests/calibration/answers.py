"""Answers to "how much longer does it take?", each from a process of its own, forked from the same server."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import TypeVar

import numpy as np

from results.records.directory import read_records
from results.records.record import Record
from runners import environment
from runners import study as studies
from runners.launchers import Task, local
from runners.plan import plan
from tests.calibration.opponents import (
    ARM_SECONDS,
    BATCH_SIZE,
    FIRST,
    IMAGE_SIZE,
    OTHER,
    WAYS,
    Found,
    of_pairs,
    timed,
)

T = TypeVar("T")
OURS = "this suite"
STUDY = f"""question = "What does a deep stem cost?"
architecture = "resnet"

[factors]
stem = ["shallow", "deep32"]

[[workloads]]
kind = "throughput"
levels = {{ depth = 18, width = 16 }}
modes = ["inference"]
image_size = {IMAGE_SIZE}
batch_size = {BATCH_SIZE}
threads = 1
arm_seconds = {ARM_SECONDS}
processes = 1000
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one process says.

    Attributes:
        method: Who asked.
        log_ratio: Of the time of a network with a deep stem to that of one without.
        log_ratio_same: Of a network's equal copy to itself.
        called_different: Whether a test on the samples of that one process, at 5 %, tells the copy apart.
        seconds: From fork to result. Ours times the copy in the same process, which counts; the others
            in another one, which does not.
    """

    method: str
    log_ratio: float
    log_ratio_same: float
    called_different: bool
    seconds: float


@cache
def _context() -> BaseContext:
    context = local._context()
    # What the others import beside what our processes do shall not count against them.
    context.set_forkserver_preload(["runners.preload", __name__])
    return context


def start_server() -> float:
    """Start what all processes are forked from: seconds that it takes to start and import."""
    (_, first), (_, usual) = _in_process(os.getpid), _in_process(os.getpid)
    return first - usual


def _in_process(function: Callable[..., T], *arguments: object) -> tuple[T, float]:
    start = time.perf_counter()
    with ProcessPoolExecutor(1, mp_context=_context()) as pool:
        found = pool.submit(function, *arguments).result()
    return found, time.perf_counter() - start


def ours(out: Path, count: int) -> Iterator[Answer]:
    """One process after the other, as the suite's launcher runs them."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "pair.toml").write_text(STUDY)
    planned = plan(studies.load(str(out / "pair.toml")), device="cpu", cores=1)
    name = environment.identify(environment.capture("cpu"))
    for trial in [trial for trial in planned.trials if trial.timed][:count]:
        start = time.perf_counter()
        local.run([Task(trial, 1)], directory=out, environment=name, jobs=1, notify=lambda _: None)
        seconds = time.perf_counter() - start
        record = next(record for record in read_records(out)[0] if record.trial == trial.id)
        other, same = _found(record, "stem=deep32"), _found(record, "(control)")
        yield Answer(OURS, other.log_ratio, same.log_ratio, same.p_value < 0.05, seconds)


def _found(record: Record, arm: str) -> Found:
    step_seconds = {
        outcome.arm: np.array(measurement.values)
        for outcome in record.outcomes
        for measurement in outcome.measurements
        if measurement.metric == "step_seconds"
    }
    return of_pairs(step_seconds["baseline"], step_seconds[arm])


def theirs(way: str, count: int) -> Iterator[Answer]:
    """A process for the two networks, and one for the first and its copy, whose time does not count."""
    for _ in range(count):
        samples, seconds = _in_process(timed, way, (FIRST, OTHER))
        samples_same, _ = _in_process(timed, way, (FIRST, FIRST))
        other, same = WAYS[way].read(*samples), WAYS[way].read(*samples_same)
        yield Answer(way, other.log_ratio, same.log_ratio, same.p_value < 0.05, seconds)
