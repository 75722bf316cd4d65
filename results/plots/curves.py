"""Convergence curves: the mean over seeds with its 95 % t interval."""

import textwrap
from collections.abc import Mapping
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from results.plots.theme import INK, nothing, panels, themed

MOST_TOGETHER = 9
"""More arms than this cannot be told apart in one panel; each then has its own, beside the baseline."""


@themed
def convergence_curves(curves: pd.DataFrame, better: dict[str, str] | None = None) -> Figure:
    """One panel per workload and curve, one line per arm; the band is the 95 % t interval over seeds.

    With many arms, one panel per workload and arm instead, showing the first curve of the workload.

    Args:
        curves: As `Run.curves` holds it. Runs that diverged have none.
        better: For each metric `lower` or `higher`, shown on the axis.
    """
    shown = curves[curves["role"] != "control"]
    if shown.empty:
        return nothing("No convergence curve was recorded.")
    arms = sorted(shown["arm"].unique(), key=lambda arm: arm != "baseline")
    if len(arms) > MOST_TOGETHER:
        return _one_by_one(shown, arms)
    groups = list(shown.groupby(["workload", "metric"], sort=False))
    palette = dict(zip(arms, [INK, *sns.color_palette("colorblind", MOST_TOGETHER)], strict=False))
    columns = max(1, min(4, 120 // (8 + max(len(arm) for arm in arms))))
    figure, axes = panels(len(groups), 3, (3.9, 2.8), (0, 0.25 + 0.2 * -(-len(arms) // columns)))
    for axis, ((workload, metric), group) in zip(axes, groups, strict=True):
        name = str(metric)
        handles, labels = _draw(axis, group, arms, palette)
        direction = f" ({better[name]} is better)" if better and name in better else ""
        axis.set_title(f"{name.replace('_', ' ')} [{workload}]")
        axis.set(xlabel="optimizer steps", ylabel=f"{name.replace('_', ' ')}{direction}")
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)
    return figure


def _one_by_one(shown: pd.DataFrame, arms: list[str]) -> Figure:
    first = shown.groupby("workload")["metric"].transform("first")
    shown = shown[shown["metric"] == first]
    pairs = [(group, arm) for _, group in shown.groupby("workload", sort=False) for arm in arms[1:]]
    figure, axes = panels(len(pairs), 4, (2.9, 1.9))
    for i, (axis, (group, arm)) in enumerate(zip(axes, pairs, strict=True)):
        both = group[group["arm"].isin([arms[0], arm])]
        _draw(axis, both, [arms[0], arm], {arms[0]: INK, arm: "#d55e00"})
        axis.set_title(textwrap.fill(arm.replace(",", ", "), 32), fontsize=8)
        axis.set_ylim(group["value"].min(), group["value"].max())
        name = str(group["metric"].iloc[0]).replace("_", " ")
        axis.set(xlabel="", ylabel=name if i % 4 == 0 else "")
        axis.tick_params(labelsize=7, labelleft=i % 4 == 0)
    figure.suptitle("Each arm (dashed) beside the baseline (solid), over optimizer steps", fontsize=10)
    return figure


def _draw(
    axis: Axes, group: pd.DataFrame, arms: list[str], palette: Mapping[str, Any]
) -> tuple[list[Any], list[Any]]:
    """Lines with bands; handles and labels for a legend."""
    sns.lineplot(
        group,
        x="step",
        y="value",
        hue="arm",
        style="arm",
        hue_order=arms,
        style_order=arms,
        palette=palette,
        errorbar=_t_interval,
        err_kws={"alpha": 0.12, "lw": 0},
        ax=axis,
    )
    found = axis.get_legend_handles_labels()
    legend = axis.get_legend()
    if legend is not None:
        legend.remove()
    return found


def _t_interval(values: "pd.Series[float]") -> tuple[float, float]:
    """95 % t interval of the mean; the value itself from a single seed."""
    mean, n = float(values.mean()), len(values)
    if n < 2:
        return mean, mean
    half = float(stats.t.ppf(0.975, n - 1)) * float(values.std(ddof=1)) / n**0.5
    return mean - half, mean + half
