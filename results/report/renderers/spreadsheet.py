"""Frames as CSV in which nothing is a formula."""

from collections.abc import Iterable

import pandas as pd

from results.tables import format as text
from results.tables.headline import HeadlineColumn

COLUMNS = [
    *("environment", "arm", "factor", "level", "baseline_level", "workload", "metric", "label", "mode"),
    *("split", "source", "device", "context", "unit", "baseline_value", "value", "effect_kind", "effect"),
    *("ci_low", "ci_high", "exact", "n", "baseline_n", "block_unit", "margin", "p_adjusted", "verdict"),
    *("beyond_margin", "note"),
]
"""Of the headline table; names and units are those of `effects.csv`, `context` says where a row holds."""


def csv(frame: pd.DataFrame) -> str:
    """A frame as CSV in which no cell is a formula to a spreadsheet."""
    shown = frame.copy()
    for name in shown.columns:
        if shown[name].dtype == object or pd.api.types.is_string_dtype(shown[name]):
            shown[name] = shown[name].map(lambda cell: text.plain(cell) if isinstance(cell, str) else cell)
    return str(shown.to_csv(index=False))


def headline_csv(columns: Iterable[HeadlineColumn]) -> str:
    """A row for each change and headline metric, numbers as they are."""
    rows = [column.rows.assign(context=column.context)[COLUMNS] for column in columns]
    return csv(pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=COLUMNS))
