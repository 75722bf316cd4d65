"""All that follows from what a run directory holds: each frame computed once, when it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from results.frames import benchmarks as benchmark_frames
from results.frames import inside as inside_frames
from results.frames import memory_profiles, samples, stretches
from results.records.benchmarks import CALL_SECONDS, BenchmarkFile
from results.records.directory import Disbelieved, Stop
from results.records.record import Record
from results.records.resolved_study import ResolvedStudy
from results.tables import cost, in_place, machine, speed, trials, variants
from results.verdicts import (
    between_occasions,
    building_block_changes,
    building_blocks,
    claims,
    diagnostics,
    heaps,
    isolation,
    losses,
    noise,
    reached,
    stopping,
    target_cost,
)
from results.verdicts.effects import Contrasts, contrasts


@dataclass(frozen=True, eq=False)
class Analysis:
    """What a run directory holds, and the frames that follow from it.

    Attributes:
        path: The run directory.
        study: The resolved study.
        records: All records of the trials planned, earlier attempts included.
        environments: What is known about each environment, by id.
        imported: Benchmarks that were imported into it, a file each.
        left_out: Files that could not be believed, and why.
        plans: Ids of the trials planned, by environment.
        stops: By environment, that a budget ended its last run.
    """

    path: Path
    study: ResolvedStudy
    records: tuple[Record, ...]
    environments: dict[str, dict[str, Any]]
    imported: tuple[BenchmarkFile, ...] = ()
    left_out: tuple[Disbelieved, ...] = ()
    plans: Mapping[str, frozenset[str]] = field(default_factory=dict)
    stops: Mapping[str, Stop] = field(default_factory=dict)

    @cached_property
    def series(self) -> pd.DataFrame:
        """One row per measurement, its samples as an array."""
        return samples.series(self.study, self.records)

    @cached_property
    def measurements(self) -> pd.DataFrame:
        """One row per raw sample."""
        return samples.measurements(self.series)

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        """One row per (trial, arm): what became of it."""
        return samples.outcomes(self.study, self.records)

    @cached_property
    def curves(self) -> pd.DataFrame:
        """One row per point of a convergence curve."""
        return samples.curves(self.study, self.records)

    @cached_property
    def inside(self) -> pd.DataFrame:
        """One row per look inside a network that trained, layer and quantity."""
        return inside_frames.inside(self.study, self.records)

    @cached_property
    def memory_profiles(self) -> pd.DataFrame:
        """One row per profile of a memory workload: (environment, workload, arm, mode, source, device)."""
        return memory_profiles.profiles(self.study, self.records)

    @cached_property
    def stretches(self) -> pd.DataFrame:
        """One row per stretch of timed rounds: what the machine did meanwhile."""
        return stretches.stretches(self.records)

    @cached_property
    def timed_arms(self) -> pd.DataFrame:
        """One row per arm and mode of a timed process: its batch, its steps, its warm-up."""
        return stretches.timed_arms(self.study, self.records)

    @cached_property
    def benchmarks(self) -> pd.DataFrame:
        """One row per imported file and benchmark."""
        return benchmark_frames.benchmarks(self.imported)

    @cached_property
    def contrasts(self) -> Contrasts:
        """Effects and interactions, judged."""
        return contrasts(self.study, self.series, self.outcomes, self.curves)

    @cached_property
    def noise_floor(self) -> pd.DataFrame:
        """What the baseline against its duplicate shows, by workload, metric, mode and split."""
        return noise.noise_floor(self.contrasts.effects)

    @cached_property
    def isolation(self) -> pd.DataFrame:
        """Effects of interleaved workloads beside those of processes with one arm alone."""
        return isolation.isolation(self.study, self.series, self.outcomes, self.contrasts.effects)

    @cached_property
    def occasions(self) -> pd.DataFrame:
        """How much effects of time vary from one occasion to the next, and what verdicts hold for."""
        return between_occasions.between_occasions(self.study, self.series, self.outcomes)

    @cached_property
    def diagnostics(self) -> pd.DataFrame:
        """What the timing says of itself: places, neighbours, drift, and where spread comes from."""
        return diagnostics.diagnostics(self.study, self.series, self.outcomes, self.timed_arms)

    @cached_property
    def effects(self) -> pd.DataFrame:
        """Every arm against the baseline, with interval, verdict, and the facts behind it."""
        rows = noise.with_noise_floor(self.contrasts.effects, self.noise_floor)
        rows = heaps.with_heaps(rows, self.study, self.series, self.outcomes)
        return isolation.with_isolation(rows, self.isolation)

    @cached_property
    def reached(self) -> pd.DataFrame:
        """One row per training of a workload with a target: whether it was reached, and by which step."""
        return reached.reached(self.study, self.curves, self.outcomes)

    @cached_property
    def target_cost(self) -> pd.DataFrame:
        """Steps, images and seconds to the target, where a context was both trained in and timed."""
        return target_cost.target_cost(self.effects)

    @cached_property
    def interactions(self) -> pd.DataFrame:
        """What pairs of changes do together beyond what each does alone."""
        return noise.with_noise_floor(self.contrasts.interactions, self.noise_floor)

    @cached_property
    def main_effects(self) -> pd.DataFrame:
        """What each change does averaged over whatever else there is, or in company of all others."""
        return noise.with_noise_floor(self.contrasts.main_effects, self.noise_floor)

    @property
    def corners(self) -> pd.DataFrame:
        """The four corners of each interaction of two factors, of headline metrics."""
        return self.contrasts.corners

    @cached_property
    def claims(self) -> pd.DataFrame:
        """What became of each claim that the study declares, by environment."""
        return claims.claims(self.study, self.effects, self.records)

    @cached_property
    def losses(self) -> pd.DataFrame:
        """One row per (environment, workload, arm, status) that is not `ok`."""
        return losses.losses(self.outcomes)

    @cached_property
    def censorings(self) -> pd.DataFrame:
        """One row per (environment, workload, arm, metric) that was censored somewhere."""
        return losses.censorings(self.outcomes)

    @cached_property
    def speed(self) -> pd.DataFrame:
        """Images a second, the phases of a step and its latency, by workload, mode and arm."""
        described = speed.described(self.timed_arms, self.stretches)
        return speed.speed(self.study, self.series, self.outcomes, described, self.noise_floor)

    @cached_property
    def machine(self) -> pd.DataFrame:
        """What else the machine did, by timed process."""
        return machine.machine(self.stretches)

    @cached_property
    def spent(self) -> pd.DataFrame:
        """One row per arm of a process, earlier attempts included: what the process took."""
        return cost.cost(self.study, self.records)

    @cached_property
    def cost(self) -> pd.DataFrame:
        """What the timing took, by workload, and why it stopped."""
        return stopping.cost(self.study, self.records)

    @cached_property
    def missing(self) -> pd.DataFrame:
        """Arms with fewer blocks on record than planned, by environment."""
        given_up = stopping.given_up(self.records)
        return trials.missing(self.study, self.outcomes, self.cost, given_up)

    @cached_property
    def variants(self) -> pd.DataFrame:
        """One row per arm, the headline metrics of all workloads side by side."""
        return variants.variants(self.study, self.series, self.outcomes)

    @cached_property
    def trials(self) -> pd.DataFrame:
        """Every trial and arm with status and reason."""
        return trials.trials(self.outcomes)

    @cached_property
    def in_place(self) -> pd.DataFrame:
        """Pairs of arms that differ in one equivalent factor: what it does to memory."""
        profiles = self.memory_profiles
        return in_place.equivalent_pairs(self.study, profiles[profiles["role"] != "control"], self.series)

    @cached_property
    def building_blocks(self) -> pd.DataFrame:
        """Every imported benchmark against the baseline of its group, with interval and verdict."""
        return building_blocks.levels(self.benchmarks, self._margin_of_a_call)

    @cached_property
    def building_block_changes(self) -> pd.DataFrame:
        """Every imported benchmark of a later commit against the first commit imported."""
        return building_block_changes.changes(self.benchmarks, self._margin_of_a_call)

    @property
    def _margin_of_a_call(self) -> float:
        declared = [m.margin for m in self.study.metrics if m.name == CALL_SECONDS.name]
        return declared[0] if declared else CALL_SECONDS.margin

    @property
    def names(self) -> tuple[str, ...]:
        """Ids of the environments in which anything was run."""
        return tuple(sorted(self.outcomes["environment"].unique()))
