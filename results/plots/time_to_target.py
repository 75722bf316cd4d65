"""How soon seeds reach their target: the share that has, over the steps of the training."""

import textwrap

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from results.plots.theme import COLOURS, INK, begins_row, nothing, panels, themed
from results.records.resolved_study import ResolvedStudy
from results.verdicts.reached import reached, share_reached

_COLUMNS = 4


@themed
def time_to_target(study: ResolvedStudy, curves: pd.DataFrame, trials: pd.DataFrame) -> Figure:
    """A panel per workload and arm, its steps dashed beside the baseline's, with pointwise 95 % intervals.

    A cross stands where trainings end that never reached the target.

    Args:
        study: For targets and roles.
        curves: As `Run.curves` holds them, of one environment; the baseline among them.
        trials: As `Run.trials` gives them: what diverged never gets there.
    """
    found = reached(study, curves, trials)
    found = found[found["role"] != "control"]
    if found.empty:
        return nothing("No training had a target.")
    shares = pd.concat([_shares(rows) for _, rows in found.groupby(["workload", "arm"], sort=False)])
    groups = [
        (workload, arm, group)
        for workload, group in shares.groupby("workload", sort=False)
        for arm in dict.fromkeys(group.loc[group["role"] == "arm", "arm"]) or [""]
    ]
    several = shares["workload"].nunique() > 1
    figure, axes = panels(len(groups), _COLUMNS, (2.9, 1.9), (0, 0.3))
    for i, (axis, (workload, arm, group)) in enumerate(zip(axes, groups, strict=True)):
        end = float(group["step"].max())
        _line(axis, group[group["role"] == "baseline"], end, INK, "-")
        _line(axis, group[group["arm"] == arm], end, COLOURS["worse"], "--")
        where = f" [{workload}]" if several else ""
        axis.set_title(textwrap.fill((arm or "baseline").replace(",", ", ") + where, 36), fontsize=8)
        axis.set_xlim(0, 1.03 * end)
        axis.set_ylim(-0.03, 1.03)
        axis.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axis.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])
        axis.tick_params(labelsize=7, labelleft=begins_row(i, _COLUMNS))
    handles = [
        Line2D([], [], color=INK, lw=1.5, label="baseline"),
        Line2D([], [], color=COLOURS["worse"], ls="--", lw=1.5, label="the change"),
        Line2D([], [], color=INK, ls="", marker="x", ms=5, label="ended without"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _shares(rows: pd.DataFrame) -> pd.DataFrame:
    return share_reached(rows).assign(**{name: rows[name].iloc[0] for name in ("workload", "arm", "role")})


def _line(axis: Axes, rows: pd.DataFrame, end: float, colour: str, style: str) -> None:
    axis.step(rows["step"], rows["share"], style, where="post", color=colour, lw=1.5)
    if len(rows) and rows["share"].iloc[-1] == 1:  # and so it stays
        axis.plot([rows["step"].iloc[-1], end], [1, 1], style, color=colour, lw=1.5)
    # An interval holds up to the next step, at which there may be none any more.
    band = rows.assign(low=rows["low"].ffill(limit=1), high=rows["high"].ffill(limit=1)).dropna()
    if len(band):
        axis.fill_between(
            band["step"], band["low"], band["high"], step="post", color=colour, alpha=0.13, lw=0
        )
    missed = rows[rows["missed"] > 0]
    if len(missed):
        axis.plot(missed["step"], missed["share"], "x", color=colour, ms=5, clip_on=False)
