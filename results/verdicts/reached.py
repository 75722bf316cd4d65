"""Which seeds reached their target by when: the share over steps, by Kaplan and Meier's estimate."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight

from results.records.resolved_study import ResolvedStudy, Workload
from results.verdicts.events import SCORES, events_of

REACHED_COLUMNS = ["environment", "workload", "arm", "role", "step", "reached", "diverged"]
SHARE_COLUMNS = ["step", "share", "low", "high", "missed"]


def reached(study: ResolvedStudy, curves: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """One row per training of a workload with a target.

    `step` is the evaluation at which it had first reached the target: it got there some steps earlier, after
    the evaluation before. Of a training that ended without, `reached` is false and `step` its last
    evaluation. One that diverged will never get there: it counts to the last step of all.

    Args:
        study: For workloads, targets and roles.
        curves: As `results.frames.samples.curves` gives it.
        outcomes: As `results.frames.samples.outcomes` gives it.
    """
    scores = curves[curves["metric"].isin(SCORES)]
    roles = {arm.name: arm.role for arm in study.arms}
    rows = [
        (environment, workload.name, arm, roles[arm], *told)
        for workload in study.workloads
        if workload.stands_in_headlines and workload.settings.get("target") is not None
        for environment, mine in scores[scores["workload"] == workload.name].groupby("environment")
        for arm, told in _trainings(
            workload, mine, outcomes[outcomes["environment"] == environment], list(roles)
        )
    ]
    return pd.DataFrame(rows, columns=REACHED_COLUMNS)


def _trainings(
    workload: Workload, scores: pd.DataFrame, outcomes: pd.DataFrame, arms: list[str]
) -> list[tuple[str, tuple[float, bool, bool]]]:
    """Step, whether it was reached, and whether the training diverged, each with its arm."""
    order = {arm: place for place, arm in enumerate(arms)}
    end = float(scores["step"].max())
    lost = outcomes[(outcomes["workload"] == workload.name) & (outcomes["status"] == "diverged")]["arm"]
    found = [
        (arm, (until if math.isfinite(until) else after, math.isfinite(until), False))
        for arm, events in events_of(workload, scores).items()
        for after, until in zip(events.after.tolist(), events.until.tolist(), strict=True)
    ]
    return sorted([*found, *((str(arm), (end, False, True)) for arm in lost)], key=lambda one: order[one[0]])


def share_reached(rows: pd.DataFrame) -> pd.DataFrame:
    """The share of an arm's seeds that have reached the target, from each step on that is told.

    `low` and `high` are the ends of its pointwise 95 % interval, by the logarithm of the cumulative hazard as
    in the median's; NaN before the first seed has reached the target and once all have. `missed` counts the
    trainings that end there without.

    Args:
        rows: As `reached` gives them, of one arm in one workload and environment.
    """
    steps = np.unique([0.0, *rows["step"]])
    estimate = _estimate(rows)
    survival, error = (np.asarray(a, dtype=float) for a in (estimate.surv_prob, estimate.surv_prob_se))
    with np.errstate(divide="ignore", invalid="ignore"):
        half = stats.norm.ppf(0.975) * error / np.abs(survival * np.log(survival))
        ends = survival ** np.exp(-half), survival ** np.exp(half)
    place = np.searchsorted(estimate.surv_times, steps, side="right")
    low, high = (np.append(np.nan, 1 - end)[place] for end in ends)
    missed = rows.loc[~rows["reached"], "step"].value_counts().reindex(steps, fill_value=0)
    values = (steps, 1 - np.append(1.0, survival)[place], low, high, missed.to_numpy())
    return pd.DataFrame(dict(zip(SHARE_COLUMNS, values, strict=True)))


@dataclass(frozen=True, slots=True)
class Median:
    """The step by which half of the seeds have reached the target, with its 95 % interval.

    Attributes:
        step: NaN where not half of them do.
        low: NaN where nothing is known of it.
        high: Infinite where it has no bound, NaN where nothing is known of it.
    """

    step: float
    low: float
    high: float


def median(rows: pd.DataFrame) -> Median:
    """The median of an arm.

    Args:
        rows: As `share_reached` takes them.
    """
    if rows.empty:
        return Median(math.nan, math.nan, math.nan)
    estimate = _estimate(rows)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = estimate.quantile_ci(0.5)
    # Half are enough; statsmodels' own quantile wants more than half, but for what rounding makes of it.
    there = estimate.surv_times[estimate.surv_prob <= 0.5 + 1e-9]
    return Median(float(there[0]) if len(there) else math.nan, float(low), float(high))


def _estimate(rows: pd.DataFrame) -> SurvfuncRight:
    return SurvfuncRight(rows["step"].to_numpy(dtype=float), rows["reached"].to_numpy(dtype=int))
