"""What the run took: by workload, by change, and for what did not end well."""

from functools import partial

import pandas as pd

from results import plots
from results.records.resolved_study import CONTROL_FACTOR
from results.report.drawing import arms_to_draw, drawn_suffix
from results.report.findings import MOST_NAMED, listed
from results.report.section import Entry, Figure, Part, Section, Table, Topic, words
from results.report.speed_tables import cost_table
from results.tables import format as text
from results.tables.analysis import Analysis
from results.tables.cost import shared
from results.tables.verdict_words import DUPLICATE

_MEANING = (
    "Seconds are those of processes, from their start to their record, earlier attempts included. Processes "
    "that ran side by side are added up, so that the run itself may have been shorter. A process that timed "
    "several changes in turn counts for each in equal parts; a training that went on from a checkpoint "
    "counts from there on."
)


def build(run: Analysis, environment: str) -> Section:
    """The cost of one environment's records; empty where there is none."""
    spent = run.spent[run.spent["environment"] == environment]
    frame = shared(spent)
    if frame.empty:
        return Section()
    effects = run.effects[run.effects["environment"] == environment]
    kept = {*(arm.name for arm in run.study.arms if arm.role != "arm"), *arms_to_draw(effects)}
    every = list(dict.fromkeys(frame["arm"]))
    arms = [arm for arm in every if arm in kept]
    totals = [f"{name} {text.duration(seconds)}" for name, seconds in _sums(frame, "workload").items()]
    alt = f"Stacked bar charts: time of processes by workload ({', '.join(totals)}) and by change"
    alt += f" ({', '.join(map(_name, arms))})."
    title = f"What took the time? Processes by workload and by change{drawn_suffix(len(arms), len(every))}"
    figure = Figure("cost", title, alt, partial(plots.cost, spent, arms))
    timing = cost_table(run.cost[run.cost["environment"] == environment])
    evidence: list[Part] = [words(_MEANING), _table(frame, "workload"), _table(frame, "arm")]
    evidence += [timing] if timing.rows else []
    return Section([words(*_said(frame)), figure], evidence=evidence)


def _said(frame: pd.DataFrame) -> list[str]:
    total, processes = float(frame["seconds"].sum()), len(frame.drop_duplicates(["trial", "attempt"]))
    parts = _sums(frame, "workload").sort_values(ascending=False, kind="stable")
    shares = [f"{_share(seconds, total)} of it {name}" for name, seconds in parts.head(MOST_NAMED).items()]
    if len(parts) == MOST_NAMED + 1:
        shares.append(f"{_share(float(parts.iloc[-1]), total)} {parts.index[-1]}")
    elif len(parts) > MOST_NAMED:
        shares.append(f"{_share(float(parts.iloc[MOST_NAMED:].sum()), total)} the others")
    said = [f"{text.count(processes, 'process')} took {text.duration(total)} in all: {listed(shares)}."]
    changes = _sums(frame[frame["role"] == "arm"], "arm")
    if len(changes):
        dearest = str(changes.idxmax())
        said.append(f"The change that took most was {dearest} ({text.duration(float(changes.max()))}).")
    lost = float(frame.loc[frame["status"] != "ok", "seconds"].sum())
    if lost:
        share = _share(lost, total)
        said.append(f"{share[0].upper()}{share[1:]} went into what did not end well.")
    return said


def _sums(frame: pd.DataFrame, by: str) -> "pd.Series[float]":
    return frame.groupby(by, sort=False)["seconds"].sum()


def _share(seconds: float, total: float) -> str:
    if not seconds:
        return "0 %"
    return f"{100 * seconds / total:.0f} %" if seconds >= total / 200 else "less than 1 %"


def _name(arm: str) -> str:
    return DUPLICATE if arm == CONTROL_FACTOR else arm


def _renamed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(arm=frame["arm"].map(_name))


def _table(frame: pd.DataFrame, by: str) -> Table:
    total = float(frame["seconds"].sum())
    shown = []
    for name, mine in _renamed(frame).groupby(by, sort=False):
        whole = mine.groupby(["trial", "attempt"])["seconds"].sum()
        lost = mine.loc[mine["status"] != "ok"].groupby("status")["seconds"].sum()
        told = ", ".join(f"{text.duration(s)} {status}".replace("_", " ") for status, s in lost.items())
        shown.append(
            [
                Entry(str(name)),
                Entry(str(len(whole))),
                Entry(text.duration(float(whole.sum()))),
                Entry(_share(float(whole.sum()), total)),
                *([Entry(text.value(float(whole.median()), "seconds"))] if by == "workload" else []),
                Entry(told or "—"),
            ]
        )
    head, each = ("change", []) if by == "arm" else (by, ["a process (median)"])
    columns = [head, "processes", "took in all", "of the run", *each, "did not end well"]
    return Table(columns, shown, f"What each {head} took", open=len(shown) <= 12)


TOPIC = Topic("cost", "What it cost", 68, build, summary="time by workload and by change")
