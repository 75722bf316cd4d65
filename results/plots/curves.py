"""Convergence curves: the mean over seeds with its 95 % t interval."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from scipy import stats

from results.plots.theme import INK, nothing, panels, themed


@themed
def convergence_curves(curves: pd.DataFrame, better: dict[str, str] | None = None) -> Figure:
    """One panel per workload and curve, one line per arm; the band is the 95 % t interval over seeds.

    Args:
        curves: As `Run.curves` holds it. Runs that diverged have none.
        better: For each metric `lower` or `higher`, shown on the axis.
    """
    shown = curves[curves["role"] != "control"]
    if shown.empty:
        return nothing("No convergence curve was recorded.")
    groups = list(shown.groupby(["workload", "metric"], sort=False))
    arms = sorted(shown["arm"].unique(), key=lambda arm: (arm != "baseline", arm))
    others = sns.color_palette("colorblind" if len(arms) <= 11 else "husl", max(1, len(arms) - 1))
    palette = dict(zip(arms, [INK, *others], strict=False))
    figure, axes = panels(len(groups), 3, 3.9, 3.1)
    for axis, ((workload, metric), group) in zip(axes, groups, strict=True):
        name = str(metric)
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
        handles, labels = axis.get_legend_handles_labels()
        legend = axis.get_legend()
        if legend is not None:
            legend.remove()
        direction = f" ({better[name]} is better)" if better and name in better else ""
        axis.set_title(f"{name.replace('_', ' ')} [{workload}]")
        axis.set(xlabel="optimizer steps", ylabel=f"{name.replace('_', ' ')}{direction}")
    columns = max(1, min(4, 110 // (8 + max(len(arm) for arm in arms))))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)
    return figure


def _t_interval(values: "pd.Series[float]") -> tuple[float, float]:
    """95 % t interval of the mean; the value itself from a single seed."""
    mean, n = float(values.mean()), len(values)
    if n < 2:
        return mean, mean
    half = float(stats.t.ppf(0.975, n - 1)) * float(values.std(ddof=1)) / n**0.5
    return mean - half, mean + half
