"""What the report says about memory profiles: why it changed, and which batch fits which card."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from results.frames.memory_profiles import preferred
from results.records.resolved_study import Workload
from results.report.table import Cell, Table
from results.run import Run
from results.tables import format as text
from results.tables.in_place import equivalent_pairs

MOST_OPEN = 12
"""Tables with more arms than this start closed."""

_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


@dataclass(frozen=True, slots=True)
class MemorySection:
    """A memory workload and what its profiles say.

    Attributes:
        workload: The workload.
        changes: By mode, source and device each arm against the baseline, and the tensors of that.
        in_place: For each equivalent factor all pairs of arms that differ in nothing else, and their sum in
            words, a sentence per mode, source and device.
        batches: Largest batch of each arm on each card; empty where none was asked for.
        margin: The share of a card that these batches leave free, in words.
    """

    workload: Workload
    changes: list[tuple[Table, Table]]
    in_place: list[tuple[Table, list[str]]]
    batches: list[Table]
    margin: str


def memory_sections(run: Run, environment: str) -> list[MemorySection]:
    """A section per memory workload with profiles; none for records without."""
    profiles = run.memory_profiles
    profiles = profiles[(profiles["environment"] == environment) & (profiles["role"] != "control")]
    pairs = equivalent_pairs(run.study, profiles, run.measurements)
    sections = []
    for workload in run.study.workloads:
        mine = profiles[profiles["workload"] == workload.name]
        if mine.empty:
            continue
        here = pairs[pairs["workload"] == workload.name]
        planned = mine[[bool(sizes) for sizes in mine["largest_batch_size"]]]
        margins = sorted({float(share) for share in planned["safety_margin"]})
        sections.append(
            MemorySection(
                workload,
                list(_changes(mine)),
                [_pairs(str(factor), group) for factor, group in here.groupby("factor", sort=False)],
                [_batch_table(context, group) for context, group in _contexts(planned)],
                " or ".join(text.value(share, "fraction") for share in margins),
            )
        )
    return sections


def _contexts(profiles: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Profiles by mode, source and device, with a name for it: `train, simulated cuda`."""
    order = profiles.drop_duplicates(["mode", "source", "device"])[["mode", "source", "device"]]
    ranks = {"train": 0, "inference": 1, "simulated": 0, "measured": 1}
    keys = sorted(
        order.itertuples(index=False, name=None), key=lambda k: [ranks.get(k[0], 2), ranks.get(k[1], 2)]
    )
    for mode, source, device in keys:
        same = (profiles["mode"] == mode) & (profiles["source"] == source) & (profiles["device"] == device)
        yield f"{mode}, {source} {device}", profiles[same]


def _changes(profiles: pd.DataFrame) -> Iterator[tuple[Table, Table]]:
    first = set(preferred(profiles).index)
    for context, group in _contexts(profiles):
        arms = group[[isinstance(against, dict) for against in group["against_baseline"]]]
        rows = arms.to_dict("records")
        is_open = len(rows) <= MOST_OPEN and bool(first & set(group.index))
        columns = ["arm", "peak", "saved for backward", "allocations", "bytes allocated", "why"]
        changes = Table(columns, [_change(row) for row in rows], f"Against the baseline: {context}", is_open)
        tensors = [cells for row in rows for cells in _tensors(row)]
        columns = ["arm", "category", "module", "shape", "type", "before", "after", "bytes"]
        yield changes, Table(columns, tensors, f"The tensors behind it: {context}", open=False)


def _change(row: dict[Any, Any]) -> list[Cell]:
    against = row["against_baseline"]
    return [
        Cell(str(row["arm"])),
        Cell(_peak(against["peak_bytes"], row["peak_bytes"] - against["peak_bytes"])),
        Cell(text.signed(against["saved_bytes"], "bytes")),
        Cell(text.signed(against["allocations"], "count")),
        Cell(text.signed(against["allocated_bytes"], "bytes")),
        Cell(str(against["reason"])),
    ]


