"""The headline of a run: the effects that answer its question, as columns, and the noise beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from results.report.control_words import noise_floor
from results.report.notes import effects_with_notes, with_notes
from results.tables.analysis import Analysis
from results.tables.headline import HeadlineColumn, headline_columns, title
from results.verdicts.designs import FACTORIALS

ARMS_CAPTION = "What each change does against the baseline"
AVERAGED_CAPTION = "What each change does, averaged over the others"


@dataclass(frozen=True, slots=True)
class Headline:
    """The headline of one environment.

    Attributes:
        arms: A column for each headline metric: every arm against the baseline.
        averaged: Of a factorial design the same, averaged over whatever else there is; else empty.
        means: The rows of `averaged`, those that are no headline included; None where there are none.
    """

    arms: Sequence[HeadlineColumn]
    averaged: Sequence[HeadlineColumn]
    means: pd.DataFrame | None

    @property
    def shown(self) -> Sequence[HeadlineColumn]:
        """What answers the question first."""
        return self.averaged or self.arms

    @property
    def caption(self) -> str:
        """What a table of `shown` is."""
        return AVERAGED_CAPTION if self.averaged else ARMS_CAPTION


def headline(run: Analysis, environment: str) -> Headline:
    """The headline of one environment, rows with their notes."""
    noted = effects_with_notes(run)
    arms = list(headline_columns(run.study, noted[noted["environment"] == environment]))
    means = _means(run, environment)
    return Headline(arms, [] if means is None else list(headline_columns(run.study, means)), means)


def _means(run: Analysis, environment: str) -> pd.DataFrame | None:
    """Main effects of a factorial design with their notes; None for any other."""
    if run.study.design not in FACTORIALS or run.main_effects.empty:
        return None
    rows = with_notes(run, run.main_effects)
    return rows[rows["environment"] == environment]


def noise_line(run: Analysis, environment: str, columns: Sequence[HeadlineColumn] | None = None) -> str:
    """The noise floor of each headline metric that varies, per mode, as far as it is known; "" for none.

    Args:
        run: What was measured.
        environment: Its id.
        columns: Those to tell of; all where None.
    """
    noise = run.noise_floor
    rows = noise[(noise["environment"] == environment) & noise["headline"].astype(bool)]
    told = [(str(row["workload"]), title(row), noise_floor(row.to_dict())) for _, row in rows.iterrows()]
    if columns is not None:
        wanted = {(str(column.rows["workload"].iloc[0]), column.title) for column in columns}
        told = [one for one in told if one[:2] in wanted]
    several = len({workload for workload, *_ in told}) > 1
    said = [f"{what}{f' [{where}]' if several else ''} {floor}" for where, what, floor in told]
    if not said:
        return ""
    return f"Noise of this run, the baseline against a duplicate of itself: {', '.join(said)}."
