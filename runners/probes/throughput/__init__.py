"""Time per step of all arms, interleaved in rounds within one process, over several fresh processes.

A slow second of the machine hits the arms of one round alike, so that it falls out of their ratio; what
a process is born with (addresses, caches) differs between processes, so that n counts these.
"""

import os
import tempfile
import time
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any, cast

import numpy as np
import psutil
import torch
from torch import nn

import ablations
from results.records.metric import Metric
from results.records.record import Measurement, OutcomeDetails
from runners.memory.fit import largest_batch
from runners.memory.settings import StepSettings, Target
from runners.memory.sizes import parse_size
from runners.operator_counts import complexity
from runners.outcomes import NotApplicable, blank, build_arm, builder, failure, in_channels, make_variant
from runners.probes import Mode, Probe, Result
from runners.probes.throughput import steps
from runners.probes.throughput.contest import (
    FEWEST_ROUNDS,
    OVERHEAD_SHARE,
    Contestant,
    Ring,
    Watch,
    compete,
    overhead_seconds,
    rounds,
)
from runners.probes.throughput.machine import Machine, MachineState, marks
from runners.probes.throughput.schedule import orders
from runners.probes.throughput.settings import ThroughputSettings
from runners.trial import Trial, TrialArm


def _seconds(name: str, label: str, description: str, *, headline: bool = False) -> Metric:
    return Metric(
        name=name,
        label=label,
        unit="seconds",
        better="lower",
        effect_kind="ratio",
        margin=0.05,
        headline=headline,
        description=description,
    )


_PERCENTILES = {50: 2, 95: 20, 99: 100}
"""Percentiles of the latency, and from how many steps on there is one."""

_COMPILING = 20
"""How much longer than a step its compilation may take before the arm is given up."""

METRICS = (
    _seconds(
        "step_seconds",
        "time per step",
        "Wall time of one step on one batch: forward in inference; forward, backward and optimizer in"
        " training.",
        headline=True,
    ),
    Metric(
        name="images_per_second",
        label="images per second",
        unit="images/s",
        better="higher",
        effect_kind="ratio",
        margin=0.05,
        headline=True,
        description="Where each arm has a batch of its own, the largest that a card has room for.",
    ),
    _seconds(
        "step_seconds_per_gmac",
        "time per GMAC",
        "Time per step over the 10^9 multiply-accumulates of its forward pass: an arm that does more work is"
        " not slower at the same work.",
    ),
    _seconds("forward_seconds", "forward pass", "Of a training step: the forward pass and the loss."),
    _seconds("backward_seconds", "backward pass", "Of a training step: the backward pass."),
    _seconds("optimizer_seconds", "optimizer step", "Of a training step: the update of the weights."),
    *(
        _seconds(
            f"latency_p{percentile}_seconds",
            f"latency, percentile {percentile}",
            f"Percentile {percentile} of the times of single inference steps, from {fewest} steps on.",
        )
        for percentile, fewest in _PERCENTILES.items()
    ),
    _seconds(
        "device_step_seconds",
        "device time per step",
        "Time of one step by the accelerator's own events, without the wait for its queue.",
    ),
    _seconds(
        "compile_seconds",
        "compile time",
        "First step under torch.compile, from a cold cache, less a steady step.",
    ),
)


def run(trial: Trial) -> Result:
    """Time every arm of the trial in every mode; an arm that fails leaves the others' samples as they are."""
    process = _Process(trial)
    if not process.settings.compile:
        return process.run()
    with tempfile.TemporaryDirectory(prefix="ablate-inductor-") as cache:
        # Compiled code of an earlier process would make compiling look free; and nothing is left behind.
        os.environ |= {"TORCHINDUCTOR_CACHE_DIR": cache, "TRITON_CACHE_DIR": cache}
        return process.run()


