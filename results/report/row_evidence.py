"""What a change opens to in the table: sentences, single values, layers and phases, by question."""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from results.frames.memory_profiles import top_level
from results.report.section import Dots, Entry, Group, Paragraph, Part, Sentence, Table
from results.report.words import answers
from results.tables import format as text
from results.tables.analysis import Analysis
from results.tables.headline import HeadlineColumn
from results.tables.thin import MOST_DOTS, evenly
from results.verdicts.cells import CELL_COLUMNS

Row = dict[Hashable, Any]
MOST_LAYERS = 5
_PHASES = {"forward": "forward_seconds", "backward": "backward_seconds", "optimizer": "optimizer_seconds"}
_PLACE = ["workload", "mode", "source", "device"]


def row_evidence(
    run: Analysis, environment: str, columns: Sequence[HeadlineColumn], arms: Sequence[str]
) -> dict[str, list[Part]]:
    """For each of the arms a group for each column in which it has a row."""
    evidence: dict[str, list[Part]] = {arm: [] for arm in arms}
    values = _values(run, environment)
    profiles = _keyed(run.memory_profiles, environment, _PLACE)
    phases = _keyed(run.speed, environment, ["workload", "mode", "device"])
    for column in columns:
        said = answers([column])
        for row in column.rows.to_dict("records"):
            arm = str(row["arm"])
            if arm not in evidence:
                continue
            sentence = Sentence(said[arm][0].text)
            parts: list[Part] = [Paragraph([sentence])]
            cell = _place(row, CELL_COLUMNS)
            parts += _dots(values, cell, arm, run.study.baseline, row)
            parts += _layers(profiles, _place(row, _PLACE), arm, run.study.baseline)
            parts += _phases(phases, _place(row, ["workload", "mode", "device"]), arm, run.study.baseline)
            evidence[arm].append(Group(f"{column.title}: {column.context}", parts))
    return evidence


def _place(row: Row, names: Sequence[str]) -> tuple[str, ...]:
    return tuple("" if text.missing_text(row[name]) else str(row[name]) for name in names)


def _keyed(frame: pd.DataFrame, environment: str, names: Sequence[str]) -> dict[tuple[str, ...], Row]:
    rows = frame[frame["environment"] == environment].to_dict("records")
    return {(*_place(row, names), str(row["arm"])): row for row in rows}


def _values(run: Analysis, environment: str) -> dict[tuple[str, ...], list[float]]:
    """One value for each process or seed, by cell and arm: the median of its rounds."""
    headline = {metric.name for metric in run.study.metrics if metric.headline and not metric.exact}
    series = run.series
    names = [*CELL_COLUMNS, "arm"]
    mine = (series["environment"] == environment) & series["metric"].isin(headline)
    wanted = series.loc[mine, [*names, "values"]]
    keys = wanted[names].astype(object).fillna("")
    found: dict[tuple[str, ...], list[float]] = {}
    for key, rows in wanted["values"].groupby([keys[name] for name in names], sort=False):
        known = [float(np.median(values)) for values in rows if len(values)]
        found[tuple(str(part) for part in key)] = known
    return found


def _dots(
    values: dict[tuple[str, ...], list[float]], cell: tuple[str, ...], arm: str, baseline: str, row: Row
) -> Iterator[Dots]:
    mine, others = (values.get((*cell, name), []) for name in (arm, baseline))
    known = [value for value in (*mine, *others) if not text.missing(value)]
    if row["exact"] or not mine or not others or not known:
        return
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    lines = {
        name: [(v - low) / span for v in evenly(side)] for name, side in (("baseline", others), (arm, mine))
    }
    ends = (text.value(low, row["unit"]), text.value(high, row["unit"]))
    unit, most = str(row["block_unit"]), max(len(mine), len(others))
    thinned = f", evenly {MOST_DOTS} of {text.count(most, unit)}" if most > MOST_DOTS else ""
    yield Dots(f"{unit}{thinned}", lines, ends)


def _layers(
    profiles: dict[tuple[str, ...], Row], place: tuple[str, ...], arm: str, baseline: str
) -> Iterator[Part]:
    """The top-level modules whose tensors weigh more or less at the peak."""
    mine, other = profiles.get((*place, arm)), profiles.get((*place, baseline))
    if mine is None or other is None:
        return
    after, before = top_level(mine["by_module"]), top_level(other["by_module"])
    names = sorted(set(after) | set(before), key=lambda name: -abs(after.get(name, 0) - before.get(name, 0)))
    changed = [name for name in names if after.get(name, 0) != before.get(name, 0)]
    if not changed:
        yield Paragraph([Sentence("At the peak every layer holds as much as in the baseline.", tone="soft")])
        return
    rows = [
        [
            Entry(name),
            *(Entry(text.value(side.get(name, 0), "bytes")) for side in (before, after)),
            Entry(text.signed(after.get(name, 0) - before.get(name, 0), "bytes")),
        ]
        for name in changed[:MOST_LAYERS]
    ]
    more = len(changed) - MOST_LAYERS
    caption = "What layers hold at the peak" + (
        f" (the {MOST_LAYERS} of {len(changed)} that change most)" if more > 0 else ""
    )
    yield Table(["layer", "baseline", "with it", "difference"], rows, caption)


def _phases(
    phases: dict[tuple[str, ...], Row], place: tuple[str, ...], arm: str, baseline: str
) -> Iterator[Part]:
    """Time of each phase of a training step."""
    mine, other = phases.get((*place, arm)), phases.get((*place, baseline))
    if mine is None or other is None:
        return
    rows = [
        [Entry(name), *(Entry(text.value(side[column], "seconds")) for side in (other, mine))]
        for name, column in _PHASES.items()
        if not text.missing(mine[column]) and not text.missing(other[column])
    ]
    if rows:
        yield Table(["phase", "baseline", "with it"], rows, "Time by phase of a step")
