"""A run directory, loaded: the frames that people ask for, and its report.

What draws is imported by `Run.report` alone: whoever asks for frames does not wait for matplotlib.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from results.records.benchmarks import stored
from results.records.directory import current, read_environments, read_plans, read_records, read_stops
from results.records.resolved_study import read_study
from results.report.notes import effects_with_notes, with_notes
from results.report.sections.claims import claim_rows
from results.tables.analysis import Analysis

if TYPE_CHECKING:
    from results.report.write import Report


class Run:
    """What a run directory holds.

    Attributes:
        analysis: The study, the records, and every frame that follows from them.
    """

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis

    @property
    def measurements(self) -> pd.DataFrame:
        """One row per raw sample."""
        return self.analysis.measurements

    @property
    def inside(self) -> pd.DataFrame:
        """Gradients, activations and dead ReLUs: one row per look at a training, layer and quantity."""
        return self.analysis.inside

    @property
    def target_cost(self) -> pd.DataFrame:
        """Steps, images and seconds to the target, where a context was both trained in and timed."""
        return self.analysis.target_cost

    def effects(self) -> pd.DataFrame:
        """Every arm against the baseline, with interval, verdict, the facts behind it, and a note."""
        return effects_with_notes(self.analysis)

    def main_effects(self) -> pd.DataFrame:
        """What each change does averaged over the others, of a factorial design; columns as `effects`."""
        return with_notes(self.analysis, self.analysis.main_effects)

    def interactions(self) -> pd.DataFrame:
        """What pairs of changes do together beyond what each does alone; columns as `effects`."""
        return with_notes(self.analysis, self.analysis.interactions)

    def variants(self) -> pd.DataFrame:
        """One row per arm, the headline metrics of all workloads side by side."""
        return self.analysis.variants.copy()

    def claims(self) -> pd.DataFrame:
        """One row per claim that the study declares, and environment."""
        return claim_rows(self.analysis)

    def trials(self) -> pd.DataFrame:
        """Every trial and arm with status and reason."""
        return self.analysis.trials.copy()

    def report(self) -> "Report":
        """Write `report/` of the run directory.

        Raises:
            StorageError: It cannot be written.
        """
        from results.report.write import write_report

        return write_report(self.analysis)


def load(path: Path | str) -> Run:
    """Read a run directory; files that cannot be believed are left out and named in `analysis.left_out`.

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
