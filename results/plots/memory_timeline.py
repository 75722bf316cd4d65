"""Live bytes over the operations of a training step."""

from typing import Any, Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.frames.memory_profiles import most_changed, preferred
from results.plots.theme import BAND, INK, byte_axis, is_narrow, nothing, panels, themed
from results.records.profile_summary import Timeline
from results.tables import format as text

_OTHER = "#d55e00"


@themed
def memory_timeline(profiles: pd.DataFrame) -> Figure:
    """Live bytes of the baseline and of the arm whose peak differs most: one panel per workload.

    The baseline's phases are shaded in turn and named; where a phase of the other arm starts, its line
    carries an upright stroke. A dot marks each peak.

    Args:
        profiles: As `Run.memory_profiles` holds them, of one environment, without what is not to be drawn.
    """
    shown = preferred(profiles[profiles["mode"] == "train"])
    groups = [most_changed(group) for _, group in shown.groupby("workload", sort=False)]
    groups = [group for group in groups if len(group)]
    if not groups:
        return nothing("No training step was followed.")
    figure, axes = panels(len(groups), 1, (8.6, 3.6))
    for axis, group in zip(axes, groups, strict=True):
        largest = max(max(timeline.live_bytes, default=1) for timeline in group["timeline"])
        _phases(axis, group.iloc[0]["timeline"], largest)
        for (_, row), colour, style in zip(group.iterrows(), (INK, _OTHER), ("-", "--"), strict=False):
            _line(axis, row, colour, style)
        byte_axis(axis, "y", largest)
        first = group.iloc[0]
        axis.set_title(f"live bytes, train, {first['source']} ({first['device']}) [{first['workload']}]")
        axis.set(xlabel="operation", ylabel="")
        axis.margins(x=0.01)
        axis.legend(loc="upper left", bbox_to_anchor=(0, -0.16), ncols=1 if is_narrow() else 2, frameon=False)
    return figure


def _phases(axis: Axes, timeline: Timeline, largest: float) -> None:
    """Shade every other phase and write its name above."""
    starts = sorted(timeline.phase_starts.items(), key=lambda item: item[1])
    ends = [*(start for _, start in starts[1:]), max(timeline.operation, default=0)]
    for i, ((phase, start), end) in enumerate(zip(starts, ends, strict=True)):
        if i % 2 == 0:
            axis.axvspan(start, end, color=BAND, alpha=0.55, lw=0, zorder=0)
        # A short last phase has no room to its right.
        side: Literal["left", "right"] = "right" if start > 0.85 * end and end == ends[-1] else "left"
        said = f" {phase.replace('_', ' ')} "
        axis.text(start, 1.19 * largest, said, va="top", ha=side, fontsize=7.5, color=INK)


def _line(axis: Axes, row: "pd.Series[Any]", colour: str, style: str) -> None:
    timeline: Timeline = row["timeline"]
    x, y = timeline.operation, timeline.live_bytes
    label = f"{row['arm']} (peak {text.value(row['peak_bytes'], 'bytes')})"
    axis.plot(x, y, style, color=colour, lw=1.3, drawstyle="steps-post", label=label)
    if not y:
        return
    top = max(range(len(y)), key=y.__getitem__)
    axis.plot(x[top], y[top], "o", color=colour, ms=5)
    if style != "-":
        starts = [start for start in sorted(timeline.phase_starts.values()) if start > x[0]]
        at = [max((j for j, place in enumerate(x) if place <= start), default=0) for start in starts]
        axis.plot(starts, [y[j] for j in at], "|", color=colour, ms=16, mew=1.6, ls="none")
