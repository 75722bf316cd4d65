"""What is alive at the peak, by category."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.frames.memory_profiles import preferred
from results.plots.theme import begins_row, byte_axis, label_room, nothing, panels, side_by_side, themed
from results.records.profile_summary import CATEGORIES
from results.tables import format as text
from results.tables.in_place import category_in_words

_COLOURS = ("#0072b2", "#56b4e9", "#009e73", "#6b7280", "#f0e442", "#d55e00", "#cc79a7")
_HATCHES = ("", "///", "...", "xxx", "", "", "\\\\\\")


@themed
def memory_categories(profiles: pd.DataFrame) -> Figure:
    """Bytes at the peak as stacked bars: one panel per workload and mode, one bar per arm.

    Args:
        profiles: As `Run.memory_profiles` holds them, of one environment, without what is not to be drawn.
            Where a workload has several sources, the simulation is shown.
    """
    shown = preferred(profiles[profiles["role"] != "control"])
    if shown.empty:
        return nothing("No memory profile was recorded.")
    arms = list(dict.fromkeys(shown["arm"]))
    found = {name for parts in shown["by_category"] for name, nbytes in parts.items() if nbytes}
    categories = [*(name for name in CATEGORIES if name in found), *sorted(found - set(CATEGORIES))]
    groups = list(shown.groupby(["workload", "mode"], sort=False))
    size = (4.6, 0.7 + 0.29 * max(len(arms), 2))
    figure, axes = panels(len(groups), 2, size, (label_room(arms), 0.6))
    for i, (axis, ((workload, mode), group)) in enumerate(zip(axes, groups, strict=True)):
        _bars(axis, group, arms, categories)
        first = group.iloc[0]
        axis.set_title(f"{mode}, {first['source']} ({first['device']}) [{workload}]")
        axis.tick_params(labelleft=begins_row(i, 2))
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=side_by_side(min(4, len(labels))), frameon=False
    )
    return figure


def _bars(axis: Axes, group: pd.DataFrame, arms: list[str], categories: list[str]) -> None:
    parts = dict(zip(group["arm"], group["by_category"], strict=True))
    left = dict.fromkeys(arms, 0)
    for i, category in enumerate(categories):
        place = CATEGORIES.index(category) if category in CATEGORIES else i
        widths = [parts.get(arm, {}).get(category, 0) for arm in arms]
        axis.barh(
            range(len(arms)),
            widths,
            0.74,
            left=list(left.values()),
            color=_COLOURS[place % len(_COLOURS)],
            hatch=_HATCHES[place % len(_HATCHES)],
            edgecolor="white",
            lw=0.4,
            label=category_in_words(category),
        )
        left = {arm: left[arm] + width for arm, width in zip(arms, widths, strict=True)}
    peaks = dict(zip(group["arm"], group["peak_bytes"], strict=True))
    for y, arm in enumerate(arms):
        said = text.value(peaks.get(arm), "bytes") if arm in peaks else "no value"
        colour = "#1f2937" if arm in peaks else "#6b7280"
        axis.text(left[arm], y, f" {said}", va="center", fontsize=7.5, color=colour)
    axis.set_yticks(range(len(arms)), arms)
    axis.set_ylim(len(arms) - 0.5, -0.5)
    byte_axis(axis, "x", max(left.values()))
    axis.grid(axis="y", visible=False)
    axis.tick_params(axis="y", length=0)
