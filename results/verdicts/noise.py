"""The noise floor: how far the baseline differs from its own duplicate, as far as that is known."""

import math
from typing import Any

import numpy as np
import pandas as pd

from results.records.resolved_study import CONTROL_FACTOR
from results.verdicts.cells import places

NOISE_COLUMNS = [
    *("workload", "metric", "label", "mode", "split", "source", "device", "environment", "headline"),
    *("unit", "effect_kind", "noise_floor", "half_width", "effect", "ci_low", "ci_high", "sd"),
    *("n", "block_unit", "control_differs", "verdict"),
]
"""Names are those of the effects, and so are units; docs/design.md has them in words."""


def noise_floor(effects: pd.DataFrame) -> pd.DataFrame:
    """One row per A/A comparison of something that varies, by metric, mode and split.

    `half_width` is the farthest that the 95 % interval of the baseline against its duplicate reaches from
    "no effect", on the scale of the analysis (the logarithm for ratios): a true effect smaller than that
    drowns in the noise of this run. It is infinite where an end of the interval knows no bound. `noise_floor`
    is the same as tables show it: a ratio less 1, or a difference in the metric's unit; NaN without a bound.
    `control_differs` says that the interval does not hold "no effect"; `verdict` is `failed` where the
    cell is invalid for it, and else `quiet`.
    """
    varies = effects["sd"].notna() & (effects["n"] > 1)
    control = effects[(effects["factor"] == CONTROL_FACTOR) & varies]
    rows = [_row(row) for row in control.to_dict("records")]
    return pd.DataFrame(rows, columns=NOISE_COLUMNS).astype({"n": "Int64"})


def _row(row: dict[Any, Any]) -> dict[str, Any]:
    ratio = row["effect_kind"] == "ratio"
    ends = float(row["ci_low_unadjusted"]), float(row["ci_high_unadjusted"])
    half_width = max(_reach(end, ratio=ratio) for end in ends)
    return {
        **{str(name): row[name] for name in row if name in NOISE_COLUMNS},
        "ci_low": ends[0],
        "ci_high": ends[1],
        "half_width": half_width,
        "noise_floor": _less_one(half_width) if ratio else half_width,
        "verdict": "failed" if row["verdict"] == "invalid" else "quiet",
    }


def _reach(end: float, *, ratio: bool) -> float:
    """How far an end of an interval lies from "no effect"; a ratio of nothing lies infinitely far."""
    if not ratio:
        return abs(end)
    return abs(math.log(end)) if end > 0 else math.inf


def _less_one(half_width: float) -> float:
    with np.errstate(over="ignore"):
        floor = float(np.expm1(half_width))
    return floor if math.isfinite(floor) else math.nan


def with_noise_floor(rows: pd.DataFrame, noise: pd.DataFrame) -> pd.DataFrame:
    """Rows of effects with the noise floor of their cell beside them; NaN where nothing varies."""
    known = dict(zip(places(noise), noise["noise_floor"].astype(float), strict=True))
    floors = [known.get(place, np.nan) for place in places(rows)]
    return rows.assign(noise_floor=pd.Series(floors, index=rows.index, dtype=float))
