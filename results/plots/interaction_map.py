"""Which pairs of changes mind each other: a map, a panel a metric."""

import math
import textwrap
from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.plots.theme import FAINT_INK, label_room, nothing, panels, themed
from results.records.resolved_study import ResolvedStudy
from results.tables import format as text
from results.tables import verdict_words
from results.tables.headline import HeadlineColumn, headline_columns

Row = dict[Hashable, Any]
_FULL_COLOUR = 3.0
"""Margins from which on a cell has its full colour."""
_NO_MARGIN = {"ratio": math.log1p(0.01), "difference": 0.01}
"""What counts as one margin where any difference counts."""


@themed
def interaction_map(study: ResolvedStudy, interactions: pd.DataFrame) -> Figure:
    """One panel per headline metric and context: a cell per pair of changes, coloured by size in margins.

    Args:
        study: The study.
        interactions: As `Run.interactions` gives them, of one environment.
    """
    pairs = interactions[interactions["factor"].str.contains("+", regex=False)]
    columns = list(headline_columns(study, pairs))
    if not columns:
        return nothing("No pair of changes was measured.")
    changes = _changes(study, pairs)
    names = [" = ".join(change) for change in changes]
    side = 1.0 + 0.62 * (len(changes) - 1)
    room = label_room(names)
    figure, axes = panels(len(columns), 2, (max(3.2, side + room), max(2.4, 0.55 * side + 1.6)), (0, 0))
    for axis, column in zip(axes, columns, strict=True):
        _panel(axis, column, changes, names)
    return figure


def _changes(study: ResolvedStudy, pairs: pd.DataFrame) -> list[tuple[str, str]]:
    """Changes that occur in pairs, in the study's order."""
    named = {change for row in pairs.to_dict("records") for change in _of(row)}
    every = [(factor.name, level) for factor in study.factors for level in factor.levels[1:]]
    return [change for change in every if change in named]


def _of(row: Row) -> list[tuple[str, str]]:
    return list(zip(row["factor"].split("+"), row["level"].split("+"), strict=True))


def _panel(axis: Axes, column: HeadlineColumn, changes: list[tuple[str, str]], names: list[str]) -> None:
    size = len(changes)
    colours, words = np.full((size, size), np.nan), np.full((size, size), "", dtype=object)
    for row in column.rows.to_dict("records"):
        first, second = sorted(changes.index(change) for change in _of(row))
        colours[second, first] = _in_margins(row)
        said = text.change(row["effect"], row["effect_kind"], row["unit"])
        words[second, first] = f"{verdict_words.sign(row)} {said}" if said else "—"
    frame = pd.DataFrame(colours[1:, :-1], names[1:], names[:-1])
    better = column.rows["better"].iloc[0]
    palette = "PuOr" if better == "higher" else "PuOr_r"
    sns.heatmap(
        frame,
        ax=axis,
        annot=words[1:, :-1],
        fmt="",
        cmap=palette,
        vmin=-_FULL_COLOUR,
        vmax=_FULL_COLOUR,
        cbar=False,
        linewidths=2,
        linecolor="white",
        annot_kws={"fontsize": 8},
    )
    axis.grid(visible=False)
    axis.tick_params(axis="x", rotation=20, length=0)
    axis.tick_params(axis="y", rotation=0, length=0)
    context = textwrap.fill(column.context, 46)
    axis.set_title(column.title, pad=8 + 9 * (1 + context.count("\n")))  # points
    axis.text(0, 1.02, context, transform=axis.transAxes, fontsize=7, color=FAINT_INK)


def _in_margins(row: Row) -> float:
    """Size in margins, softened so that the sign stays readable; 0 where nothing is decided."""
    effect = row["effect"]
    if text.missing(effect) or row["verdict"] not in {"better", "worse", "equivalent"}:
        return 0.0
    ratio = row["effect_kind"] == "ratio"
    log = math.log(effect) if ratio and effect > 0 else 0.0 if ratio else effect
    margin = math.log1p(row["margin"]) if ratio else row["margin"]
    return float(np.clip(log / (margin or _NO_MARGIN[row["effect_kind"]]), -_FULL_COLOUR, _FULL_COLOUR) * 0.8)
