"""Two changes, alone and together: the four corners of an interaction, and where they would be without it."""

import textwrap
from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from results.plots.theme import FAINT, FAINT_INK, INK, nothing, panels, themed
from results.records.resolved_study import ResolvedStudy
from results.tables import format as text
from results.tables import verdict_words
from results.tables.headline import HeadlineColumn, headline_columns
from results.verdicts.cells import CELL_COLUMNS, places

Row = dict[Hashable, Any]
_COLOURS = ("#0072b2", "#d55e00")


@themed
def two_by_two(study: ResolvedStudy, interactions: pd.DataFrame, corners: pd.DataFrame) -> Figure:
    """One panel per interaction: parallel lines are none; dashed is where the second would be without it.

    Args:
        study: The study.
        interactions: Those to draw, as `Run.interactions` gives them, of one environment.
        corners: As `Run.corners` gives them.
    """
    found = [
        (column, row, mine)
        for column in headline_columns(study, interactions)
        for row in column.rows.to_dict("records")
        if len(mine := _corners(row, corners)) == 4
    ]
    if not found:
        return nothing("No pair of changes was measured.")
    figure, axes = panels(len(found), 2, (3.6, 2.9))
    for axis, (column, row, mine) in zip(axes, found, strict=True):
        _panel(axis, column, row, mine)
    return figure


def _corners(row: Row, corners: pd.DataFrame) -> list[Row]:
    place = tuple("" if text.missing_text(row[name]) else row[name] for name in CELL_COLUMNS)
    here = (
        corners["arm"].eq(row["arm"])
        & corners["value"].notna()
        & np.array([one == place for one in places(corners)])
    )
    found: list[Row] = corners[here].to_dict("records")
    return found


def _panel(axis: Axes, column: HeadlineColumn, row: Row, corners: list[Row]) -> None:
    first, second = row["factor"].split("+")
    values = {(one["first_level"], one["second_level"]): one["value"] for one in corners}
    usual, changed = (list(dict.fromkeys(key[i] for key in values)) for i in (0, 1))
    for colour, level in zip(_COLOURS, changed, strict=True):
        line = [values[one, level] for one in usual]
        axis.plot([0, 1], line, marker="o", color=colour, lw=1.8, label=f"{second} = {level}")
    base, one, other = (values[usual[i], changed[j]] for i, j in ((0, 0), (1, 0), (0, 1)))
    apart = one * other / base if row["effect_kind"] == "ratio" and base else one + other - base
    axis.plot(
        [0, 1], [other, apart], color=FAINT, lw=1.2, ls=(0, (3, 2)), label="if neither minded the other"
    )
    axis.set_xticks([0, 1], [f"{first} =\n{level}" for level in usual])
    axis.set_xlim(-0.25, 1.25)
    size = text.byte_unit(max(values.values()))[0] if row["unit"] == "bytes" else 1.0
    axis.margins(y=0.15)
    low, high = axis.get_ylim()
    axis.set_yticks(
        [t * size for t in MaxNLocator(4).tick_values(low / size, high / size) if low <= t * size <= high]
    )
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: text.value(value, row["unit"])))
    said = text.change(row["effect"], row["effect_kind"], row["unit"])
    context = textwrap.fill(f"{verdict_words.sign(row)} {said} beyond the two apart; {column.context}", 52)
    axis.set_title(column.title, pad=8 + 9 * (1 + context.count("\n")))  # points
    axis.text(0, 1.02, context, transform=axis.transAxes, fontsize=7, color=FAINT_INK)
    axis.legend(fontsize=7.5, frameon=False, labelcolor=INK)