class _Process:
    """One process of a throughput workload: what it builds, warms up and times, and how long each takes."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        known = ThroughputSettings.model_fields.keys() & trial.workload.settings.keys()
        self.settings = ThroughputSettings.model_validate(
            {name: trial.workload.settings[name] for name in known}
        )
        if self.settings.pin:
            steps.pin(trial)
        self.cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        self.outcomes = {arm.name: blank(arm) for arm in trial.arms}
        # Forked, not started: the time since then is what a process costs before its first arm is built.
        self.spent = {"start": max(0.0, time.time() - psutil.Process().create_time())}

    def run(self) -> Result:
        trial, settings = self.trial, self.settings
        steps.set_backends(settings)
        start = time.perf_counter()
        ring = Ring(trial.device, settings.limit_seconds)
        inside, around = overhead_seconds(ring)
        shortest = settings.arm_seconds / settings.rounds
        ring = replace(ring, block_seconds=max(shortest, inside / OVERHEAD_SHARE))
        watch = Watch(Machine(trial.device, self.cores))
        machine = {}
        self._spend("build", start)
        networks = self._build()
        for mode in settings.modes:
            contestants = self._enter(ring, mode, networks)
            self._compete(ring, mode, contestants, watch)
            machine[mode] = _told(watch.states)
            for contestant in contestants:
                if self._is_ok(contestant.name):
                    self._take_in(contestant, mode)
        return Result(
            tuple(self.outcomes.values()),
            {
                "cores": self.cores,
                "schedule": "interleaved" if settings.interleaved else "isolated",
                "seconds_by_phase": self.spent,
                "timer": {"overhead_seconds": inside, "turn_overhead_seconds": around},
                "block_seconds": ring.block_seconds,
                "machine": machine,
            },
        )

    def _build(self) -> dict[str, nn.Module]:
        start, networks = time.perf_counter(), {}
        for arm in self.trial.arms:
            try:
                size = _batch_size(self.trial, self.settings, arm)
                # Equal weights for equal names: what is timed differs by the factor alone.
                networks[arm.name] = build_arm(self.trial, arm, seed=self.trial.stream("weights"))
                self._add(arm.name, details={"batch_size": size, "macs": _macs(self.trial, arm)})
            except Exception as error:  # noqa: BLE001 - an arm may fail in any way
                self.outcomes[arm.name] = failure(arm, error)
        self._spend("build", start)
        return networks

    def _enter(self, ring: Ring, mode: Mode, networks: dict[str, nn.Module]) -> list[Contestant]:
        """Warm up all arms that are still well."""
        if self.settings.compile:  # compiling is no hanging
            ring = replace(ring, limit_seconds=_COMPILING * ring.limit_seconds)
        start, contestants = time.perf_counter(), []
        for arm in self.trial.arms:
            if not self._is_ok(arm.name):
                continue
            try:
                if self.settings.compile:
                    torch.compiler.reset()
                batch_size = self.outcomes[arm.name].details["batch_size"]
                step = steps.make_step(self.trial, self.settings, arm, networks[arm.name], mode, batch_size)
                contestants.append(ring.enter(arm.name, step))
            except Exception as error:  # noqa: BLE001
                self._fail(arm.name, error)
        self._spend("warmup", start)
        return contestants

    def _compete(self, ring: Ring, mode: Mode, contestants: list[Contestant], watch: Watch) -> None:
        start = time.perf_counter()
        generator = np.random.default_rng(self.trial.stream(f"order/{mode}"))
        count = rounds(contestants, arm_seconds=self.settings.arm_seconds, most=self.settings.rounds)
        compete(ring, contestants, orders(generator, len(contestants), count), watch, self._fail)
        timed = sum(block.seconds for one in contestants for block in one.blocks)
        self._spend("between", start)
        self.spent["between"] -= timed
        self.spent["timed"] = self.spent.get("timed", 0.0) + timed

    def _take_in(self, contestant: Contestant, mode: Mode) -> None:
        """Add what was timed to the arm's outcome."""
        details = self.outcomes[contestant.name].details
        images, gmacs = details["batch_size"], details["batch_size"] * details["macs"] / 1e9
        compiled = self.settings.compile
        samples = dict(_samples(contestant, mode, self.trial.device, gmacs, compiled))
        if self.settings.card is not None:  # each arm has a batch of its own: only the rate compares
            rates = [images / block.step_seconds for block in contestant.blocks]
            kept = {"step_seconds_per_gmac", "compile_seconds"} & samples.keys()
            samples = {"images_per_second": rates, **{name: samples[name] for name in kept}}
        warmup = contestant.warm_up.step_seconds
        timing = {
            "steps_per_block": contestant.steps_per_block,
            "steps": sum(block.steps for block in contestant.blocks),
            "warmup_steps": contestant.warm_up.steps,
            "steady": contestant.warm_up.steady,
        }
        self._add(
            contestant.name,
            measurements=[
                Measurement(
                    name,
                    tuple(values),
                    source="measured",
                    device=self.trial.device,
                    warmup=warmup if name == "step_seconds" else (),
                    mode=mode,
                )
                for name, values in samples.items()
            ],
            details={"timing": details.get("timing", {}) | {mode: timing}},
        )

    def _add(self, name: str, *, measurements: Iterable[Measurement] = (), details: OutcomeDetails) -> None:
        outcome = self.outcomes[name]
        self.outcomes[name] = replace(
            outcome,
            measurements=(*outcome.measurements, *measurements),
            details=cast("OutcomeDetails", {**outcome.details, **details}),
        )

    def _is_ok(self, name: str) -> bool:
        return self.outcomes[name].status == "ok"

    def _fail(self, name: str, error: Exception) -> None:
        self.outcomes[name] = failure(next(arm for arm in self.trial.arms if arm.name == name), error)

    def _spend(self, what: str, start: float) -> None:
        self.spent[what] = self.spent.get(what, 0.0) + time.perf_counter() - start


