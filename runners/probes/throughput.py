"""Time per step of all arms, interleaved in rounds within one process, over several fresh processes.

A slow second of the machine hits the arms of one round alike, so that it falls out of their ratio; what
a process is born with (addresses, caches) differs between processes, so that n counts these.
"""

import gc
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from results.metrics import Metric
from results.records import Measurement, Outcome
from runners import devices
from runners.arms import blank, build_arm, failure, in_channels, make_variant
from runners.probes import Mode, Probe, WorkloadSettings
from runners.trial import Trial, TrialArm

METRICS = (
    Metric(
        name="step_seconds",
        label="time per step",
        unit="seconds",
        better="lower",
        effect_kind="ratio",
        margin=0.05,
        headline=True,
        description="Wall time of one step on one batch: forward in inference; forward, backward and"
        " optimizer in training.",
    ),
)

WARMUP_STEPS = 3


class ThroughputSettings(WorkloadSettings):
    """Keys of a workload of kind throughput."""

    batch_size: int = Field(32, ge=1, description="images a step")
    modes: tuple[Mode, ...] = Field(("train", "inference"), min_length=1, description="what is timed")
    processes: int = Field(
        6, ge=1, le=1000, description="fresh processes, which n counts; below 6 no verdict"
    )
    rounds: int = Field(12, ge=1, le=10_000, description="blocks of each arm in each process and mode")
    block_seconds: float = Field(0.05, gt=0, le=60, description="a block is as many steps as last this long")
    threads: int | None = Field(None, ge=1, description="threads of PyTorch; all cores by default")
    channels_last: bool = Field(False, description="weights and images in NHWC memory format")
    precision: Literal["fp32", "bf16-autocast"] = "fp32"

    @property
    def replicates(self) -> int:
        """One block a process."""
        return self.processes

    @property
    def context(self) -> str:
        """Memory format, where it is not the usual one."""
        return "channels-last" if self.channels_last else ""


Step = Callable[[], None]


@dataclass
class _Contestant:
    """An arm in the ring: its step, the steps of a block, and its samples so far."""

    arm: TrialArm
    step: Step
    steps_per_block: int
    warmup: list[float]
    samples: list[float]


def run(trial: Trial) -> tuple[Outcome, ...]:
    """Time every arm of the trial in every mode; an arm that fails leaves the others' samples as they are."""
    settings = ThroughputSettings.model_validate(trial.workload.settings)
    networks: dict[str, nn.Module] = {}
    outcomes = {arm.name: blank(arm) for arm in trial.arms}
    for arm in trial.arms:
        try:
            # Equal weights for equal names: what is timed differs by the factor alone.
            networks[arm.name] = _prepared(build_arm(trial, arm, seed=trial.stream("weights")), settings)
        except Exception as error:  # noqa: BLE001 - an arm may fail in any way
            outcomes[arm.name] = failure(arm, error)
    for mode in settings.modes:
        contestants: list[_Contestant] = []
        for arm in trial.arms:
            if outcomes[arm.name].status == "ok":
                try:
                    contestants.append(_warmed(trial, settings, arm, networks[arm.name], mode))
                except Exception as error:  # noqa: BLE001
                    outcomes[arm.name] = failure(arm, error)
        _compete(trial, settings, mode, contestants, outcomes)
        for contestant in contestants:
            name = contestant.arm.name
            if outcomes[name].status == "ok":
                outcomes[name] = _with_samples(outcomes[name], contestant, mode, trial.device)
    return tuple(outcomes.values())


def _prepared(network: nn.Module, settings: ThroughputSettings) -> nn.Module:
    return network.to(memory_format=torch.channels_last) if settings.channels_last else network


def _warmed(
    trial: Trial, settings: ThroughputSettings, arm: TrialArm, network: nn.Module, mode: Mode
) -> _Contestant:
    """The arm after its first steps, with the length of its blocks set from the last of them."""
    step = _make_step(trial, settings, arm, network, mode)
    warmup = [_timed(step, 1, trial.device) for _ in range(WARMUP_STEPS)]
    steps = max(1, math.ceil(settings.block_seconds / min(warmup)))
    return _Contestant(arm, step, steps, warmup, [])


