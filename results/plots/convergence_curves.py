"""Convergence curves: the mean over seeds with its 95 % t interval."""

import textwrap
from collections.abc import Mapping
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from scipy import stats

from results.plots.theme import INK, begins_row, nothing, panels, side_by_side, themed

MOST_TOGETHER = 9
"""More arms than this cannot be told apart in one panel; each then has its own, beside the baseline."""

FEWEST_FOR_A_BAND = 3
"""A t interval from two values is 13 times their distance from the mean."""


@themed
def convergence_curves(
    curves: pd.DataFrame, better: Mapping[str, str] | None = None, noise: pd.DataFrame | None = None
) -> Figure:
    """One panel per workload and curve, one line per arm; the band is the 95 % t interval over seeds.

    Two seeds (of a placebo, to show that it changes no bit) have no band: it would fill the panel.

    Beside the baseline's last value stands a bar of the noise floor's height.

    With many arms, one panel per workload and arm instead, showing the first curve of the workload.

    Args:
        curves: As `Run.curves` holds them. Runs that diverged have none.
        better: For each metric `lower` or `higher`, shown on the axis.
        noise: As `Run.noise_floor` gives it, of one environment.
    """
    shown = curves[curves["role"] != "control"]
    if shown.empty:
        return nothing("No convergence curve was recorded.")
    arms = sorted(shown["arm"].unique(), key=lambda arm: arm != "baseline")
    if len(arms) > MOST_TOGETHER:
        return _one_by_one(shown, arms, noise)
    groups = list(shown.groupby(["workload", "metric"], sort=False))
    palette = dict(zip(arms, [INK, *sns.color_palette("colorblind", MOST_TOGETHER)], strict=False))
    columns = max(1, min(4, 120 // (8 + max(len(arm) for arm in arms))))
    figure, axes = panels(len(groups), 3, (3.9, 2.8), (0, 0.25 + 0.2 * -(-len(arms) // columns)))
    floors: list[ErrorbarContainer | None] = []
    for axis, ((workload, metric), group) in zip(axes, groups, strict=True):
        name = str(metric)
        handles, labels = _draw(axis, group, arms, palette)
        floors.append(_noise(axis, group, noise))
        direction = f" ({better[name]} is better)" if better and name in better else ""
        axis.set_title(f"{name.replace('_', ' ')} [{workload}]")
        axis.set(xlabel="optimizer steps", ylabel=f"{name.replace('_', ' ')}{direction}")
    if known := [floor for floor in floors if floor]:
        handles, labels = [*handles, known[0]], [*labels, "noise floor (A/A) of the last value"]
    figure.legend(handles, labels, loc="outside lower center", ncols=side_by_side(columns), frameon=False)
    return figure


def _noise(axis: Axes, group: pd.DataFrame, noise: pd.DataFrame | None) -> ErrorbarContainer | None:
    """A bar beside the baseline's last value, as high as the baseline differs from its duplicate."""
    if noise is None:
        return None
    first = group.iloc[0]
    rows = noise[(noise["workload"] == first["workload"]) & (noise["metric"] == first["metric"])]
    baseline = group[(group["arm"] == "baseline") & (group["step"] == group["step"].max())]["value"].mean()
    if rows.empty or pd.isna(baseline):
        return None
    floor = float(rows["noise_floor"].iloc[0])
    ratio = rows["effect_kind"].iloc[0] == "ratio"
    down, up = (baseline - baseline / (1 + floor), baseline * floor) if ratio else (floor, floor)
    x = group["step"].max() + 0.04 * (group["step"].max() - group["step"].min())
    return axis.errorbar([x], [baseline], [[down], [up]], color=INK, capsize=2.5, lw=1.2, ls="none")


def _one_by_one(shown: pd.DataFrame, arms: list[str], noise: pd.DataFrame | None) -> Figure:
    first = shown.groupby("workload")["metric"].transform("first")
    shown = shown.loc[shown["metric"] == first, ["workload", "metric", "arm", "step", "value"]]
    several = shown["workload"].nunique() > 1
    pairs = [(group, arm) for _, group in shown.groupby("workload", sort=False) for arm in arms[1:]]
    figure, axes = panels(len(pairs), 4, (2.9, 1.9))
    drawn: Any = None
    for i, (axis, (group, arm)) in enumerate(zip(axes, pairs, strict=True)):
        both = group[group["arm"].isin([arms[0], arm])]
        _draw(axis, both, [arms[0], arm], {arms[0]: INK, arm: "#d55e00"})
        where = f" [{group['workload'].iloc[0]}]" if several else ""
        axis.set_title(textwrap.fill(arm.replace(",", ", ") + where, 36), fontsize=8)
        drawn = _noise(axis, group, noise) or drawn
        axis.set_ylim(group["value"].min(), group["value"].max())
        name = str(group["metric"].iloc[0]).replace("_", " ")
        axis.set(xlabel="", ylabel=name if i % 4 == 0 else "")
        axis.tick_params(labelsize=7, labelleft=begins_row(i, 4))
    floor = "; the bar at the end is the noise floor (A/A)" if drawn else ""
    figure.suptitle(
        f"Each change (dashed) beside the baseline (solid), over optimizer steps{floor}", fontsize=10
    )
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
    """95 % t interval of the mean; the value itself from fewer seeds than have one worth drawing."""
    mean, n = float(values.mean()), len(values)
    if n < FEWEST_FOR_A_BAND:
        return mean, mean
    half = float(stats.t.ppf(0.975, n - 1)) * float(values.std(ddof=1)) / n**0.5
    return mean - half, mean + half
