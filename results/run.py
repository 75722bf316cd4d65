"""A run directory, loaded: the frames that people ask for, and its report.

What draws is imported by `Run.report` alone: whoever asks for frames does not wait for matplotlib.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from results.records.benchmarks import stored
from results.records.directory import (
    Disbelieved,
    current,
    read_environments,
    read_plans,
    read_records,
    read_stops,
)
from results.records.resolved_study import CONTROL_FACTOR, ResolvedStudy, read_study
from results.report.notebook import as_html, as_text
from results.report.notes import effects_with_notes, with_notes
from results.report.sections.claims import claim_rows
from results.tables.analysis import Analysis
from results.tables.columns import FRAMES, shaped

_BESIDE = ("analysis", "environments", "left_out", "path", "report", "study")

if TYPE_CHECKING:
    from results.report.write import Report


class Run:
    """What a run directory holds.

    One rule: what was recorded is an attribute, what is computed from it is a method. So `measurements`,
    `curves`, `inside` and `memory_profiles`, a row per value on record, are attributes, as are `study`,
    `environments`, `path` and `left_out`; every other frame is a method: `effects()`, `variants()`.

    All of them are data frames with the columns and dtypes that `results.columns` tells, whether or not they
    have rows. Each call gives a frame of your own: what you do to it changes no other.

    Attributes:
        analysis: All that the report is made of, also what has no method here.
    """

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self._frames: dict[str, pd.DataFrame] = {}

    def __dir__(self) -> list[str]:
        return sorted([*FRAMES, *_BESIDE])

    def __repr__(self) -> str:
        return as_text(self.analysis)

    def _repr_html_(self) -> str:
        return as_html(self.analysis)

    @property
    def path(self) -> Path:
        """The run directory."""
        return self.analysis.path

    @property
    def study(self) -> ResolvedStudy:
        """What was asked: factors, arms, workloads, metrics with their margins."""
        return self.analysis.study

    @property
    def environments(self) -> dict[str, dict[str, Any]]:
        """What is known of each machine and its software, by id."""
        return {name: dict(facts) for name, facts in self.analysis.environments.items()}

    @property
    def left_out(self) -> tuple[Disbelieved, ...]:
        """Files that could not be believed, and why; nothing of them is in any frame."""
        return self.analysis.left_out

    @property
    def measurements(self) -> pd.DataFrame:
        """One row per raw sample."""
        return self._shaped("measurements", lambda: self.analysis.measurements)

    @property
    def curves(self) -> pd.DataFrame:
        """One row per point of a learning curve."""
        return self._shaped("curves", lambda: self.analysis.curves)

    @property
    def inside(self) -> pd.DataFrame:
        """Gradients, activations and dead ReLUs: one row per look at a training, layer and quantity."""
        return self._shaped("inside", lambda: self.analysis.inside)

    @property
    def memory_profiles(self) -> pd.DataFrame:
        """The memory of a step: one row per workload, arm, mode and source."""
        return self._shaped("memory_profiles", lambda: self.analysis.memory_profiles)

    def effects(self, *, control: bool = False) -> pd.DataFrame:
        """Every arm against the baseline, with interval, verdict, the facts behind it, and a note.

        Args:
            control: Whether the A/A rows are there, too: the baseline against its duplicate, factor
                `(control)`, as in `effects.csv`. Nothing else is ever left out.
        """
        found = self._shaped("effects", lambda: effects_with_notes(self.analysis))
        return found if control else found[found["factor"] != CONTROL_FACTOR].reset_index(drop=True)

    def main_effects(self) -> pd.DataFrame:
        """What each change does averaged over the others, of a factorial design; columns as `effects`."""
        return self._shaped("main_effects", lambda: with_notes(self.analysis, self.analysis.main_effects))

    def interactions(self) -> pd.DataFrame:
        """What pairs of changes do together beyond what each does alone; columns as `effects`."""
        return self._shaped("interactions", lambda: with_notes(self.analysis, self.analysis.interactions))

    def corners(self) -> pd.DataFrame:
        """The four corners of each interaction of two factors, of headline metrics."""
        return self._shaped("corners", lambda: self.analysis.corners)

    def noise_floor(self) -> pd.DataFrame:
        """What the baseline against its own duplicate shows, in each metric that varies."""
        return self._shaped("noise_floor", lambda: self.analysis.noise_floor)

    def variants(self) -> pd.DataFrame:
        """One row per arm, the headline metrics of all workloads side by side."""
        return self._shaped("variants", lambda: self.analysis.variants)

    def claims(self) -> pd.DataFrame:
        """One row per claim that the study declares, and environment."""
        return self._shaped("claims", lambda: claim_rows(self.analysis))

    def target_cost(self) -> pd.DataFrame:
        """Steps, images and seconds to the target, where a context was both trained in and timed."""
        return self._shaped("target_cost", lambda: self.analysis.target_cost)

    def trials(self) -> pd.DataFrame:
        """Every trial and arm with status and reason."""
        return self._shaped("trials", lambda: self.analysis.trials)

    def speed(self) -> pd.DataFrame:
        """Images a second, the phases of a step and its latency, by workload, mode and arm."""
        return self._shaped("speed", lambda: self.analysis.speed)

    def building_blocks(self) -> pd.DataFrame:
        """Every imported benchmark against the baseline of its group, with interval and verdict."""
        return self._shaped("building_blocks", lambda: self.analysis.building_blocks)

    def report(self) -> "Report":
        """Write `report/` of the run directory.

        Raises:
            StorageError: It cannot be written.
        """
        from results.report.write import write_report

        return write_report(self.analysis)

    def _shaped(self, name: str, made: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """A frame with its promised dtypes, made once; pandas copies what its reader changes."""
        if name not in self._frames:
            self._frames[name] = shaped(name, made())
        return self._frames[name].copy(deep=_DEEP)


_DEEP = int(pd.__version__.split(".")[0]) < 3
"""Before version 3 pandas did not copy on write."""


def load(path: Path | str) -> Run:
    """Read a run directory; files that cannot be believed are left out and named in `left_out`.

    Raises:
        RecordError: It is no run directory, or its study, a plan or an environment is not what it should be.
    """
    directory = Path(path)
    study = read_study(directory)
    records, damaged = read_records(directory, study)
    imported, changed = stored(directory)
    plans = read_plans(directory)
    return Run(
        Analysis(
            directory,
            study,
            tuple(current(records, plans)),
            read_environments(directory),
            tuple(imported),
            (*damaged, *changed),
            plans,
            read_stops(directory),
        )
    )
