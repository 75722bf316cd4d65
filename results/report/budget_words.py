"""What a budget left undone, in words."""

from results.records.directory import Stop, latest
from results.records.record import FINAL_STATUSES
from results.report.section import Alert
from results.tables import format as text
from results.tables.analysis import Analysis
from results.verdicts.statistics import MINIMUM_BLOCKS

_MOST_NAMED = 8
"""So many arms of a workload are named; the table of what is missing has them all."""


def budget_alerts(run: Analysis) -> list[Alert]:
    """That a budget ended a run, how many trials are left, and which contrasts are not decided for it."""
    return [
        Alert("The budget ended the run.", _said(run, environment, stop), link="failed")
        for environment, stop in run.stops.items()
    ]


def _said(run: Analysis, environment: str, stop: Stop) -> str:
    planned = run.plans.get(environment, frozenset())
    ended = {
        trial
        for (trial, where), record in latest(run.records).items()
        if where == environment and record.status in FINAL_STATUSES | {"failed"}
    }
    left = len(planned - ended)
    where = f" on {environment}" if len(run.names) > 1 else ""
    undecided = _undecided(run, environment)
    named = f"Not decided for lack of time: {undecided}. " if undecided else ""
    return (
        f"After {text.duration(stop.budget_seconds)}{where}, {left} of {text.count(len(planned), 'trial')} "
        f"{'is' if left == 1 else 'are'} left. {named}About {text.duration(stop.seconds_left)} more would "
        "finish; the same command goes on, and keeps what is on record."
    )


def _undecided(run: Analysis, environment: str) -> str:
    """Arms with fewer blocks than a verdict needs, by workload."""
    roles = {arm.name: arm.role for arm in run.study.arms}
    found: dict[str, list[str]] = {}
    for row in run.missing.to_dict("records"):
        short = row["recorded"] < min(MINIMUM_BLOCKS, row["planned"])
        if row["environment"] in {environment, ""} and short and roles.get(row["arm"]) == "arm":
            found.setdefault(row["workload"], []).append(row["arm"])
    return "; ".join(f"{workload} of {_named(arms)}" for workload, arms in found.items())


def _named(arms: list[str]) -> str:
    more = len(arms) - _MOST_NAMED
    return ", ".join(arms[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
