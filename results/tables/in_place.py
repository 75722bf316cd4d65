"""What a factor that leaves the function as it is does to memory, wherever two arms differ in it alone."""

from typing import Any

import pandas as pd

from results.records.profile_summary import CATEGORIES, Against
from results.records.resolved_study import ResolvedStudy

PAIR_COLUMNS = [
    *("environment", "workload", "factor", "level", "baseline_level", "others", "mode", "source", "device"),
    *("peak_bytes", "peak_bytes_before", "saved_bytes", "allocations", "tensors", "by_category"),
]
_KEYS = ["environment", "workload", "mode", "source", "device"]
Row = dict[str, Any]
_WORDS = {"transient": "short-lived tensors"}


def equivalent_pairs(study: ResolvedStudy, profiles: pd.DataFrame, series: pd.DataFrame) -> pd.DataFrame:
    """One row per pair of arms that differ in one equivalent factor: a level less the baseline level.

    `others` names the arm without the change. Saved bytes and allocations are those measured in the same
    mode, by the same source; where there are none, what each arm differs from the baseline by.
    `tensors` are the heaviest that differ at the peaks, None where they are not known: the record has those
    against the baseline. `by_category` maps each category to the bytes that it weighs more at the one peak
    than at the other.
    """
    measured = _measured(series)
    names = {_key(arm.changes): arm.name for arm in study.arms if arm.role != "control"}
    rows = []
    for factor in (f for f in study.factors if f.kind == "equivalent"):
        for key, group in profiles.groupby(_KEYS, sort=False):
            found: dict[str, Row] = {str(row["arm"]): dict(row) for _, row in group.iterrows()}
            for arm in (a for a in study.arms if a.role == "arm" and factor.name in a.changes):
                rest = {name: level for name, level in arm.changes.items() if name != factor.name}
                others = names.get(_key(rest))
                if others not in found or arm.name not in found:
                    continue
                context = dict(zip(_KEYS, key, strict=True))
                levels = {"level": arm.changes[factor.name], "baseline_level": factor.levels[0]}
                rows.append(
                    context
                    | {"factor": factor.name, "others": others}
                    | levels
                    | _difference(found[arm.name], found[others], measured)
                )
    return pd.DataFrame(rows, columns=PAIR_COLUMNS)


def _key(changes: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(changes.items()))


def _measured(series: pd.DataFrame) -> dict[tuple[Any, ...], float]:
    """The last value by (environment, workload, mode, source, device, arm, metric)."""
    rows = series[series["metric"].isin(["saved_bytes", "allocations"])]
    keys = rows[[*_KEYS, "arm", "metric"]].itertuples(index=False, name=None)
    return {key: float(values[-1]) for key, values in zip(keys, rows["values"], strict=True)}


def _difference(arm: Row, other: Row, measured: dict[tuple[Any, ...], float]) -> Row:
    found: Row = {
        "peak_bytes": arm["peak_bytes"] - other["peak_bytes"],
        "peak_bytes_before": other["peak_bytes"],
    }
    for metric in ("saved_bytes", "allocations"):
        values = [measured.get((*(row[key] for key in _KEYS), row["arm"], metric)) for row in (arm, other)]
        if None in values:
            values = [_against_baseline(row, metric) for row in (arm, other)]
        one, less = values
        found[metric] = None if one is None or less is None else one - less
    explained: Against | None = arm["against_baseline"] if other["role"] == "baseline" else None
    return found | {
        "tensors": explained.tensors if explained else None,
        "by_category": by_category(arm["by_category"], other["by_category"]),
    }


def _against_baseline(row: Row, metric: str) -> float | None:
    """What the arm has beyond the baseline; nothing for the baseline itself."""
    against: Against | None = row["against_baseline"]
    if against is None:
        return 0.0 if row["role"] == "baseline" else None
    return float(getattr(against, metric))


def category_in_words(name: str) -> str:
    """What readers call a category of memory."""
    return _WORDS.get(name, name.replace("_", " "))


def by_category(one: dict[str, int], less: dict[str, int]) -> dict[str, int]:
    """The categories that weigh differently, the largest difference first."""
    names = [*CATEGORIES, *sorted({*one, *less} - set(CATEGORIES))]
    net = {name: one.get(name, 0) - less.get(name, 0) for name in names}
    return dict(sorted((item for item in net.items() if item[1]), key=lambda item: -abs(item[1])))
