"""What reaching the target costs: steps to it by the time that a step takes, measured alone.

Trainings that run side by side have no time of their own worth comparing. Steps to the target come from
them, the time of a step from a timed workload of the same arms, image size, batch and precision, and its
peak memory from a memory workload of the same. The two factors of a product are estimated independently, so
that the interval of its logarithm follows from theirs (MOVER; G. Y. Zou and A. Donner, "Construction of
confidence limits about effect measures", 2008); since both hold for all arms of a run at once, so does it.
"""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from results.records.resolved_study import CONTROL_FACTOR
from results.verdicts.events import STEPS
from results.verdicts.statistics import decide

_TIME, _MEMORY = "step_seconds", "peak_bytes"
_SAME = ["environment", "arm", "variant", "baseline_variant", "input_size", "batch_size", "precision"]
"""What both have to share: the learning rate and the images make no step longer."""
_BOUNDS = ["effect", "ci_low", "ci_high"]
COLUMNS = (
    *("environment", "workload", "timed_workload", "arm", "steps", "images", "seconds"),
    *("baseline_steps", "baseline_seconds", *_BOUNDS, "margin", "verdict", "beyond_margin"),
    *("peak_bytes", "peak_source"),
)


def target_cost(effects: pd.DataFrame) -> pd.DataFrame:
    """One row per arm and pair of workloads that share a context: steps, images and seconds to the target.

    Args:
        effects: As `Analysis.effects` holds them.

    Returns:
        `effect` and its interval are ratios to the baseline's seconds. Arms of which too few trainings
        reached the target have none, and are not here.
    """
    effects = effects[effects["factor"] != CONTROL_FACTOR]
    trained = effects[(effects["metric"] == STEPS) & effects["ci_low"].notna() & effects["value"].notna()]
    timed = _of_a_step(effects, _TIME)
    timed = timed[timed["ci_low"].notna()]
    both = trained.merge(timed, on=_SAME, suffixes=("", "_step"))
    if both.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    peaks = _of_a_step(effects, _MEMORY).drop_duplicates([*_SAME, "source"])
    rows = [_row(row, peaks) for row in both.to_dict("records")]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _of_a_step(effects: pd.DataFrame, metric: str) -> pd.DataFrame:
    return effects[(effects["metric"] == metric) & (effects["mode"] == "train")]


def _row(row: Mapping[Hashable, Any], peaks: pd.DataFrame) -> dict[str, Any]:
    steps, step = (np.log([row[f"{name}{suffix}"] for name in _BOUNDS]) for suffix in ("", "_step"))
    middle = steps[0] + step[0]
    low = middle - np.hypot(steps[0] - steps[1], step[0] - step[1])
    high = middle + np.hypot(steps[2] - steps[0], step[2] - step[0])
    margin = float(np.log1p(row["margin"]))
    verdict = decide(low, high, margin, "lower")
    if "invalid" in (row["verdict"], row["verdict_step"]):
        verdict = "invalid"
    elif _is_open(row["verdict"], row["cause"]) or _is_open(row["verdict_step"], row["cause_step"]):
        verdict = "inconclusive"
    same = np.logical_and.reduce([peaks[name] == row[name] for name in _SAME])
    measured_first = peaks[same].sort_values("source")
    peak = measured_first.iloc[0] if len(measured_first) else {"value": np.nan, "source": ""}
    return {
        "environment": row["environment"],
        "workload": row["workload"],
        "timed_workload": row["workload_step"],
        "arm": row["arm"],
        "steps": row["value"],
        "images": row["value"] * row["batch_size"],
        "seconds": row["value"] * row["value_step"],
        "baseline_steps": row["baseline_value"],
        "baseline_seconds": row["baseline_value"] * row["baseline_value_step"],
        **dict(zip(_BOUNDS, np.exp([middle, low, high]).tolist(), strict=True)),
        "margin": row["margin"],
        "verdict": verdict,
        "beyond_margin": verdict in {"better", "worse"} and bool(low > margin or high < -margin),
        "peak_bytes": peak["value"],
        "peak_source": peak["source"],
    }


def _is_open(verdict: str, cause: str) -> bool:
    """Whether a factor decides nothing whatever its interval: too few blocks, or targets missed."""
    return verdict == "inconclusive" and cause != "imprecise"
