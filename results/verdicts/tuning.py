"""Each arm's own learning rate: the one whose trainings end with the lowest loss on validation images.

Every arm has the same small budget: as many rates, as many seeds of each (`tune`, `tuning_seeds`). An arm
that must match the baseline bit for bit, and the baseline's duplicate, train at the baseline's rate.
"""

import math
from collections.abc import Iterable

import pandas as pd

from results.frames import samples
from results.records.record import Record
from results.records.resolved_study import ResolvedStudy, Workload

LOSS = "validation_loss"


def searches(study: ResolvedStudy, tuned: Workload) -> tuple[Workload, ...]:
    """The workloads in which the rates of a tuned one are tried; none if it is not tuned."""
    of = tuned.belongs_to("tuned")
    return tuple(w for w in study.workloads if of is not None and w.belongs_to("rate_search") == of)


def rates_of(study: ResolvedStudy, tuned: Workload, records: Iterable[Record]) -> dict[str, float]:
    """As `chosen`, from the records of one environment."""
    tried = {workload.name for workload in searches(study, tuned)}
    mine = [record for record in records if record.workload in tried]
    return chosen(study, tuned, samples.curves(study, mine))


def chosen(study: ResolvedStudy, tuned: Workload, curves: pd.DataFrame) -> dict[str, float]:
    """Learning rate of each arm of a tuned workload.

    Args:
        study: The study.
        tuned: The workload.
        curves: As `results.frames.samples.curves` gives it, of one environment; a training that diverged has
            none, and speaks against its rate as nothing else does.
    """
    rates = {workload.name: _rate(workload) for workload in searches(study, tuned)}
    losses = curves[(curves["metric"] == LOSS) & curves["workload"].isin(rates)]
    last = losses.sort_values("step").groupby(["arm", "workload", "block"], as_index=False).last()
    means = last.groupby(["arm", "workload"])["value"].agg(["mean", "size"])
    most = int(means["size"].max()) if len(means) else 0
    found: dict[str, float] = {}
    for arm, here in means.groupby(level="arm"):
        complete = here[here["size"] == most].droplevel("arm")["mean"]
        best = min(complete.index, key=lambda name: (complete[name], _far(rates[name], tuned)), default=None)
        if best is not None:
            found[str(arm)] = rates[str(best)]
    usual = found.get(study.baseline, _rate(tuned))
    return {arm: found.get(arm, usual) for arm in tuned.variants}


def _rate(workload: Workload) -> float:
    return float(workload.settings["learning_rate"])


def _far(rate: float, tuned: Workload) -> float:
    """How far from the recipe's rate, on the logarithm."""
    return abs(math.log(rate / _rate(tuned)))
