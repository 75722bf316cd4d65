"""Tables beside the effects: one row per arm, per trial, per claim; noise floors; what is missing."""

import numpy as np
import pandas as pd
from scipy import stats

from results.records.resolved_study import CONTROL_FACTOR, ResolvedStudy
from results.verdicts import statistics as rules
from results.verdicts import stopping
from results.verdicts.cells import Cell, cells

CLAIM_COLUMNS = [
    *("claim", "source", "statement", "predicted", "measured"),
    *("ci_low", "ci_high", "verdict", "reason", "evidence"),
]
TRIAL_COLUMNS = [
    *("trial", "workload", "block", "arm", "variant", "status", "reason"),
    *("seconds", "environment", "attempt", "started_at"),
]
NOISE_COLUMNS = [
    *("environment", "workload", "metric", "label", "unit", "effect_kind"),
    *("sd", "half_width", "noise_floor", "n", "verdict"),
]
MISSING_COLUMNS = ["workload", "arm", "planned", "recorded"]


def trials(outcomes: pd.DataFrame) -> pd.DataFrame:
    """One row per (trial, arm), last attempts only."""
    frame = outcomes[TRIAL_COLUMNS].sort_values(["workload", "block", "arm", "trial"], kind="stable")
    return frame.reset_index(drop=True)


def claims() -> pd.DataFrame:
    """One row per claim; no study declares any yet."""
    return pd.DataFrame(columns=CLAIM_COLUMNS)


def variants(study: ResolvedStudy, measurements: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """One row per arm: headline metrics side by side, then what became of the arm in each workload."""
    several = outcomes["environment"].nunique() > 1
    table = pd.DataFrame(
        [{"arm": arm.name, "role": arm.role, **study.labels(arm)} for arm in study.arms]
    ).set_index("arm")
    for cell in cells(study, measurements, outcomes):
        if cell.metric and cell.metric.headline and not cell.workload.belongs_to("spot_check"):
            values = {arm: cell.average(cell.values(arm)) for arm in cell.workload.variants}
            table[column_of(cell, several)] = pd.Series(values, dtype=float)
    for workload in study.workloads:
        here = outcomes[outcomes["workload"] == workload.name]
        table[f"{workload.name}: variant"] = pd.Series(workload.variants, dtype=object)
        table[f"{workload.name}: status"] = here.groupby("arm")["status"].agg(_tally)
        if (here["status"] == "diverged").any():
            ended = here[here["status"].isin(["ok", "diverged"])].groupby("arm")["status"]
            table[f"{workload.name}: diverged"] = ended.agg(
                lambda s: f"{int((s == 'diverged').sum())}/{len(s)}"
            )
    return table.reset_index()


def column_of(cell: Cell, with_environment: bool) -> str:
    """Name of a column, with its context: `memory-224: peak_bytes (train, simulated, cuda)`."""
    assert cell.metric is not None
    parts = [cell.mode, cell.split, cell.source, cell.device, cell.environment if with_environment else None]
    return f"{cell.workload.name}: {cell.metric.name} ({', '.join(part for part in parts if part)})"


def _tally(statuses: pd.Series) -> str:
    counts = statuses.value_counts()
    if len(counts) == 1:
        return str(counts.index[0])
    return ", ".join(f"{status} {count}" for status, count in sorted(counts.items()))


def noise_floor(effects: pd.DataFrame) -> pd.DataFrame:
    """What a comparison of the baseline with itself shows, pooled over the A/A rows of a metric.

    `sd` and `half_width` (95 %, of the mean over n blocks) stand on the scale of the analysis: the
    logarithm for ratios. A true effect smaller than the half-width drowns in the noise of this run.
    `noise_floor` is the half-width as tables show it: a ratio less 1, or a difference in the metric's unit.
    """
    control = effects[(effects["factor"] == CONTROL_FACTOR) & effects["sd"].notna() & (effects["n"] > 1)]
    rows = []
    for _, group in control.groupby(["environment", "workload", "metric"], sort=False):
        sd, freedom = rules.pooled_sd(group["sd"].tolist(), group["n"].tolist())
        n = int(group["n"].min())
        half_width = float(stats.t.ppf(1 - rules.ALPHA / 2, freedom)) * sd / np.sqrt(n)
        failed = bool((group["verdict"] == "invalid").any())
        first = group.iloc[0][["environment", "workload", "metric", "label", "unit", "effect_kind"]].to_dict()
        verdict = "failed" if failed else "quiet"
        floor = float(np.expm1(half_width)) if first["effect_kind"] == "ratio" else half_width
        found = {"sd": sd, "half_width": half_width, "noise_floor": floor, "n": n, "verdict": verdict}
        rows.append(first | found)
    return pd.DataFrame(rows, columns=NOISE_COLUMNS)


def with_noise_floor(rows: pd.DataFrame, noise: pd.DataFrame) -> pd.DataFrame:
    """Rows of effects with the noise floor of their metric beside them; NaN where nothing varies."""
    keys = ["environment", "workload", "metric"]
    known = dict(
        zip(noise[keys].itertuples(index=False, name=None), noise["noise_floor"].astype(float), strict=True)
    )
    floors = [known.get(key, np.nan) for key in rows[keys].itertuples(index=False, name=None)]
    return rows.assign(noise_floor=pd.Series(floors, index=rows.index, dtype=float))


def missing(study: ResolvedStudy, outcomes: pd.DataFrame, cost: pd.DataFrame) -> pd.DataFrame:
    """Arms of a workload with fewer blocks on record than planned, or than its stopping rule asks for.

    Args:
        study: The study.
        outcomes: As `Run.outcomes` holds it.
        cost: As `Run.cost` gives it.
    """
    done = outcomes.groupby(["workload", "arm"])["block"].nunique()
    rows = [
        (workload.name, arm, workload.replicates, int(done.get((workload.name, arm), 0)))
        for workload in study.workloads
        for arm in workload.variants
    ]
    frame = pd.DataFrame(rows, columns=MISSING_COLUMNS)
    frame = frame[frame["recorded"] < frame["planned"]]
    # Where the fewest are there and intervals are too wide still, one more at least is to come.
    going_on = cost[(cost["reason"] == stopping.UNDER_WAY) & (cost["processes"] >= cost["at_least"])]
    more = [
        (row["workload"], arm, row["processes"] + 1, row["processes"])
        for row in going_on.to_dict("records")
        for arm in row["open_arms"]
    ]
    return pd.concat([frame, pd.DataFrame(more, columns=MISSING_COLUMNS)], ignore_index=True)
