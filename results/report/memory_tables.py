"""Memory profiles as tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from results.frames.memory_profiles import preferred
from results.records.profile_summary import Against, TensorChange
from results.report.findings import MOST_NAMED, listed
from results.report.section import Entry, Table
from results.tables import format as text
from results.tables.cards import capacity
from results.tables.in_place import by_category, category_in_words

MOST_OPEN = 12
"""Tables with more changes than this start closed."""
_SHARE_TOLD = 0.01
"""Categories that moved by less than this share of the peak's change are not told."""


def contexts(profiles: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Profiles by mode, source and device, with a name for it: `train, simulated cuda`."""
    order = profiles.drop_duplicates(["mode", "source", "device"])[["mode", "source", "device"]]
    ranks = {"train": 0, "inference": 1, "simulated": 0, "measured": 1}
    keys = sorted(
        order.itertuples(index=False, name=None), key=lambda k: [ranks.get(k[0], 2), ranks.get(k[1], 2)]
    )
    for mode, source, device in keys:
        same = (profiles["mode"] == mode) & (profiles["source"] == source) & (profiles["device"] == device)
        yield f"{mode}, {source} {device}", profiles[same]


def changes(profiles: pd.DataFrame) -> Iterator[tuple[Table, Table]]:
    """By context each arm against the baseline, and the tensors behind it."""
    first = set(preferred(profiles).index)
    for context, group in contexts(profiles):
        rows = group[group["against_baseline"].notna()].to_dict("records")
        baseline = group.loc[group["role"] == "baseline", "by_category"]
        usual: dict[str, int] = baseline.iloc[0] if len(baseline) else {}
        is_open = len(rows) <= MOST_OPEN and bool(first & set(group.index))
        columns = ["change", "peak", "saved for backward", "tensors made", "their bytes", "why"]
        caption = f"Against the baseline: {context}"
        table = Table(columns, [_change(row, usual) for row in rows], caption, open=is_open)
        tensors = [cells for row in rows for cells in _tensors(row["arm"], row["against_baseline"])]
        columns = ["change", "category", "layer", "shape", "type", "before", "after", "memory"]
        yield table, Table(columns, tensors, f"Tensors: {context}", open=False)


def _change(row: dict[Any, Any], baseline: dict[str, int]) -> list[Entry]:
    against: Against = row["against_baseline"]
    net = by_category(row["by_category"], baseline) if baseline else {}
    return [
        Entry(str(row["arm"])),
        Entry(_peak(against.peak_bytes, row["peak_bytes"] - against.peak_bytes)),
        Entry(text.signed(against.saved_bytes, "bytes")),
        Entry(text.signed(against.allocations, "count")),
        Entry(text.signed(against.allocated_bytes, "bytes")),
        Entry(why(against.peak_bytes, net, against.tensors)),
    ]


def why(peak_bytes: int, net: Mapping[str, int], tensors: Sequence[TensorChange] | None) -> str:
    """What stands behind a change of the peak: what kind of tensors, and in which layers above all.

    Args:
        peak_bytes: The change.
        net: Bytes by category at the one peak less those at the other.
        tensors: The heaviest that differ between the peaks; None where they are not known.
    """
    more, less = (_layers(tensors or (), sign) for sign in (1, -1))
    if not peak_bytes and tensors:
        return f"as much at the peak: {more or 'nothing'} in place of {less or 'nothing'}"
    least = _SHARE_TOLD * abs(peak_bytes)
    kinds = ", ".join(
        f"{category_in_words(name)} {text.signed(nbytes, 'bytes')}"
        for name, nbytes in net.items()
        if abs(nbytes) >= least
    )
    layers = more if peak_bytes > 0 else less
    same = "as much of every kind at the peak" if tensors is None else "the same tensors at the peak"
    return "; ".join(filter(None, (kinds, f"above all in {layers}" if layers else ""))) or same


def _layers(tensors: Sequence[TensorChange], sign: int) -> str:
    """The layers whose tensors weigh most more, or less, the heaviest first: `conv3, bn3 and conv2`."""
    weights: dict[str, int] = {}
    for tensor in tensors:
        weights[tensor.module] = weights.get(tensor.module, 0) + sign * tensor.nbytes
    named = sorted((name for name in weights if weights[name] > 0), key=lambda name: -weights[name])
    return listed([name or "the network itself" for name in named[:MOST_NAMED]])


def _peak(change: float, before: float) -> str:
    """A change of peak with what it is of the peak before: `+1.20 GiB (+13 %)`."""
    shown = text.signed(change, "bytes")
    if not change or before <= 0:
        return shown
    return f"{shown} ({text.change(1 + change / before, 'ratio', 'bytes')})"


def _tensors(arm: str, against: Against) -> Iterator[list[Entry]]:
    for tensor in against.tensors:
        shape = " × ".join(str(size) for size in tensor.shape)
        named = (arm, category_in_words(tensor.category), tensor.module, shape, tensor.dtype)
        counts = (f"{tensor.before:,}", f"{tensor.after:,}")
        yield [Entry(part) for part in (*named, *counts, text.signed(tensor.nbytes, "bytes"))]


def in_place(factor: str, pairs: pd.DataFrame) -> tuple[Table, list[str]]:
    """Pairs of arms that differ in one factor alone, and their sum in words, a sentence per context."""
    said = []
    for (level, baseline_level), of_level in pairs.groupby(["level", "baseline_level"], sort=False):
        for context, group in contexts(of_level):
            peaks, saved, made = (
                _range(group[name], unit)
                for name, unit in (
                    ("peak_bytes", "bytes"),
                    ("saved_bytes", "bytes"),
                    ("allocations", "count"),
                )
            )
            many = text.count(len(group), "pair")
            said.append(
                f"{factor} {level} instead of {baseline_level} ({context}; {many}): peak {peaks}, "
                f"saved for backward {saved}, tensors made {made}."
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
            f"{row['level']} instead of {row['baseline_level']}",
            _peak(row["peak_bytes"], row["peak_bytes_before"]),
            text.signed(row["saved_bytes"], "bytes"),
            text.signed(row["allocations"], "count"),
            why(int(row["peak_bytes"]), row["by_category"], row["tensors"]),
        ]
        rows.append([Entry(str(cell)) for cell in cells])
    columns = ["mode", "the rest as in", factor, "peak", "saved for backward", "tensors made", "why"]
    return Table(columns, rows, f"Pairs: {factor}", open=len(rows) <= MOST_OPEN)


def batches(profiles: pd.DataFrame) -> Iterator[Table]:
    """By context the largest batch of each arm on each card, the smallest card first."""
    for context, group in contexts(profiles):
        cards = sorted({card for sizes in group["largest_batch_size"] for card in sizes}, key=capacity)
        rows = [
            [Entry(str(row["arm"])), *(Entry(_batch(row["largest_batch_size"], card)) for card in cards)]
            for row in group.to_dict("records")
        ]
        yield Table(["change", *cards], rows, f"Largest batch: {context}", open=len(rows) <= MOST_OPEN)


def _batch(sizes: dict[str, int | None], card: str) -> str:
    if card not in sizes:
        return "—"
    size = sizes[card]
    return "not one image" if size is None else f"{size:,}"
