"""What the order under a budget is worth: a run that is on record, run again by the clock in two orders.

`nox -s calibrate -- budgets RUN`: RUN is a complete run of the study `quick` (or of `--study`), made on this
machine. Each trial takes what it took there and leaves what it left there; the order is the budget's, whose
forecasts learn as they do in a run, or the plan's own, cut off at the same time. What is told is how many
effects have a verdict then.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

import results
from results.records.directory import latest, read_records, write_plan, write_record
from results.records.record import Record
from results.records.resolved_study import write_study
from results.verdicts.widths import widths
from runners import study
from runners.budget import report_seconds
from runners.forecast import START_SECONDS, Forecast
from runners.machine_speed import macs_per_second
from runners.plan import Plan, plan
from runners.priorities import Machine, Standing, chosen, is_alone
from runners.trial import Trial

PLANNING_SECONDS = 10.0
BUDGETS = (60, 90, 120, 180, 240)
DECIDED = {"better", "worse", "equivalent"}

Running = list[tuple[Trial, float]]
Choose = Callable[[list[Trial], Running, float, Sequence[Record]], Trial | None]


def on_record(planned: Plan, run: Path) -> dict[str, Record]:
    """The record of each trial, by the trial's id as it is now; matched by workload, block and arms."""
    last = latest(read_records(run)[0]).values()
    found = {(r.workload, r.block, *sorted(o.arm for o in r.outcomes)): r for r in last}
    keys = {t.id: (t.workload.name, t.block, *sorted(arm.name for arm in t.arms)) for t in planned.trials}
    return {trial: replace(found[key], trial=trial) for trial, key in keys.items()}


def replayed(
    planned: Plan, records: Mapping[str, Record], jobs: int, seconds: float, choose: Choose
) -> list[Record]:
    """The records that there are after so many seconds, trials begun as they are chosen."""
    left, done, now = list(planned.trials), list[Record](), 0.0
    running: Running = []

    def advance(to: float) -> Iterator[Record]:
        """Let what ends by then end."""
        for trial, end in sorted(running, key=lambda one: one[1]):
            if end <= to:
                running.remove((trial, end))
                yield records[trial.id]

    while left:
        if len(running) >= jobs:
            now = min(end for _, end in running)
            done += advance(now)
        trial = choose(left, running, now, done)
        if trial is None:
            break
        if any(is_alone(t) or t.wave != trial.wave for t in (trial, *(t for t, _ in running))):
            now = max([now, *(end for _, end in running)])
            done += advance(now)
        if now >= seconds:
            break
        left.remove(trial)
        running.append((trial, now + START_SECONDS + records[trial.id].seconds))
    return [*done, *advance(seconds)]


def in_the_plans_order(left: list[Trial], *_: object) -> Trial | None:
    """As without a budget."""
    return left[0]


def in_the_budgets_order(planned: Plan, jobs: int, seconds: float) -> Choose:
    """As `runners.ration` does it."""
    by_id = {trial.id: trial for trial in planned.trials}
    looked: dict[int, Mapping[tuple[str, str], float]] = {}

    def choose(left: list[Trial], running: Running, now: float, done: Sequence[Record]) -> Trial | None:
        forecast = Forecast(planned.trials, [replace(r, started_at=f"{i:06}") for i, r in enumerate(done)])
        have: dict[tuple[str, str], int] = {}
        for trial in (*(by_id[record.trial] for record in done), *(trial for trial, _ in running)):
            for arm in trial.arms:
                key = (trial.workload.name, arm.name)
                have[key] = have.get(key, 0) + 1
        place = len(done) // 8  # it is looked at now and then
        if place not in looked:
            looked[place] = widths(planned.study, done) if max(have.values(), default=0) >= 6 else {}
        standing = Standing(planned.study, left, have, seconds - now, looked[place])
        taken = [(trial, max(0.0, end - now)) for trial, end in running]
        return chosen(standing, Machine(forecast.seconds, jobs), taken)

    return choose


def decided(planned: Plan, records: Sequence[Record]) -> dict[str, int]:
    """Effects with a verdict: of all metrics, of headlines, and by headline metric."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder)
        write_study(run, planned.study)
        for record in records:
            write_record(run, record)
        write_plan(run, records[0].environment, [trial.id for trial in planned.trials])
        effects = results.load(run).effects()
    told = effects[effects["verdict"].isin(DECIDED) & (effects["factor"] != "(control)")]
    headline = told[told["headline"].astype(bool)]
    counted = (headline["workload"] + " " + headline["metric"]).value_counts()
    by_metric = {str(name): int(count) for name, count in counted.items()}
    return {"trials": len(records), "decided": len(told), "headlines": len(headline), **by_metric}


def table(planned: Plan, records: Mapping[str, Record], jobs: int, budgets: Sequence[float]) -> pd.DataFrame:
    """A row a budget and order."""
    rows = []
    contrasts = {(t.workload.name, arm.name) for t in planned.trials for arm in t.arms}
    for budget in budgets:
        seconds = budget - PLANNING_SECONDS - report_seconds(len(contrasts), len(records), 1.0)
        orders = {"budget": in_the_budgets_order(planned, jobs, seconds), "plan": in_the_plans_order}
        for name, choose in orders.items():
            found = replayed(planned, records, jobs, seconds, choose)
            rows.append({"budget_seconds": budget, "order": name, **decided(planned, found)})
    return pd.DataFrame(rows).fillna(0).astype({"budget_seconds": int})


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, help="a complete run directory")
    parser.add_argument("--study", default="quick", help="the study that it is a run of")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--budgets", type=float, nargs="+", default=BUDGETS, metavar="SECONDS")
    parser.add_argument("--macs-per-second", type=float, help="of a core when RUN was made; else as now")
    options = parser.parse_args()
    speed = options.macs_per_second or macs_per_second("cpu")
    planned = plan(study.load(options.study), cores=options.jobs, macs_per_second=speed)
    found = table(planned, on_record(planned, options.run), options.jobs, options.budgets)
    print(found.to_string(index=False, float_format="%.0f"))


if __name__ == "__main__":
    main()
