"""One process of a throughput workload: what it builds, warms up and times, and how long each takes."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from results.records.record import MachineStretches
from runners.outcomes import build_arm
from runners.probes import Result
from runners.probes.throughput import steps
from runners.probes.throughput.batch import batch_size_of, macs_of
from runners.probes.throughput.contest import (
    OVERHEAD_SHARE,
    Contestant,
    Ring,
    compete,
    overhead_seconds,
    rounds,
)
from runners.probes.throughput.heap import fill_holes
from runners.probes.throughput.ledger import Ledger
from runners.probes.throughput.machine import Machine, seconds_since_fork
from runners.probes.throughput.samples import Setting, measurements_of, stretches_of, timing_of
from runners.probes.throughput.schedule import orders
from runners.probes.throughput.settings import ThroughputSettings
from runners.probes.throughput.watch import Watch
from runners.trial import Trial, TrialArm
from runners.workload_settings import Mode

_COMPILING = 20
"""How much longer than a step its compilation may take before the arm is given up."""


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
    """What is fixed when it starts."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.settings = ThroughputSettings.model_validate(trial.workload.settings)
        self.ledger = Ledger(trial)
        if self.settings.pin:
            steps.pin(trial)
        self.cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        self.ledger.spent["start"] = seconds_since_fork()

    def run(self) -> Result:
        """Build all arms, then warm them up and time them, mode by mode."""
        settings, ledger = self.settings, self.ledger
        steps.set_backends(settings)
        with ledger.charge("build"):
            ring = Ring(self.trial.device, settings.limit_seconds)
            inside, in_all = overhead_seconds(ring)
            shortest = settings.arm_seconds / settings.rounds
            ring = replace(ring, turn_seconds=max(shortest, inside / OVERHEAD_SHARE))
            watch = Watch(Machine(self.trial.device, self.cores))
            filled = fill_holes()
            networks = self._build()
        machine: dict[str, MachineStretches] = {}
        for mode in settings.modes:
            with ledger.charge("warmup"):
                contestants = self._enter(ring, mode, networks)
            self._compete(ring, mode, contestants, watch)
            machine[mode] = stretches_of(watch.states)
            for place, contestant in enumerate(contestants):
                if ledger.is_well(contestant.name):
                    self._take_in(contestant, mode, place)
        return Result(
            ledger.outcomes,
            {
                "cores": self.cores,
                "schedule": "interleaved" if settings.interleaved else "isolated",
                "seconds_by_phase": ledger.spent,
                "timer": {"overhead_seconds": inside, "turn_overhead_seconds": in_all},
                "block_seconds": ring.turn_seconds,
                "heap_bytes_filled": filled,
                "machine": machine,
            },
        )

    def _build(self) -> dict[str, nn.Module]:
        networks = {}
        for place, arm in enumerate(self._drawn("build", self.trial.arms)):
            try:
                size = batch_size_of(self.trial, self.settings, arm)
                # Equal weights for equal names: what is timed differs by the factor alone.
                networks[arm.name] = build_arm(self.trial, arm, seed=self.trial.stream("weights"))
                macs = macs_of(self.trial, arm)
                self.ledger.add(arm.name, details={"batch_size": size, "macs": macs, "built": place})
            except BaseException as error:  # noqa: BLE001 - an arm may fail in any way
                self.ledger.fail(arm.name, error)
        return networks

    def _drawn(self, what: str, arms: Sequence[TrialArm]) -> list[TrialArm]:
        """The arms in an order drawn for this process, so that none has an early place in all of them."""
        generator = np.random.default_rng(self.trial.stream(f"order/{what}"))
        return [arms[place] for place in generator.permutation(len(arms))]

    def _enter(self, ring: Ring, mode: Mode, networks: dict[str, nn.Module]) -> list[Contestant]:
        """Warm up all arms that are still well, in an order of its own."""
        if self.settings.compile:  # compiling is no hanging
            ring = replace(ring, limit_seconds=_COMPILING * ring.limit_seconds)
        contestants = []
        for arm in self._drawn(f"warmup/{mode}", self.ledger.well):
            try:
                if self.settings.compile:
                    torch.compiler.reset()
                size = self.ledger.details(arm.name)["batch_size"]
                step = steps.make_step(self.trial, self.settings, arm, networks[arm.name], mode, size)
                contestants.append(ring.enter(arm.name, step))
            except BaseException as error:  # noqa: BLE001 - likewise
                self.ledger.fail(arm.name, error)
        return contestants

    def _compete(self, ring: Ring, mode: Mode, contestants: Sequence[Contestant], watch: Watch) -> None:
        with self.ledger.charge("between"):
            generator = np.random.default_rng(self.trial.stream(f"order/{mode}"))
            settings = self.settings
            count = rounds(contestants, arm_seconds=settings.arm_seconds, most=settings.rounds)
            turns = orders(generator, len(contestants), count)
            compete(ring, contestants, turns, watch, self.ledger.fail)
        timed = sum(turn.seconds for one in contestants for turn in one.turns)
        self.ledger.spent["between"] -= timed
        self.ledger.spent["timed"] = self.ledger.spent.get("timed", 0.0) + timed

    def _take_in(self, contestant: Contestant, mode: Mode, place: int) -> None:
        """Add what was timed to the arm's outcome."""
        details = self.ledger.details(contestant.name)
        setting = Setting(
            mode,
            self.trial.device,
            batch_size=details["batch_size"],
            macs=details["macs"],
            compiled=self.settings.compile,
            own_batch=self.settings.card is not None,
        )
        self.ledger.add(
            contestant.name,
            measurements=measurements_of(contestant, setting),
            details={"timing": details.get("timing", {}) | {mode: timing_of(contestant, place)}},
        )
