"""A run directory, loaded."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from results.frames import benchmarks as benchmarks_
from results.frames import memory_profiles as memory
from results.frames import samples as frames
from results.frames import stretches as timing
from results.records.benchmarks import CALL_SECONDS, BenchmarkFile, stored
from results.records.directory import Disbelieved, current, read_environments, read_plans, read_records
from results.records.record import Record
from results.records.resolved_study import ResolvedStudy, read_study
from results.tables import disturbances, tables
from results.tables import machine as machine_
from results.tables import speed as throughput_
from results.verdicts import building_block_changes, building_blocks, stopping
from results.verdicts import effects as effects_
from results.verdicts import isolation as isolation_


@dataclass(frozen=True)
class Run:
    """What a run directory holds, and the frames that follow from it (computed once, when asked for).

    Attributes:
        path: The run directory.
        study: The resolved study.
        records: All records of the trials planned, earlier attempts included.
        environments: What is known about each environment, by id.
        imported: Benchmarks that were imported into it, a file each.
    """

    path: Path
    study: ResolvedStudy
    records: tuple[Record, ...]
    environments: dict[str, dict[str, Any]]
    imported: tuple[BenchmarkFile, ...] = ()
    left_out: tuple[Disbelieved, ...] = ()

    @cached_property
    def measurements(self) -> pd.DataFrame:
        """One row per raw sample."""
        return frames.measurements(self.study, self.records)

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        """One row per (trial, arm): what became of it."""
        return frames.outcomes(self.study, self.records)

    @cached_property
    def curves(self) -> pd.DataFrame:
        """One row per point of a convergence curve."""
        return frames.curves(self.study, self.records)

    @cached_property
    def memory_profiles(self) -> pd.DataFrame:
        """One row per profile of a memory workload: (environment, workload, arm, mode, source, device)."""
        return memory.profiles(self.study, self.records)

    @cached_property
    def stretches(self) -> pd.DataFrame:
        """One row per stretch of timed rounds: what the machine did meanwhile."""
        return timing.stretches(self.study, self.records)

    @cached_property
    def timed_arms(self) -> pd.DataFrame:
        """One row per arm and mode of a timed process: its batch, its steps, its warm-up."""
        return timing.timed_arms(self.study, self.records)

    @cached_property
    def _judged(self) -> pd.DataFrame:
        return effects_.effects(self.study, self.measurements, self.outcomes, self.curves)

    @cached_property
    def _isolation(self) -> pd.DataFrame:
        return isolation_.isolation(self.study, self.measurements, self.outcomes, self._judged)

    @cached_property
    def _effects(self) -> pd.DataFrame:
        rows = tables.with_noise_floor(self._judged, self.noise_floor())
        return isolation_.with_disagreements(rows, self._isolation)

    @cached_property
    def _interactions(self) -> pd.DataFrame:
        rows = effects_.interactions(self.study, self.measurements, self.outcomes, self.curves)
        return tables.with_noise_floor(rows, self.noise_floor())

    def effects(self) -> pd.DataFrame:
        """Every arm against the baseline, with interval, verdict and note."""
        return self._effects.copy()

    def interactions(self) -> pd.DataFrame:
        """What pairs of changes do together beyond what each does alone."""
        return self._interactions.copy()

    @cached_property
    def benchmarks(self) -> pd.DataFrame:
        """One row per imported file and benchmark."""
        return benchmarks_.benchmarks(self.imported)

    @cached_property
    def _building_blocks(self) -> pd.DataFrame:
        return building_blocks.levels(self.benchmarks, self._margin_of_a_call)

    def building_blocks(self) -> pd.DataFrame:
        """Every imported benchmark against the baseline of its group, with interval, verdict and note."""
        return self._building_blocks.copy()

    @cached_property
    def _building_block_changes(self) -> pd.DataFrame:
        return building_block_changes.changes(self.benchmarks, self._margin_of_a_call)

    def building_block_changes(self) -> pd.DataFrame:
        """Every imported benchmark of a later commit against the first commit imported."""
        return self._building_block_changes.copy()

    @property
    def _margin_of_a_call(self) -> float:
        declared = [m.margin for m in self.study.metrics if m.name == CALL_SECONDS.name]
        return declared[0] if declared else CALL_SECONDS.margin

    def variants(self) -> pd.DataFrame:
        """One row per arm, the headline metrics of all workloads side by side."""
        return tables.variants(self.study, self.measurements, self.outcomes)

    def claims(self) -> pd.DataFrame:
        """One row per claim."""
        return tables.claims()

    def trials(self) -> pd.DataFrame:
        """Every trial and arm with status and reason."""
        return tables.trials(self.outcomes)

    def noise_floor(self) -> pd.DataFrame:
        """What the baseline against its duplicate shows, by workload and metric."""
        return tables.noise_floor(self._judged)

    def throughput(self) -> pd.DataFrame:
        """Images a second, the phases of a step and its latency, by workload, mode and arm."""
        return throughput_.throughput(
            self.study,
            self.measurements,
            self.outcomes,
            throughput_.described(self.timed_arms, self.stretches),
            self.noise_floor(),
        )

    def isolation(self) -> pd.DataFrame:
        """Effects of interleaved workloads beside those of processes with one arm alone."""
        return self._isolation.copy()

    def cost(self) -> pd.DataFrame:
        """What the timing took, by workload, and why it stopped."""
        return stopping.cost(self.study, self.records)

    def machine(self) -> pd.DataFrame:
        """What else the machine did, by timed process."""
        return machine_.machine(self.stretches)

    def warnings(self) -> list[str]:
        """What disturbed the timing, and what to do about it."""
        return disturbances.warnings(self.stretches, self.timed_arms, self._isolation)

    def missing(self) -> pd.DataFrame:
        """Arms with fewer blocks on record than planned."""
        return tables.missing(self.study, self.outcomes, self.cost())


def load(path: Path | str) -> Run:
    """Read a run directory.

    Raises:
        RecordError: It is no run directory, or a file in it is not what it should be.
    """
    directory = Path(path)
    study = read_study(directory)
    records, left_out = read_records(directory, study)
    imported, more = stored(directory)
    return Run(
        directory,
        study,
        tuple(current(records, read_plans(directory))),
        read_environments(directory),
        tuple(imported),
        (*left_out, *more),
    )