def _samples(
    contestant: Contestant, mode: Mode, device: str, gmacs: float, compiled: bool
) -> Iterable[tuple[str, list[float]]]:
    """Samples by metric: one a block, or one a process for latencies and compile time."""
    blocks = contestant.blocks
    yield "step_seconds", [block.step_seconds for block in blocks]
    if gmacs:
        yield "step_seconds_per_gmac", [block.step_seconds / gmacs for block in blocks]
    if mode == "train":
        for i, phase in enumerate(steps.PHASES[mode]):
            yield f"{phase}_seconds", [block.phase_seconds[i] for block in blocks]
    else:
        latencies = np.concatenate([block.laps_seconds.sum(axis=1) for block in blocks])
        for percentile, fewest in _PERCENTILES.items():
            if len(latencies) >= fewest:
                yield f"latency_p{percentile}_seconds", [float(np.percentile(latencies, percentile))]
    if device != "cpu":
        yield "device_step_seconds", [block.device_step_seconds for block in blocks]
    if compiled:
        warm_up = contestant.warm_up
        yield "compile_seconds", [max(0.0, warm_up.step_seconds[0] - warm_up.best_seconds)]


def _told(states: list[MachineState]) -> dict[str, list[Any]]:
    """The machine's state by stretch of some rounds, a list a counter, and why a stretch is marked."""
    columns = [field.name for field in fields(MachineState) if field.name != "slack"]
    return {
        **{name: [getattr(state, name) for state in states] for name in columns},
        "marks": list(marks(states)),
    }


def _macs(trial: Trial, arm: TrialArm) -> int:
    """MACs of one image; 0 for a network that cannot be observed without data, whose trial says why."""
    variant = make_variant(arm)
    try:
        network = ablations.build(variant, device="meta")
        return complexity(network, trial.workload.input_size, in_channels(variant)).macs
    except ValueError:
        return 0


def _batch_size(trial: Trial, settings: ThroughputSettings, arm: TrialArm) -> int:
    """The workload's batch, or the largest that the card has room for in all of its modes.

    Raises:
        NotApplicable: The card has no room for a single image.
    """
    if settings.card is None:
        return settings.batch_size
    variant, size = make_variant(arm), trial.workload.input_size
    target: Target = "cuda" if trial.device.startswith("cuda") else "cpu"
    found = [
        largest_batch(
            builder(variant),
            StepSettings(
                # Where the search begins: a batch of 1 cannot be trained where BatchNorm sees 1x1 maps.
                (settings.batch_size, in_channels(variant), size, size),
                mode=mode,
                precision=settings.precision,
            ),
            parse_size(settings.card),
            target=target,
        ).batch_size
        for mode in settings.modes
    ]
    if any(batch is None for batch in found):
        raise NotApplicable(f"a card of {settings.card} has no room for one image")
    return min(batch for batch in found if batch is not None)


def estimate_seconds(settings: ThroughputSettings, macs: list[int], rate: float) -> float:
    """Building, warm-up and rounds of all arms."""
    total = 0.5
    for count in macs:
        total += 0.2
        for mode in settings.modes:
            step = 0.002 + settings.batch_size * count * (3 if mode == "train" else 1) * 2.5 / rate
            total += 5 * step + max(settings.arm_seconds, min(FEWEST_ROUNDS, settings.rounds) * step)
            total += 30.0 * settings.compile
    return total


PROBE = Probe(
    kind="throughput",
    summary="time per training step and inference, all arms interleaved, in fresh processes",
    settings=ThroughputSettings,
    metrics=METRICS,
    block_unit="process",
    wave=1,
    control=True,
    timed=True,
    run=run,
    estimate_seconds=estimate_seconds,
)
