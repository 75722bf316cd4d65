"""Building blocks compared, level against level within a process.

n counts files, which are processes; the rounds of a file are one number, their median.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from results.frames.benchmarks import in_order, versions
from results.records.benchmarks import CALL_SECONDS
from results.verdicts import statistics as rules
from results.verdicts.judge import Rule, conclude
from results.verdicts.statistics import Estimate

CONTEXT = ["group", "block", "level", "mode", "image_size", "batch_size", "channels"]
FOUND = [
    *("baseline_value", "value", "effect", "effect_kind", "ci_low", "ci_high", "n", "block_unit"),
    *("p_value", "p_adjusted", "comparisons", "margin", "n_needed", "verdict", "cause", "detectable"),
    *("n_needed_low", "n_needed_high", "beyond_margin"),
]
LEVEL_COLUMNS = [
    *("environment", "version", "commit", "dirty", "benchmark", *CONTEXT, "is_baseline", "baseline_level"),
    *("baselines", "metric", "unit", *FOUND),
]
Row = dict[Any, Any]
METRIC = {"metric": CALL_SECONDS.name, "unit": CALL_SECONDS.unit}


def levels(benchmarks: pd.DataFrame, margin: float = CALL_SECONDS.margin) -> pd.DataFrame:
    """Each benchmark, against the baseline of its group where it has one.

    The contrast is the log-ratio of two medians within one file; files are averaged within one environment
    and one version of the code. Intervals hold for all levels of a group at once (Bonferroni).

    Args:
        benchmarks: As `results.frames.benchmarks.benchmarks` gives it.
        margin: The smallest effect that counts: 0.05 is a factor of 1.05 either way.

    Returns:
        One row per (environment, version, benchmark); `effect` is the ratio to the baseline, `baselines` how
        many baselines its group names: a verdict takes exactly one.
    """
    order = {version: i for i, version in enumerate(versions(benchmarks))}
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in in_order(benchmarks).to_dict("records"):
        groups.setdefault((row["environment"], row["version"], row["group"]), []).append(row)
    ranks = {environment: i for i, environment in enumerate(dict.fromkeys(key[0] for key in groups))}
    keys = sorted(groups, key=lambda key: (ranks[key[0]], order[key[1]]))
    return frame([row for key in keys for row in _group(groups[key], margin)], LEVEL_COLUMNS)


def _group(group: Sequence[Row], margin: float) -> list[Row]:
    """Rows of one group in one environment and version; the group's baseline first."""
    logs: dict[str, dict[str, float]] = {}
    for row in group:
        logs.setdefault(row["benchmark"], {})[row["file"]] = math.log(row["median_seconds"])
    described = list({row["benchmark"]: row for row in reversed(group)}.values())[::-1]
    baselines = [row for row in described if row["is_baseline"]]
    rows = []
    for row in described:
        mine = logs[row["benchmark"]]
        known = {name: row.get(name) for name in LEVEL_COLUMNS} | METRIC
        known |= {"baselines": len(baselines), "value": _mean(mine), "n": len(mine)}
        known |= {"block_unit": "file", "verdict": ""}
        if len(baselines) == 1:
            known["baseline_level"] = baselines[0]["level"]
            if not row["is_baseline"]:
                known |= _compared(mine, logs[baselines[0]["benchmark"]], len(described) - 1, margin)
        rows.append(known)
    return adjusted(rows)


def _compared(mine: Mapping[str, float], base: Mapping[str, float], size: int, margin: float) -> Row:
    """A level against its baseline, file by file."""
    files = sorted(mine.keys() & base.keys())
    found = rules.estimate(np.array([mine[file] - base[file] for file in files]), size)
    values = {"value": mine, "baseline_value": base}
    means = {name: _mean({file: side[file] for file in files}) for name, side in values.items()}
    return means | judged(found, size, margin)


def _mean(logs: Mapping[str, float]) -> float | None:
    return math.exp(math.fsum(logs.values()) / len(logs)) if logs else None


def judged(found: Estimate, size: int, margin: float) -> dict[str, Any]:
    """Columns of a row that hold what an estimate says, as ratios."""
    known = {
        "effect_kind": CALL_SECONDS.effect_kind,
        "block_unit": "file",
        "comparisons": size,
        "margin": margin,
        "n": found.n,
    }
    if found.n == 0:
        return known | {"value": None, "verdict": "inconclusive", "cause": "unmeasured"}
    said = conclude(found, Rule(float(np.log1p(margin)), CALL_SECONDS.better))
    needed = said.needed
    ends = {"effect": found.mean, "ci_low": found.low, "ci_high": found.high}
    return (
        known
        | {name: None if end is None else float(np.exp(end)) for name, end in ends.items()}
        | {"p_value": found.p, "n_needed": needed.likely if needed else None}
        | {"n_needed_low": needed.low if needed else None, "n_needed_high": needed.high if needed else None}
        | {"verdict": said.verdict, "cause": said.cause}
        | {"detectable": said.detectable, "beyond_margin": said.beyond_margin}
    )


def adjusted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of one family, with p-values that agree with their intervals."""
    family = [row for row in rows if row["verdict"]]
    for row, p in zip(family, rules.adjust([row.get("p_value") for row in family]), strict=True):
        row["p_adjusted"] = p
    return rows


def frame(rows: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    """Rows as a frame, numbers as numbers."""
    table = pd.DataFrame(rows, columns=columns)
    for name in ("baseline_value", "value", "effect", "ci_low", "ci_high", "p_value", "p_adjusted", "margin"):
        table[name] = table[name].astype(float)
    counts = ("n", "n_first", "n_needed", "n_needed_low", "n_needed_high", "comparisons")
    for name in (*counts, "image_size", "batch_size", "channels"):
        if name in table:
            table[name] = table[name].astype("Int64")
    for name in ("detectable", "beyond_margin"):
        table[name] = table[name].astype("boolean").fillna(False).astype(bool)
    table["cause"] = table["cause"].astype(object).where(table["cause"].notna(), "")
    return table
