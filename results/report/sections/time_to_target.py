"""How soon the target is reached, and by which share of the seeds."""

import math
from collections.abc import Iterator, Sequence
from functools import partial

import pandas as pd

from results import plots
from results.records.resolved_study import CONTROL_FACTOR, Workload
from results.report.control_words import duplicates_that_differ
from results.report.drawing import drawn_suffix
from results.report.effect_tables import verdict_entry
from results.report.findings import clauses, listed
from results.report.section import (
    Bullets,
    Entry,
    Figure,
    Group,
    Paragraph,
    Part,
    Section,
    Sentence,
    Table,
    Topic,
    words,
)
from results.report.target_words import target
from results.tables import format as text
from results.tables.analysis import Analysis
from results.tables.contexts import described
from results.tables.verdict_words import DUPLICATE
from results.verdicts.events import STEPS
from results.verdicts.reached import Median, median

MOST_PANELS = 12
_MEANING = (
    "A seed counts from the evaluation on at which it had first reached the target: it got there some steps "
    "earlier, after the evaluation before. A training that ended without counts up to its last step, and one "
    "that diverged as never reaching it. Shares are Kaplan and Meier's estimate with pointwise 95 % "
    "intervals; the verdicts are those of the steps to the target, which know between which two evaluations "
    "each seed got there."
)


def build(run: Analysis, environment: str) -> Section:
    """Time to the target in one environment; empty where no workload declares one."""
    found = run.reached[run.reached["environment"] == environment]
    effects = run.effects[(run.effects["environment"] == environment) & (run.effects["metric"] == STEPS)]
    told: list[Sentence] = []
    figures: list[Figure] = []
    groups: list[Part] = []
    for workload in run.study.workloads:
        rows = found[found["workload"] == workload.name]
        if rows.empty:
            continue
        mine = effects[effects["workload"] == workload.name]
        told += _sentences(run, workload, rows, mine)
        drawn = _figure(run, workload, rows, mine, f"-{len(groups) + 1}" if groups else "")
        # The first workload's figure answers the question; others stand with their numbers.
        beside = [drawn] if figures else []
        figures = figures or [drawn]
        groups.append(Group(_title(run, workload), [_table(run, workload, rows, mine), *beside]))
    if not told:
        return Section()
    placed = Paragraph(
        [Sentence("A seed counts from the first evaluation that finds it there.", tone="soft")]
    )
    return Section([Bullets(told), *figures, placed], evidence=[words(_MEANING), *groups])


def _title(run: Analysis, workload: Workload) -> str:
    return f"{workload.name}: {described(run.study, workload)}"


def _sentences(
    run: Analysis, workload: Workload, rows: pd.DataFrame, effects: pd.DataFrame
) -> Iterator[Sentence]:
    base = rows[rows["role"] == "baseline"]
    told = effects[(effects["factor"] != CONTROL_FACTOR) & ~effects["inert"].astype(bool)]
    said = [_baseline(base), *clauses(told, ("later", "earlier"))]
    yield Sentence(f"{'; '.join(said)} [{described(run.study, workload)}].", f"To {target(run, workload)}:")
    missed = rows[~rows["reached"] & (rows["role"] != "control")].groupby("arm", sort=False).size()
    counts = rows.groupby("arm").size().to_dict()
    names = {run.study.baseline: "of the baseline"}
    which = [
        f"{n} of {text.count(counts[arm], 'seed')} {names.get(str(arm), f'with {arm}')}"
        for arm, n in missed.items()
    ]
    yield Sentence(f"{listed(which) or 'no seed'} [{workload.name}].", "Never reached it:")
    yield from duplicates_that_differ(effects)


def _baseline(rows: pd.DataFrame) -> str:
    seeds, middle = text.count(len(rows), "seed"), median(rows)
    if rows.empty:
        return "no seed of the baseline was trained"
    if math.isnan(middle.step):
        return f"fewer than half of the baseline's {seeds} got there"
    ends = _interval(middle)
    known = f"95 % interval {ends}, {seeds}" if ends else seeds
    return f"half of the baseline's seeds are there at step {middle.step:,.0f} ({known})"


def _interval(middle: Median) -> str:
    if math.isnan(middle.low):
        return ""
    high = f"{middle.high:,.0f}" if math.isfinite(middle.high) else "no bound"
    return f"{middle.low:,.0f} to {high}"


def _different(rows: pd.DataFrame, effects: pd.DataFrame) -> Sequence[str]:
    """Arms whose median is farthest from the baseline's, and those without one, first; no placebo."""
    same = set(effects.loc[effects["placebo"] & effects["identical"], "arm"])
    usual = median(rows[rows["role"] == "baseline"]).step
    apart = {}
    for arm, mine in rows[rows["role"] == "arm"].groupby("arm", sort=False):
        step = median(mine).step
        far = math.inf if math.isnan(step) or math.isnan(usual) else abs(math.log(step / usual))
        apart[str(arm)] = far
    return sorted((arm for arm in apart if arm not in same), key=lambda arm: -apart[arm])


def _figure(
    run: Analysis, workload: Workload, rows: pd.DataFrame, effects: pd.DataFrame, suffix: str
) -> Figure:
    arms = _different(rows, effects)
    kept = set(arms[:MOST_PANELS])
    drawn = [run.study.baseline, *kept]
    here = rows["environment"].iloc[0]
    curves, outcomes = (
        frame[
            (frame["environment"] == here) & (frame["workload"] == workload.name) & frame["arm"].isin(drawn)
        ]
        for frame in (run.curves, run.outcomes)
    )
    named = ", ".join(arm for arm in dict.fromkeys(rows["arm"]) if arm in kept)
    alt = f"Step charts: the share of seeds that have reached the target, beside the baseline's, for {named}."
    title = f"How soon do seeds reach the target? The share that has, over optimizer steps [{workload.name}]"
    title += drawn_suffix(len(kept), len(arms))
    draw = partial(plots.time_to_target, run.study, curves, outcomes)
    return Figure(f"time-to-target{suffix}", title, alt, draw)


def _table(run: Analysis, workload: Workload, rows: pd.DataFrame, effects: pd.DataFrame) -> Table:
    judged = {row["arm"]: row for row in effects.to_dict("records")}
    shown = []
    for arm, mine in rows.groupby("arm", sort=False):
        middle, reached, diverged = median(mine), int(mine["reached"].sum()), int(mine["diverged"].sum())
        lost = f"{diverged} diverged" if diverged else ""
        row = judged.get(str(arm))
        change = text.change(row["effect"], "ratio", "steps") if row else "—"
        shown.append(
            [
                Entry(DUPLICATE if arm == CONTROL_FACTOR else str(arm)),
                Entry(str(len(mine))),
                Entry(str(reached), detail=lost),
                Entry(text.value(middle.step, "steps"), detail=_interval(middle)),
                Entry(
                    change, detail=text.reach(row["ci_low"], row["ci_high"], "ratio", "steps") if row else ""
                ),
                verdict_entry(row) if row else Entry("—"),
            ]
        )
    columns = ["change", "seeds", "reached it", "half of them by", "steps against the baseline", "verdict"]
    return Table(columns, shown, f"To {target(run, workload)}")


TOPIC = Topic(
    "time_to_target",
    "How soon the target is reached",
    51,
    build,
    summary="shares of seeds that reached the target, over steps",
)
