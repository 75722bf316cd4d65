"""Every trial with what became of it, and what was planned and is not on record."""

import pandas as pd

from results.records.resolved_study import ResolvedStudy
from results.verdicts import stopping

TRIAL_COLUMNS = [
    *("trial", "workload", "block", "occasion", "arm", "variant", "status", "reason"),
    *("seconds", "environment", "attempt", "started_at", "log"),
]
MISSING_COLUMNS = ["environment", "workload", "arm", "planned", "recorded"]


def trials(outcomes: pd.DataFrame) -> pd.DataFrame:
    """One row per (trial, arm), last attempts only; `log` names the file that holds what it printed."""
    frame = outcomes[TRIAL_COLUMNS].sort_values(["workload", "block", "arm", "trial"], kind="stable")
    return frame.reset_index(drop=True)


def missing(
    study: ResolvedStudy,
    outcomes: pd.DataFrame,
    cost: pd.DataFrame,
    given_up: frozenset[tuple[str, str, str]],
) -> pd.DataFrame:
    """Arms of a workload with fewer blocks on record than planned, or than its stopping rule asks for.

    Each environment is held to the whole plan: that another one has it does not complete it. Of several
    occasions the last counts: what was not timed on an earlier one cannot be any more.

    Args:
        study: The study.
        outcomes: As `results.frames.samples.outcomes` gives it.
        cost: As `results.verdicts.stopping.cost` gives it.
        given_up: (environment, workload, arm) that a run does not ask for again.
    """
    environments = sorted(outcomes["environment"].unique()) or [""]
    outcomes, cost = _on_last_occasion(study, outcomes), _on_last_occasion(study, cost)
    done = outcomes.groupby(["environment", "workload", "arm"])["block"].nunique().to_dict()
    rows = [
        (
            environment,
            workload.name,
            arm,
            workload.planned(arm),
            done.get((environment, workload.name, arm), 0),
        )
        for environment in environments
        for workload in study.workloads
        for arm in workload.variants
        if (environment, workload.name, arm) not in given_up
    ]
    frame = pd.DataFrame(rows, columns=MISSING_COLUMNS)
    frame = frame[frame["recorded"] < frame["planned"]]
    # Where the fewest are there and intervals are too wide still, one more at least is to come.
    going_on = cost[(cost["reason"] == stopping.UNDER_WAY) & (cost["processes"] >= cost["at_least"])]
    more = [
        (row["environment"], row["workload"], arm, row["processes"] + 1, row["processes"])
        for row in going_on.to_dict("records")
        for arm in row["open_arms"]
    ]
    return pd.concat([frame, pd.DataFrame(more, columns=MISSING_COLUMNS)], ignore_index=True)


def _on_last_occasion(study: ResolvedStudy, rows: pd.DataFrame) -> pd.DataFrame:
    """Without what was timed on an earlier occasion than the environment's last."""
    timed = rows["workload"].isin([w.name for w in study.workloads if w.block_unit == "process"])
    return rows[~timed | (rows["occasion"] == rows.groupby("environment")["occasion"].transform("max"))]
