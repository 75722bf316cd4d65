"""What is drawn where there is too much for a figure: the arms and lines that change most."""

import numpy as np
import pandas as pd

from results.records.resolved_study import CONTROL_FACTOR
from results.tables.headline import headline_rows

MOST_ARMS, MOST_ROWS = 40, 400
MOST_LINES = 120
"""More than this in one figure, or in the page's table, nobody reads; the CSV tables have all."""


def arms_to_draw(effects: pd.DataFrame, most: int = MOST_ARMS) -> list[str]:
    """The arms of figures in the study's order: all, or of too many those that change a headline most.

    Args:
        effects: Of one environment.
        most: How many are too many.
    """
    arms = list(dict.fromkeys(effects[effects["factor"] != CONTROL_FACTOR]["arm"]))
    if len(arms) <= most:
        return arms
    rows = headline_rows(effects)
    kept = set(most_changed_rows(rows, len(rows))["arm"].drop_duplicates().head(most))
    return [arm for arm in arms if arm in kept]


def few(shown: int, of: int) -> str:
    """`all`, or how many of how many: `the 40 of 300 that change most`."""
    return "all of them" if shown == of else f"the {shown} of {of:,} that change most"


def drawn_suffix(shown: int, of: int) -> str:
    """What a caption adds where not all is drawn."""
    return "" if shown == of else f" ({few(shown, of)})"


def most_changed_rows(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """Of many effects those that are furthest from none, in their order: by ratio, or in margins."""
    ratio = rows["effect_kind"] == "ratio"
    effect = rows["effect"].astype(float)
    positive = effect.where(ratio & (effect > 0), 1.0).to_numpy(dtype=float)
    reach = np.log1p(rows["margin"].clip(lower=1e-3).to_numpy(dtype=float))
    logs = pd.Series(np.abs(np.log(positive)) / reach, index=rows.index)
    margins = effect.abs() / rows["margin"].clip(lower=1e-6)
    size = logs.where(ratio, margins).fillna(0.0)
    order = size.sort_values(ascending=False, kind="stable").index
    return rows.loc[order] if most >= len(rows) else rows[rows.index.isin(order[:most])]