def _peak(change: float, before: float) -> str:
    """A change of peak with what it is of the peak before: `+1.20 GiB (+13 %)`."""
    shown = text.signed(change, "bytes")
    return f"{shown} ({text.change(1 + change / before, 'ratio', 'bytes')})" if change and before else shown


def _tensors(row: dict[Any, Any]) -> Iterator[list[Cell]]:
    for tensor in row["against_baseline"]["tensors"]:
        shape = " × ".join(str(size) for size in tensor["shape"])
        named = (row["arm"], tensor["category"].replace("_", " "), tensor["module"], shape, tensor["dtype"])
        counts = (f"{tensor['before']:,}", f"{tensor['after']:,}")
        yield [Cell(str(part)) for part in (*named, *counts, text.signed(tensor["nbytes"], "count"))]


def _pairs(factor: str, pairs: pd.DataFrame) -> tuple[Table, list[str]]:
    said = []
    for (level, baseline_level), of_level in pairs.groupby(["level", "baseline_level"], sort=False):
        for context, group in _contexts(of_level):
            peaks = _range(group["peak_bytes"], "bytes")
            saved = _range(group["saved_bytes"], "bytes")
            made = _range(group["allocations"], "count")
            many = text.count(len(group), "pair")
            said.append(
                f"{context}, {factor} {level} less {baseline_level} ({many}): peak {peaks}; "
                f"saved for backward {saved}; allocations {made}"
            )
    return _pairs_table(factor, pairs), said


def _range(values: "pd.Series[Any]", unit: str) -> str:
    """Differences in a few words: `±0`, `+1 MiB to +3 MiB`, `±0 in 18 of 24, else +50.0 MiB`."""
    known = [float(value) for value in values if not text.missing(value)]
    changed = sorted(value for value in known if value)
    if not known or not changed:
        return "±0" if known else "—"
    ends = [text.signed(end, unit) for end in (changed[0], changed[-1])]
    spread = ends[0] if ends[0] == ends[1] else " to ".join(ends)
    same = len(known) - len(changed)
    return f"±0 in {same} of {len(known)}, else {spread}" if same else spread


def _pairs_table(factor: str, pairs: pd.DataFrame) -> Table:
    rows = []
    for row in pairs.to_dict("records"):
        cells = [
            f"{row['mode']}, {row['source']} {row['device']}",
            row["others"],
            f"{row['level']} less {row['baseline_level']}",
            _peak(row["peak_bytes"], row["peak_bytes_before"]),
            text.signed(row["saved_bytes"], "bytes"),
            text.signed(row["allocations"], "count"),
            row["reason"],
        ]
        rows.append([Cell(str(cell)) for cell in cells])
    columns = ["mode", "other levels as in", factor, "peak", "saved for backward", "allocations", "why"]
    return Table(columns, rows, f"What in-place operations save: {factor}", len(rows) <= MOST_OPEN)


def _batch_table(context: str, profiles: pd.DataFrame) -> Table:
    cards = sorted({card for sizes in profiles["largest_batch_size"] for card in sizes}, key=_capacity)
    rows = [
        [Cell(str(row["arm"])), *(Cell(_batch(row["largest_batch_size"], card)) for card in cards)]
        for row in profiles.to_dict("records")
    ]
    return Table(["arm", *cards], rows, f"Largest batch by card: {context}", len(rows) <= MOST_OPEN)


def _batch(sizes: dict[str, int | None], card: str) -> str:
    if card not in sizes:
        return "—"
    size = sizes[card]
    return "not one image" if size is None else f"{size:,}"


def _capacity(card: str) -> tuple[float, str]:
    """Cards by what they hold; those that do not say last, by name."""
    found = re.match(r"(\d+(?:\.\d+)?)\s*([KMGT])", card)
    return (float(found[1]) * _UNITS[found[2]] if found else float("inf"), card)
