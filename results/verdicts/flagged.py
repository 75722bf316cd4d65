"""Which interactions are worth another look: decided ones, and sums of which a fraction knows no parts."""

import numpy as np
import pandas as pd


def flagged(rows: pd.DataFrame) -> pd.DataFrame:
    """Interactions that leave out "none"; a sum that a fraction cannot take apart only if it may count.

    Args:
        rows: As `Contrasts.interactions` holds them.
    """
    sums = rows[rows["cause"] == "aliased"]
    ratio, margin = (sums["effect_kind"] == "ratio").to_numpy(), sums["margin"].to_numpy(dtype=float)
    none = np.where(ratio, 1.0, 0.0)
    low, high = (sums[name].to_numpy(dtype=float) for name in ("ci_low", "ci_high"))
    counts = (low < np.where(ratio, 1 / (1 + margin), -margin)) | (high > none + margin)
    found = sums.index[((low > none) | (high < none)) & counts]
    return rows[rows["verdict"].isin(["better", "worse"]) | rows.index.isin(found)]
