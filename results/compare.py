"""Two runs side by side: what got better, what got worse, what stayed, and what cannot be told.

Only what has the same context is set side by side: network, input, batch, precision, data set, settings and
mode. Figures that depend on the machine are compared as they are where it is the same machine; between two
machines, what each change does there is compared instead.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from results.records.resolved_study import ResolvedStudy, Workload
from results.run import Run
from results.tables.contexts import described, origin
from results.verdicts import statistics as rules
from results.verdicts.cells import Cell, cells
from results.verdicts.judge import Rule, conclude
from results.verdicts.statistics import Estimate

COLUMNS = [
    *("status", "compared", "arm", "variant", "context", "metric", "label", "mode", "unit", "effect_kind"),
    *("first", "first_low", "first_high", "first_n", "second", "second_low", "second_high", "second_n"),
    *("change", "ci_low", "ci_high", "margin", "exact", "environments", "alike"),
]
STATUSES = (
    "regressed",
    "improved",
    "differs",
    "cannot tell",
    "same",
    "only in the first",
    "only in the second",
)
"""In the order in which they are shown: what changed comes first."""

_HOW_MANY = {
    *("name", "seeds", "processes", "half_width", "max_processes", "arm_seconds", "rounds", "levels"),
    *("batch_sizes", "cards", "spot_check", "limit_seconds", "checkpoint_seconds", "baseline_seeds"),
    *("max_seeds", "pairing", "tune", "tuning_seeds", "recipe", "inside"),
}
"""Settings that say how often or how long was measured or looked, or what stands in the context anyway."""
_OF_THE_MACHINE = {"seconds", "images/s"}
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure of one arm in one context: by block its value, and its contrast to the baseline."""

    cell: Cell
    study: ResolvedStudy
    arm: str
    values: pd.Series
    contrasts: pd.Series


def compare(first: Run, second: Run) -> pd.DataFrame:
    """One row per figure that either run has, what changed first; columns as `COLUMNS`.

    `change` is second / first for ratios and second - first for differences; where `compared` is `effect`, it
    is that of the effect of the arm against its baseline. Intervals of the change are Welch's, those of
    seeds paired by seed, simultaneous over all figures of a metric (Bonferroni); those of either side are its
    own 95 %. `status` is `regressed`,
    `improved`, `same` (within the margin) or `cannot tell`; `differs` for an effect that is another on the
    other machine. Times have changed only where the whole interval lies beyond the margin. `alike` marks
    times that changed by the same factor, within the margin, in all of three arms or more: the machine, or
    what all arms share.
    """
    one, other = (_figures(run) for run in (first, second))
    shared = [(key, pair) for key in one for pair in _pairs(one[key], other.get(key, []))]
    families: dict[Key, int] = {}
    for key, _ in shared:
        families[key[-1]] = families.get(key[-1], 0) + 1
    rows = [_row(a, b, families[key[-1]]) for key, (a, b) in shared]
    rows += [_alone(figures[0], "only in the first") for key, figures in one.items() if key not in other]
    rows += [_alone(figures[0], "only in the second") for key, figures in other.items() if key not in one]
    frame = _with_alike(pd.DataFrame(rows, columns=COLUMNS))
    order = {status: i for i, status in enumerate(STATUSES)}
    return frame.sort_values("status", key=lambda s: s.map(order), kind="stable", ignore_index=True)


def _with_alike(frame: pd.DataFrame) -> pd.DataFrame:
    timed = frame[
        frame["unit"].isin(_OF_THE_MACHINE) & (frame["compared"] == "value") & ~frame["exact"].eq(True)
    ]
    groups = timed[timed["change"].notna()].groupby(["context", "metric", "mode"])
    alike: set[Any] = set()
    for _, rows in groups:
        widest = rows["change"].min() * (1 + rows["margin"].iloc[0])
        if len(rows) >= 3 and rows["change"].max() <= widest:
            alike |= {*rows.index}
    return frame.assign(alike=frame.index.isin(alike))


def regressed(frame: pd.DataFrame) -> bool:
    """Whether anything got worse."""
    return bool((frame["status"] == "regressed").any())


def _figures(run: Run) -> dict[Key, list[_Figure]]:
    """By context and metric the figure of each environment."""
    analysis = run.analysis
    study = analysis.study
    found: dict[Key, list[_Figure]] = {}
    for cell in cells(study, analysis.series, analysis.outcomes):
        if cell.metric is None:
            continue
        for arm in (
            arm for arm in study.arms if arm.role != "control" and arm.name in cell.workload.variants
        ):
            values = cell.values(arm.name)
            values = values[-1:] if cell.exact else values
            if not len(values):
                continue
            contrasts = cell.contrast({arm.name: 1.0, study.baseline: -1.0})
            figure = _Figure(cell, study, arm.name, values, contrasts)
            mine = found.setdefault(_key(cell, arm.name), [])
            if cell.environment not in {other.cell.environment for other in mine}:
                mine.append(figure)
    return found


def _key(cell: Cell, arm: str) -> Key:
    w = cell.workload
    # What is not set is as if it had not been there: a later version may know more settings.
    settings = {name: value for name, value in w.settings.items() if value and name not in _HOW_MANY}
    context = (w.kind, w.variants[arm], w.input_size, w.batch_size, w.precision, w.dataset, w.conditions)
    return (*context, json.dumps(settings, sort_keys=True), cell.place[3:], cell.place[2])