def _compete(
    trial: Trial,
    settings: ThroughputSettings,
    mode: Mode,
    contestants: list[_Contestant],
    outcomes: dict[str, Outcome],
) -> None:
    """Run the rounds: in each, one block of each arm that is still in, in a fresh order."""
    generator = np.random.default_rng(trial.stream(f"order/{mode}"))
    gc.collect()
    gc.disable()
    try:
        for order in _orders(generator, len(contestants), settings.rounds):
            for contestant in (contestants[position] for position in order):
                if outcomes[contestant.arm.name].status != "ok":
                    continue
                try:
                    seconds = _timed(contestant.step, contestant.steps_per_block, trial.device)
                except Exception as error:  # noqa: BLE001
                    outcomes[contestant.arm.name] = failure(contestant.arm, error)
                    continue
                contestant.samples.append(seconds)
            gc.collect()
    finally:
        gc.enable()


def _orders(generator: np.random.Generator, count: int, rounds: int) -> list[list[int]]:
    """An order for each round: a random one, then its reverse, so that a drift in time cancels out."""
    orders: list[list[int]] = []
    while len(orders) < rounds:
        order = generator.permutation(count).tolist()
        orders += [order, order[::-1]]
    return orders[:rounds]


def _timed(step: Step, steps: int, device: str) -> float:
    """Seconds per step."""
    devices.synchronize(device)
    start = time.perf_counter()
    for _ in range(steps):
        step()
    devices.synchronize(device)
    return (time.perf_counter() - start) / steps


def _make_step(
    trial: Trial, settings: ThroughputSettings, arm: TrialArm, network: nn.Module, mode: Mode
) -> Step:
    size, channels = trial.workload.input_size, in_channels(make_variant(arm))
    generator = torch.Generator().manual_seed(trial.stream("images"))
    images = torch.rand(settings.batch_size, channels, size, size, generator=generator).to(trial.device)
    if settings.channels_last:
        images = images.to(memory_format=torch.channels_last)
    autocast = partial(_autocast, trial.device, settings.precision)
    if mode == "inference":
        return partial(_infer, network.eval(), images, autocast)
    network.train()
    with torch.no_grad(), autocast():
        classes = network(images).shape[1]
    labels = torch.arange(settings.batch_size, device=trial.device) % classes
    # A learning rate of 0 does all the work of a step and leaves the weights: each step costs the same.
    optimizer = torch.optim.SGD(network.parameters(), lr=0.0, momentum=0.9, weight_decay=1e-4)
    return partial(_train, network, images, labels, optimizer, autocast)


def _autocast(device: str, precision: str) -> AbstractContextManager[object]:
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16)


def _infer(
    network: nn.Module, images: Tensor, autocast: Callable[[], AbstractContextManager[object]]
) -> None:
    network.eval()
    with torch.inference_mode(), autocast():
        network(images)


def _train(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    optimizer: torch.optim.Optimizer,
    autocast: Callable[[], AbstractContextManager[object]],
) -> None:
    with autocast():
        loss = nn.functional.cross_entropy(network(images), labels)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def _with_samples(outcome: Outcome, contestant: _Contestant, mode: Mode, device: str) -> Outcome:
    measurement = Measurement(
        "step_seconds",
        tuple(contestant.samples),
        source="measured",
        device=device,
        warmup=tuple(contestant.warmup),
        mode=mode,
    )
    return replace(
        outcome,
        measurements=(*outcome.measurements, measurement),
        details=outcome.details | {f"steps_per_block_{mode}": contestant.steps_per_block},
    )


def estimate_seconds(settings: ThroughputSettings, macs: list[int]) -> float:
    """Building, warm-up and rounds of all arms, at a rate that two slow cores reach."""
    total = 0.0
    for count in macs:
        total += 0.3
        for mode in settings.modes:
            step = 0.002 + settings.batch_size * count * (3 if mode == "train" else 1) / 40e9
            total += WARMUP_STEPS * 1.5 * step + settings.rounds * (step + settings.block_seconds)
    return 0.5 + total


PROBE = Probe(
    kind="throughput",
    summary="time per training step and inference, all arms interleaved, in fresh processes",
    settings=ThroughputSettings,
    metrics=METRICS,
    block_unit="process",
    wave=1,
    interleaved=True,
    control=True,
    timed=True,
    run=run,
    estimate_seconds=estimate_seconds,
)
