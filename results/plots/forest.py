"""The forest plot: every effect with its simultaneous interval, its margin and the noise floor."""

import math
import textwrap
from collections.abc import Hashable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from results.plots.theme import (
    BAND,
    COLOURS,
    FAINT,
    FAINT_INK,
    INK,
    MARKERS,
    begins_row,
    difference_axis,
    label_room,
    nothing,
    panels,
    ratio_axis,
    side_by_side,
    themed,
)
from results.records.resolved_study import ResolvedStudy
from results.tables import format as text
from results.tables import verdict_words
from results.tables.headline import HeadlineColumn, headline_columns
from results.verdicts.cells import CELL_COLUMNS, places

Row = dict[Hashable, Any]


@themed
def forest(study: ResolvedStudy, effects: pd.DataFrame, noise: pd.DataFrame | None = None) -> Figure:
    """One panel per headline metric and context, one line per arm.

    Args:
        study: The study.
        effects: As `Run.effects` gives them, of one environment. The control and inert arms are left out.
        noise: As `Run.noise_floor` gives it; its half-widths are drawn as dotted lines.
    """
    columns = list(headline_columns(study, effects))
    shown = pd.concat([column.rows for column in columns]) if columns else effects.head(0)
    arms = [str(arm) for arm, rows in shown.groupby("arm", sort=False) if not rows["inert"].all()]
    if not arms:
        return nothing("No headline metric was measured.")
    columns = [column for column in columns if column.rows["arm"].isin(arms).any()]
    figure, axes = panels(len(columns), 3, (3.4, 1.1 + 0.27 * len(arms)), (label_room(arms), 0.6))
    for i, (axis, column) in enumerate(zip(axes, columns, strict=True)):
        _panel(axis, column, arms, noise)
        axis.tick_params(labelleft=begins_row(i, 3))
    verdict_legend(figure, noise is not None and len(noise) > 0)
    return figure


def _panel(axis: Axes, column: HeadlineColumn, arms: list[str], noise: pd.DataFrame | None) -> None:
    rows = column.rows[column.rows["arm"].isin(arms)].to_dict("records")
    first = rows[0]
    ratio, unit, margin = first["effect_kind"] == "ratio", first["unit"], first["margin"]
    none = 1.0 if ratio else 0.0
    band = (1 / (1 + margin), 1 + margin) if ratio else (-margin, margin)
    axis.axvspan(*band, color=BAND, zorder=0, lw=0)
    axis.axvline(none, color=INK, lw=0.9, zorder=1)
    floor = _floor(first, noise)
    for line in floor:
        axis.axvline(line, color=INK, lw=1, ls=(0, (1, 2)), zorder=1)
    for row in rows:
        effect_line(axis, row, arms.index(row["arm"]))
    ranked = [row for row in rows if not row["inert"]]
    known = [number for row in ranked for number in (row["ci_low"], row["ci_high"], row["effect"])]
    ends = [number for number in known if not text.missing(number)] + [*band, *floor, none]
    if min(ends) == max(ends):  # an exact metric without margin in which nothing changed
        ends = [none / 1.1, none * 1.1] if ratio else [-1.0, 1.0]
    if ratio:
        ratio_axis(axis, min(ends), max(ends))
    else:
        difference_axis(axis, min(ends), max(ends), unit)
    axis.set_yticks(range(len(arms)), arms)
    axis.set_ylim(len(arms) - 0.4, -0.6)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="y", visible=False)
    context = textwrap.fill(column.context, 46)
    axis.set_title(column.title, pad=8 + 9 * (1 + context.count("\n")))  # points
    axis.text(0, 1.02, context, transform=axis.transAxes, fontsize=7, color=FAINT_INK)
    axis.set_xlabel(_axis_label(first))


def effect_line(axis: Axes, row: Row, y: float) -> None:
    """One effect at height y: interval and mark, and the verdict's sign and the change beside the panel."""
    colour, marker = COLOURS[row["verdict"]], MARKERS[row["verdict"]]
    place: dict[str, Any] = {
        "transform": axis.get_yaxis_transform(),
        "va": "center",
        "fontsize": 8,
        "clip_on": False,
    }
    if row["inert"]:
        axis.text(1.02, y, "inert", color=FAINT, **place)
        return
    if text.missing(row["effect"]):
        axis.text(1.02, y, f"{verdict_words.sign(row)} no value", color=FAINT, **place)
        return
    if not text.missing(row["ci_low"]):
        axis.plot([row["ci_low"], row["ci_high"]], [y, y], color=colour, lw=1.8, solid_capstyle="butt")
    hollow = row["verdict"] == "inconclusive" or verdict_words.is_weak(row)
    face = "white" if hollow else colour
    axis.plot([row["effect"]], [y], marker=marker, ms=6.5, mfc=face, mec=colour, mew=1.5, zorder=3)
    said = text.change(row["effect"], row["effect_kind"], row["unit"])
    axis.text(1.02, y, f"{verdict_words.sign(row)} {said}", color=colour, **place)


def _floor(row: Row, noise: pd.DataFrame | None) -> list[float]:
    if noise is None:
        return []
    noise = noise[noise["noise_floor"].notna()]
    here = tuple("" if text.missing_text(row[name]) else row[name] for name in CELL_COLUMNS)
    widths = [w for place, w in zip(places(noise), noise["half_width"], strict=True) if place == here]
    if row["effect_kind"] == "ratio":
        return [math.exp(sign * width) for width in widths for sign in (-1, 1)]
    return [sign * width for width in widths for sign in (-1, 1)]


def _axis_label(row: Row) -> str:
    direction = f"{row['better']} is better"
    if row["effect_kind"] == "ratio":
        return f"change (log axis; {direction})"
    unit = "points" if row["unit"] == "fraction" else row["unit"]
    return f"difference in {unit} ({direction})"


def verdict_legend(figure: Figure, with_noise: bool) -> None:
    """What marks, colours and the band mean, below the panels."""
    handles: list[Line2D | Patch] = [
        Line2D(
            [],
            [],
            color=COLOURS[verdict],
            marker=MARKERS[verdict],
            mfc="white" if verdict == "inconclusive" else COLOURS[verdict],
            mew=1.5,
            lw=1.8,
            label=f"{verdict_words.SIGNS[verdict]} {verdict}",
        )
        for verdict in COLOURS
    ]
    hollow: dict[str, Any] = {"marker": MARKERS["better"], "mfc": "white", "mew": 1.5, "ls": "none"}
    handles.append(Line2D([], [], color=INK, label=verdict_words.HOLLOW_LABEL, **hollow))
    handles.append(Patch(color=BAND, label="margin: too small to count"))
    if with_noise:
        handles.append(Line2D([], [], color=INK, lw=1, ls=(0, (1, 2)), label="noise floor (A/A)"))
    figure.legend(handles=handles, loc="outside lower center", ncols=side_by_side(4), frameon=False)