def _pairs(one: list[_Figure], other: list[_Figure]) -> Iterator[tuple[_Figure, _Figure]]:
    """Figures of the same environment; where the runs share none, of the first of either."""
    there = {figure.cell.environment: figure for figure in other}
    same = [(figure, there[figure.cell.environment]) for figure in one if figure.cell.environment in there]
    yield from same or ([(one[0], other[0])] if other else [])


def _row(first: _Figure, second: _Figure, family: int) -> dict[str, Any]:
    cell = first.cell
    assert cell.metric is not None
    here = cell.environment == second.cell.environment
    effect = not here and cell.metric.unit in _OF_THE_MACHINE
    before, after = (figure.contrasts if effect else _scaled(figure) for figure in (first, second))
    change = _change(cell, before, after, family) if len(before) and len(after) else None
    status = _status(cell, change, effect=effect)
    told = {"change": change.mean, "ci_low": change.low, "ci_high": change.high} if change else {}
    places = dict.fromkeys([cell.environment, second.cell.environment])
    return {
        **_described(first),
        "status": status,
        "compared": "effect" if effect else "value",
        **_side("first", cell, before),
        **_side("second", cell, after),
        **{name: cell.unscaled(number) for name, number in told.items()},
        "environments": " and ".join(places),
    }


def _change(cell: Cell, first: pd.Series, second: pd.Series, family: int) -> Estimate:
    if cell.exact:  # two zeros are the same, also as ratios
        before, after = float(first.iloc[-1]), float(second.iloc[-1])
        return rules.exact_estimate(0.0 if after == before else after - before)
    if cell.workload.block_unit == "seed":  # the same seed draws the same weights and batches in both
        return rules.estimate((second - first).dropna().to_numpy(dtype=float), family)
    return rules.welch(second.to_numpy(dtype=float), first.to_numpy(dtype=float), family)


def _status(cell: Cell, change: Estimate | None, *, effect: bool) -> str:
    assert cell.metric is not None
    if change is None:
        return "cannot tell"
    if cell.exact:
        assert change.low is not None
        verdict: str = rules.decide(change.low, change.low, cell.margin, cell.metric.better)
    else:
        verdict = conclude(change, Rule(cell.margin, cell.metric.better)).verdict
    if verdict in {"better", "worse"}:
        if effect:
            return "differs"
        if cell.metric.unit in _OF_THE_MACHINE and _may_be_within(change, cell.margin):
            return "cannot tell"
    said = {"better": "improved", "worse": "regressed", "equivalent": "same"}
    return said.get(verdict, "cannot tell")


def _may_be_within(change: Estimate, margin: float) -> bool:
    """Whether the interval reaches into the margin.

    A machine is some percent faster or slower an hour later, and two runs are two moments: that is in no
    interval of theirs. Only what lies beyond the margin as a whole counts as a change.
    """
    assert change.low is not None
    assert change.high is not None
    return change.low <= margin and change.high >= -margin


def _scaled(figure: _Figure) -> pd.Series:
    """Values on the scale of the analysis; of an exact ratio that is nothing, minus infinity."""
    scaled = figure.cell.scaled(figure.values.to_frame("value"))["value"].astype(float)
    return scaled.fillna(-np.inf) if figure.cell.exact else scaled.dropna()


def _side(name: str, cell: Cell, values: pd.Series) -> dict[str, Any]:
    """Mean and 95 % interval of one side, in the metric's unit; a share of something is within 0 and 1."""
    if values.empty:
        return {f"{name}_n": 0}
    numbers = values.to_numpy(dtype=float)
    found = rules.exact_estimate(float(numbers[-1])) if cell.exact else rules.estimate(numbers)
    ends = {"": found.mean, "_low": found.low, "_high": found.high}
    told = {f"{name}{end}": cell.unscaled(number) for end, number in ends.items()}
    if cell.metric is not None and cell.metric.unit == "fraction":
        told = {key: number if number is None else min(max(number, 0.0), 1.0) for key, number in told.items()}
    return told | {f"{name}_n": found.n}


def _alone(figure: _Figure, status: str) -> dict[str, Any]:
    side = "first" if status.endswith("first") else "second"
    known = {"status": status, "compared": "value", "environments": figure.cell.environment}
    return {**_described(figure), **known, **_side(side, figure.cell, _scaled(figure))}


def _described(figure: _Figure) -> dict[str, Any]:
    cell, metric = figure.cell, figure.cell.metric
    assert metric is not None
    return {
        "arm": figure.arm,
        "variant": cell.workload.variants[figure.arm],
        "context": _context(figure.study, cell.workload, cell),
        "metric": metric.name,
        "label": metric.label,
        "mode": "" if cell.split else cell.mode or "",
        "unit": metric.unit,
        "effect_kind": metric.effect_kind,
        "margin": metric.margin,
        "exact": cell.exact,
    }


def _context(study: ResolvedStudy, workload: Workload, cell: Cell) -> str:
    return ", ".join(
        filter(None, (described(study, workload), origin({"source": cell.source, "device": cell.device})))
    )
