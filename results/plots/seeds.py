"""Every seed of every arm as a dot: what an average may hide."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from results.plots.theme import FAINT, INK, label_room, nothing, panels, side_by_side, themed
from results.tables import format as text
from results.tables.thin import evenly

_DOT = "#0072b2"
_DUPLICATE = "baseline's duplicate"


@themed
def seeds(measurements: pd.DataFrame) -> Figure:
    """One panel per workload and metric, one line per arm, a dot per seed and a stroke at the mean.

    Args:
        measurements: As `Run.measurements` holds them, of one environment and of metrics with one value a
            seed, such as `test_accuracy`.
    """
    if measurements.empty:
        return nothing("No arm was trained.")
    named = measurements["arm"].replace({"(control)": _DUPLICATE})
    groups = list(measurements.assign(arm=named).groupby(["workload", "metric"], sort=False))
    names = sorted(named.unique(), key=lambda arm: (arm != "baseline", arm != _DUPLICATE))
    size = (6.2, 0.8 + 0.24 * len(names))
    figure, axes = panels(len(groups), 1, size, (label_room(names), 0.3))
    for axis, ((workload, metric), group) in zip(axes, groups, strict=True):
        arms = [name for name in names if name in set(group["arm"])]
        _panel(axis, group, arms)
        axis.set_title(f"{str(metric).replace('_', ' ')} [{workload}]")
    handles = [
        Line2D([], [], color=_DOT, marker="o", ls="none", ms=5, alpha=0.75, label="a seed"),
        Line2D([], [], color=INK, marker="|", ls="none", ms=11, mew=1.6, label="mean"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=side_by_side(2), frameon=False)
    return figure


def _panel(axis: Axes, group: pd.DataFrame, arms: list[str]) -> None:
    unit = str(group["unit"].iloc[0])
    for y, arm in enumerate(arms):
        values = group[group["arm"] == arm]["value"].to_numpy(dtype=float)
        shown = evenly(values.tolist())
        places = y + 0.09 * np.array([(i % 3) - 1 for i in range(len(shown))])
        axis.plot(shown, places, "o", color=_DOT, ms=5, alpha=0.75, mew=0, zorder=3)
        axis.plot([values.mean()], [y], "|", color=INK, ms=14, mew=1.6, zorder=2)
        axis.axhline(y, color=FAINT, lw=0.4, zorder=1)
    axis.set_yticks(range(len(arms)), arms)
    axis.set_ylim(len(arms) - 0.5, -0.5)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="y", visible=False)
    axis.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: text.value(value, unit)))
