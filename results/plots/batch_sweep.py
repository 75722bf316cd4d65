"""Images per second against the batch size: where an arm stops gaining from larger batches."""

from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from results.plots.theme import BAND, INK, nothing, panels, side_by_side, themed
from results.tables import format as text

MOST_COLOURED = 9
"""More arms than this cannot be told apart; the fastest and slowest at the largest batch keep a colour."""
_MARKERS = "osD^vPX*h"


@themed
def batch_sweep(table: pd.DataFrame) -> Figure:
    """A panel per sweep and mode, a line per arm over batch sizes on a logarithmic axis.

    The band around the baseline is the noise floor at each batch size.

    Args:
        table: As `Run.speed` gives it, of one environment; what is no part of a sweep is left out.
    """
    shown = table[(table["role"] != "control") & table["images_per_second"].notna() & (table["sweep"] != "")]
    if shown.empty:
        return nothing("No sweep over batch sizes was measured.")
    groups = list(shown.groupby(["sweep", "mode", "device"], sort=False))
    arms = sorted(dict.fromkeys(shown["arm"]), key=lambda arm: arm != "baseline")
    named = _named(shown, arms)
    columns = max(1, min(4, 120 // (8 + max(len(arm) for arm in named))))
    room = (0, 0.3 + 0.2 * -(-(len(named) + 2) // columns))
    figure, axes = panels(len(groups), 2, (4.6, 3.2), room)
    found: dict[str, Any] = {}
    for axis, ((sweep, mode, device), group) in zip(axes, groups, strict=True):
        _panel(axis, group, arms, named)
        axis.set_title(f"{mode} ({device}) [{sweep}]" if mode else f"{device} [{sweep}]")
        handles, labels = axis.get_legend_handles_labels()
        found |= dict(zip(labels, handles, strict=True))
    if shown["noise_floor"].notna().any():
        found["noise floor (A/A)"] = Patch(color=BAND, label="noise floor (A/A)")
    figure.legend(
        found.values(), found.keys(), loc="outside lower center", ncols=side_by_side(columns), frameon=False
    )
    return figure


def _named(shown: pd.DataFrame, arms: list[str]) -> list[str]:
    """Arms with a colour of their own: all, or of many the baseline and those at either end."""
    if len(arms) <= MOST_COLOURED + 1:
        return arms
    largest = shown[shown["batch_size"] == shown["batch_size"].max()]
    ranked = list(dict.fromkeys(largest.sort_values("images_per_second")["arm"]))
    ends = [arm for arm in [*ranked[-3:][::-1], *ranked[:3]] if arm != "baseline"]
    return ["baseline", *dict.fromkeys(ends)]


def _panel(axis: Axes, group: pd.DataFrame, arms: list[str], named: list[str]) -> None:
    palette = dict(zip(named, [INK, *sns.color_palette("colorblind", MOST_COLOURED)], strict=False))
    markers = dict(zip(named, _MARKERS + _MARKERS, strict=False))
    for arm in arms:
        line = group[group["arm"] == arm].sort_values("batch_size")
        x, y = line["batch_size"], line["images_per_second"]
        if arm not in palette:
            axis.plot(x, y, color="#c5cad3", lw=0.8, zorder=1, label="other arms")
            continue
        style: dict[str, Any] = {"color": palette[arm], "marker": markers[arm], "ms": 4.5, "label": arm}
        axis.plot(x, y, lw=1.9 if arm == "baseline" else 1.3, zorder=2, **style)
        if arm == "baseline":
            floor = 1 + line["noise_floor"].fillna(0)
            axis.fill_between(x, y / floor, y * floor, color=BAND, lw=0, zorder=0)
    sizes = sorted(group["batch_size"].unique())
    axis.set_xscale("log", base=2)
    axis.xaxis.set_major_locator(FixedLocator(sizes))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: text.value(value, "count")))
    axis.set(xlabel="batch size (images a step, log axis)", ylabel="images per second")
