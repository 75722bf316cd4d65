"""A run directory, loaded."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from results import effects as effects_
from results import frames, memory, tables
from results.records import Record, RecordError, read_plans, read_records
from results.study import ResolvedStudy, read_study


@dataclass(frozen=True)
class Run:
    """What a run directory holds, and the frames that follow from it (computed once, when asked for).

    Attributes:
        path: The run directory.
        study: The resolved study.
        records: All records of the trials planned, earlier attempts included.
        environments: What is known about each environment, by id.
    """

    path: Path
    study: ResolvedStudy
    records: tuple[Record, ...]
    environments: dict[str, dict[str, Any]]

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
    def _effects(self) -> pd.DataFrame:
        return effects_.effects(self.study, self.measurements, self.outcomes, self.curves)

    @cached_property
    def _interactions(self) -> pd.DataFrame:
        return effects_.interactions(self.study, self.measurements, self.outcomes, self.curves)

    def effects(self) -> pd.DataFrame:
        """Every arm against the baseline, with interval, verdict and note."""
        return self._effects.copy()

    def interactions(self) -> pd.DataFrame:
        """What pairs of changes do together beyond what each does alone."""
        return self._interactions.copy()

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
        return tables.noise_floor(self._effects)

    def missing(self) -> pd.DataFrame:
        """Arms with fewer blocks on record than planned."""
        return tables.missing(self.study, self.outcomes)


def load(path: Path | str) -> Run:
    """Read a run directory.

    Raises:
        RecordError: It is no run directory, or a file in it is not what it should be.
    """
    directory = Path(path)
    study = read_study(directory)
    return Run(directory, study, _current(directory), _environments(directory))


def _current(directory: Path) -> tuple[Record, ...]:
    """The records of the trials that are planned: those of an earlier version of the study are left out."""
    plans = read_plans(directory)
    return tuple(
        record
        for record in read_records(directory)
        if record.environment not in plans or record.trial in plans[record.environment]
    )


def _environments(directory: Path) -> dict[str, dict[str, Any]]:
    found = {}
    for file in sorted((directory / "environment").glob("*.json")):
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise RecordError(f"{file}: not a readable JSON file ({error})") from error
        if not isinstance(content, dict):
            raise RecordError(f"{file}: expected a JSON object, found {type(content).__name__}")
        found[file.stem] = content
    return found
