"""A plan as people read it: a line a workload, or a row a trial."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from results.tables.format import count, duration
from runners import datasets
from runners.budget import Budget
from runners.plan import Plan, forecast_seconds
from runners.shards import Shard, independent, share
from runners.terminal.budget_outlook import outlook, print_outlook
from runners.terminal.designs import print_design
from runners.terminal.tables import print_json, print_line, print_table
from runners.trial import Trial


def trial_rows(planned: Plan, within: Collection[str] | None = None) -> list[dict[str, Any]]:
    """One row per trial, in order of execution; of a budget also whether the trial is `within` it, by id."""
    return [
        {
            "trial": trial.id,
            "workload": trial.workload.name,
            "block": trial.block,
            "arms": [arm.name for arm in trial.arms],
            "wave": trial.wave,
            "runs": "while imprecise" if trial.optional else "always",
            "estimated_seconds": round(trial.estimated_seconds, 1),
            **({} if within is None else {"in_budget": trial.id in within}),
        }
        for trial in planned.trials
    ]


def workload_rows(planned: Plan, cores: int) -> list[dict[str, Any]]:
    """One row per workload; `6 to 10` where a stopping rule may find more worth it."""
    rows = []
    for workload in planned.study.workloads:
        every = [trial for trial in planned.trials if trial.workload.name == workload.name]
        fewest = [trial for trial in every if not trial.optional]
        rows.append(
            {
                "workload": workload.name,
                "context": re.sub(r",\b", ", ", workload.context),  # breaks between factors, not within
                "trials": _range(len(fewest), len(every)),
                "blocks": _range(workload.replicates, len({trial.block for trial in every})),
                "arms": len(workload.variants),
                "forecast": _forecast(fewest, every, cores),
            }
        )
    return rows


def show_plan(
    name: str, planned: Plan, cores: int, budget: Budget | None = None, *, trials: bool, as_json: bool
) -> None:
    """Print a plan, and how far a budget reaches, as tables or as JSON."""
    ahead = None if budget is None else outlook(planned, budget, cores)
    within = None if ahead is None else {trial.id for trial in ahead.within}
    planned = planned if ahead is None else ahead.planned
    if as_json:
        print_json(trial_rows(planned, within))
        return
    print_plan(name, planned, cores, trials=trials, within=within)
    print_data(planned)
    if ahead is not None:
        print_outlook(ahead)


def print_plan(
    name: str, planned: Plan, cores: int, *, trials: bool, within: Collection[str] | None = None
) -> None:
    """Print the design where it has arms of several changes, the plan and its total."""
    if trials:
        print_table(name, trial_rows(planned, within))
    else:
        print_design(planned)
        print_table(name, workload_rows(planned, cores))
    fewest = [trial for trial in planned.trials if not trial.optional]
    seconds = duration(forecast_seconds(fewest, cores))
    total = f"{count(len(fewest), 'trial')}, about {seconds} on {count(cores, 'core')}"
    if len(fewest) < len(planned.trials):
        most = duration(forecast_seconds(planned.trials, cores))
        total += (
            f"; up to {count(len(planned.trials), 'trial')}, {most}, while intervals are wider than declared"
        )
    print_line(total)


def print_data(planned: Plan) -> None:
    """Print what was found in folders of images."""
    names = [workload.dataset for workload in planned.study.workloads]
    for name in dict.fromkeys(names):
        if name is not None and datasets.is_folder(name):
            print_line(f"{name}: {datasets.get(name).summary}")


def print_warnings(planned: Plan, busy: str | None = None) -> None:
    """Print a line for each arm that will fail, and for what is odd about data, where it spoils no JSON.

    `busy` is one on the machine.
    """
    for warning in filter(None, (*planned.warnings, busy)):
        print_line(f"warning: {warning}", style="yellow", stderr=True)


def _range(fewest: int, most: int) -> str:
    return str(fewest) if fewest == most else f"{fewest} to {most}"


def _forecast(fewest: Sequence[Trial], every: Sequence[Trial], cores: int) -> str:
    shown = [duration(forecast_seconds(trials, cores)) for trials in (fewest, every)]
    return " to ".join(dict.fromkeys(shown))


def print_share(study: str, planned: Plan, shard: Shard, directory: Path) -> None:
    """Say which share of a study was run, what is in none, and how the shares become one.

    Args:
        study: As the command line names it.
        planned: The complete plan.
        shard: The share.
        directory: Its run directory.
    """
    known = independent(planned)
    mine = share(shard, known, planned.study.workloads)
    print_line(f"shard {shard}: {len(mine)} of {count(len(known), 'trial')}, each of whole blocks")
    waiting = len(planned.trials) - len(known)
    if waiting:
        print_line(f"up to {count(waiting, 'trial')} more wait for what all shards measure")
    whole, ending = planned.study.name, shard.suffix
    shards = f"{directory}".removesuffix(ending) + f"-*-of-{shard.count}"
    if not directory.name.endswith(ending):
        shards = "DIRECTORY..."
    out = directory.with_name(whole)
    print_line(f"once all shards have ended: ablate merge {shards} --out {out}")
    print_line(f"then what is left, if anything: ablate run {study} --out {out}")
