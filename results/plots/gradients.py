"""Whether the first layers still learn: gradient norms over depth, beside that of the last layer."""

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from results.plots.theme import FAINT, INK, nothing, panels, themed
from results.tables.inside import looks as marked
from results.tables.inside import relative_gradients

_LOOKS = ("first", "last")


@themed
def gradients(looks: pd.DataFrame) -> Figure:
    """A panel for the first look and one for the last, a line an arm: how far the gradient reaches back.

    At the right end each line is 1, the last layer's own norm; where it falls to the left, less of the
    gradient reaches the first layers, where it rises, more.

    Args:
        looks: As `Run.inside` holds them, of one environment, one workload and few arms; the baseline comes
            first, the others as they are.
    """
    arms = sorted(dict.fromkeys(looks["arm"]), key=lambda arm: arm != "baseline")
    places = {arm: place for place, arm in enumerate(arms)}
    layers = relative_gradients(marked(looks))
    layers = layers.sort_values("arm", key=lambda column: column.map(places), kind="stable")
    shown = layers[layers["look"].isin(_LOOKS) & (layers["value"] > 0)]
    if shown.empty:
        return nothing("No gradient was recorded.")
    palette = dict(zip(arms, [INK, *sns.color_palette("colorblind", len(arms))], strict=False))
    told = [look for look in _LOOKS if look in set(shown["look"])]
    columns = max(1, min(4, 100 // (8 + max(len(arm) for arm in arms))))
    figure, axes = panels(len(told), 2, (4.9, 3.0), (0, 0.2 + 0.2 * -(-len(arms) // columns)))
    for axis, look in zip(axes, told, strict=True):
        mine = shown[shown["look"] == look]
        for arm, line in mine.groupby("arm", sort=False):
            ordered = line.sort_values("depth", kind="stable")
            style, above = ("-", 3) if arm == arms[0] else ("--", 2)
            axis.plot(
                *(ordered["depth"], ordered["value"], style),
                color=palette[str(arm)],
                lw=1.6,
                marker=".",
                ms=4,
                zorder=above,
                label=str(arm),
            )
        axis.axhline(1, color=FAINT, lw=0.8, zorder=1)
        axis.set_title(f"at step {int(mine['step'].min()):,}")
        _scales(axis)
        axis.set_ylim(0.7 * min(1, shown["value"].min()), 1.4 * max(1, shown["value"].max()))
    axes[0].set_ylabel("gradient norm over the last layer's")
    handles = {h.get_label(): h for axis in axes for h in axis.get_legend_handles_labels()[0]}
    figure.legend(
        handles=[handles[arm] for arm in arms if arm in handles],
        loc="outside lower center",
        ncols=columns,
        frameon=False,
    )
    return figure


def _scales(axis: Axes) -> None:
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(numticks=6))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axis.set_xlim(left=0.5)
    axis.set_xlabel("layer with weights, the first at the left")
