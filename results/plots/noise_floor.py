"""How far noise reaches, beside the smallest effect that counts."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from results.plots.theme import COLOURS, INK, label_room, nothing, panels, side_by_side, themed
from results.records.resolved_study import ResolvedStudy
from results.tables import format as text
from results.tables.noise import beside_margins

_WITHIN, _BEYOND = "#56b4e9", COLOURS["worse"]


@themed
def noise_floor(study: ResolvedStudy, noise: pd.DataFrame) -> Figure:
    """A bar a metric: the noise floor, with a line at the margin; a panel for ratios and one for each unit.

    Args:
        study: For the margins.
        noise: As `Run.noise_floor` gives it, of one environment. A floor without bound says so.
    """
    rows = beside_margins(study, noise)
    if rows.empty:
        return nothing("The baseline had no duplicate that varies.")
    scales = rows["unit"].where(rows["effect_kind"] != "ratio", "%").replace("fraction", "points")
    groups = list(rows.groupby(scales, sort=False))
    names = list(rows["name"])
    height = 0.75 + 0.26 * max(len(group) for _, group in groups)
    figure, axes = panels(len(groups), 2, (4.2, height), (label_room(names), 0.3))
    for axis, (scale, group) in zip(axes, groups, strict=True):
        _bars(axis, group, 100.0 if scale in {"%", "points"} else 1.0)
        axis.set_xlabel(f"{scale} either way")
    handles: list[Any] = [Patch(facecolor=_WITHIN, label="noise floor")]
    if (rows["noise_floor"] > rows["margin"]).any():
        handles.append(Patch(facecolor=_BEYOND, hatch="///", edgecolor="white", label="beyond the margin"))
    handles.append(Line2D([], [], color=INK, lw=2, label="margin: the smallest effect that counts"))
    figure.legend(handles=handles, loc="outside lower center", ncols=side_by_side(3), frameon=False)
    return figure


def _bars(axis: Axes, group: pd.DataFrame, scale: float) -> None:
    known = group["noise_floor"].dropna()
    longest = scale * max([*known, *group["margin"]], default=1.0)
    for y, row in enumerate(group.to_dict("records")):
        floor, margin = scale * float(row["noise_floor"]), scale * float(row["margin"])
        if text.missing(floor):
            axis.text(0, y, " without bound", va="center", fontsize=7.5)
        else:
            beyond = floor > margin
            style: dict[str, Any] = {"hatch": "///"} if beyond else {}
            axis.barh(y, floor, 0.6, color=_BEYOND if beyond else _WITHIN, edgecolor="white", lw=0, **style)
            said = text.either_way(row["noise_floor"], row["effect_kind"], row["unit"])
            place = (max(floor, margin), y)
            axis.annotate(said, place, (5, 0), textcoords="offset points", va="center", fontsize=7.5)
        axis.plot([margin, margin], [y - 0.42, y + 0.42], color=INK, lw=2, solid_capstyle="butt")
    axis.set_xlim(0, 1.3 * longest if longest > 0 else 1)
    axis.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_yticks(range(len(group)), list(group["name"]))
    axis.set_ylim(len(group) - 0.5, -0.5)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="y", visible=False)
