"""What the timing says of itself: a table of all checks, and sentences where one matters."""

import math
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from results.report.section import Bullets, Entry, Group, Sentence, Table
from results.tables import format as text
from results.verdicts.diagnostics import BUILT, DRIFT, NEIGHBOURS, SHARE, WARMED_UP

TITLE = "What the timing says of itself"
_CHECKED = {
    BUILT: "the order of building",
    WARMED_UP: "the order of warming up",
    NEIGHBOURS: "likeness of neighbouring processes",
    DRIFT: "drift from the first process to the last",
}
_HEADS = {
    BUILT: "built first",
    WARMED_UP: "warmed up first",
    NEIGHBOURS: "correlation of neighbours",
    DRIFT: "clearest drift",
}
_FIRST = "the order is drawn anew in each process, so it falls on all arms alike and widens intervals"
_SAID = {
    BUILT: "the arm built first read {size} slower ({low} to {high}) in {where}: " + _FIRST,
    WARMED_UP: "the arm warmed up first read {size} slower ({low} to {high}) in {where}: " + _FIRST,
    NEIGHBOURS: "neighbouring processes are alike in {where} (correlation {correlation}): intervals are too "
    "narrow; run fewer at a time or further apart (--again)",
    DRIFT: "effects drift in {where} ({arm}: {change} from the first process to the last): what is told is "
    "their average meanwhile; let the machine settle, or add an occasion (--again)",
}
Row = Mapping[Hashable, Any]


def in_words(diagnostics: pd.DataFrame) -> Group | None:
    """Sentences and the table; None where nothing could be checked.

    Args:
        diagnostics: As `Analysis.diagnostics` gives it, of one environment.
    """
    if diagnostics.empty:
        return None
    told = [*_matters(diagnostics), *_quiet(diagnostics), *_spread(diagnostics)]
    return Group(TITLE, [Bullets(told), _table(diagnostics)])


def unsound(diagnostics: pd.DataFrame) -> list[str]:
    """What bends intervals or effects, one line each: not places, which the draw makes fair."""
    bends = diagnostics["matters"] & diagnostics["check"].isin([NEIGHBOURS, DRIFT])
    return [_said(row) for row in diagnostics[bends].to_dict("records")]


def _said(row: Row) -> str:
    """A slowdown below zero is a speed-up, and is told as one."""
    sign = -1 if row["estimate"] < 0 else 1
    low, high = sorted(sign * row[end] for end in ("ci_low", "ci_high"))
    said = _SAID[row["check"]].format(
        where=", ".join(part for part in (row["workload"], row["mode"]) if not text.missing_text(part)),
        size=_percent(abs(row["estimate"])),
        low=_percent(low),
        high=_percent(high),
        correlation=f"{row['estimate']:.1f}",
        arm=row["arm"],
        change=_change(row["estimate"]),
    )
    return said if sign > 0 else said.replace(" slower ", " faster ", 1)


def _matters(diagnostics: pd.DataFrame) -> Iterator[Sentence]:
    for row in diagnostics[diagnostics["matters"]].to_dict("records"):
        said = _said(row)
        yield Sentence(f"{said[0].upper()}{said[1:]}.", tone="warning")


def _quiet(diagnostics: pd.DataFrame) -> Iterator[Sentence]:
    """What was checked where nothing matters."""
    checked = [what for check, what in _CHECKED.items() if (diagnostics["check"] == check).any()]
    if checked and not diagnostics["matters"].any():
        yield Sentence(f"Checked, and nothing stood out: {', '.join(checked)}.")


def _spread(diagnostics: pd.DataFrame) -> Iterator[Sentence]:
    shares = diagnostics[diagnostics["check"] == SHARE]["estimate"].dropna()
    if shares.empty:
        return
    ends = [f"{100 * share:.0f}" for share in (shares.min(), shares.max())]
    share = f"{' to '.join(dict.fromkeys(ends))} %"
    said = f"Of the spread (variance) of a process's effect, {share} is between processes, the rest between"
    if shares.min() >= 0.5:
        yield Sentence(f"{said} rounds: more rounds would help little, more processes would.")
    elif shares.max() < 0.5:
        yield Sentence(f"{said} rounds: longer processes (arm_seconds) would narrow intervals, too.")
    else:
        yield Sentence(f"{said} rounds.")


def _table(diagnostics: pd.DataFrame) -> Table:
    """A line a workload, mode and metric."""
    cells = diagnostics.groupby(["workload", "mode", "metric", "device"], sort=False, dropna=False)
    shown = [_line(group) for _, group in cells]
    columns = ["workload", "mode", *_HEADS.values(), "spread between processes", "between rounds, of one"]
    return Table([*columns, "share between processes"], shown, "Checks of the timing", open=False)


def _line(group: pd.DataFrame) -> list[Entry]:
    rows = {row["check"]: row for row in group.to_dict("records")}
    first = next(iter(rows.values()))
    checks = [_checked(rows[check]) if check in rows else Entry("—") for check in _HEADS]
    parts: Row = rows.get(SHARE, {})
    spreads = [
        text.either_way(math.exp(parts[name]) - 1, "ratio", "") if parts else "—"
        for name in ("between_process_sd", "between_round_sd")
    ]
    share = text.value(parts.get("estimate"), "fraction")
    mode = "" if text.missing_text(first["mode"]) else first["mode"]
    return [Entry(first["workload"]), Entry(mode), *checks, *map(Entry, [*spreads, share])]


def _checked(row: Row) -> Entry:
    said = f"{row['estimate']:.2f}" if row["check"] == NEIGHBOURS else _change(row["estimate"])
    whose = row["arm"] if row["check"] == DRIFT else ""
    interval = text.reach(1 + row["ci_low"], 1 + row["ci_high"], "ratio", "")
    details = [whose, interval, f"adjusted p {text.p_value(row['p_adjusted'])}"]
    verdict = "inconclusive" if row["matters"] else ""
    return Entry(said, verdict, "; ".join(detail for detail in details if detail))


def _change(ratio_less_1: float) -> str:
    return text.change(1 + ratio_less_1, "ratio", "")


def _percent(share: float) -> str:
    return text.value(share, "fraction")
