"""Memory by arm: what was simulated beside what was measured."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.plots.theme import begins_row, byte_axis, label_room, nothing, panels, side_by_side, themed
from results.records.resolved_study import CONTROL_FACTOR
from results.tables import format as text

_COLOURS, _HATCHES = ("#0072b2", "#e69f00", "#56b4e9", "#cc79a7"), ("", "///", "...", "xxx")


@themed
def memory_bars(effects: pd.DataFrame) -> Figure:
    """Headline memory of every arm as bars: one panel per workload, metric and mode, one colour per source.

    Args:
        effects: As `Run.effects` gives them, of one environment. An arm without a value says so.
    """
    rows = effects[(effects["metric"] == "peak_bytes") & effects["headline"].astype(bool)]
    rows = rows[(rows["factor"] != CONTROL_FACTOR) & ~rows["inert"].astype(bool)]
    if rows.empty:
        return nothing("No memory was measured.")
    rows = rows.assign(source=rows["source"] + " (" + rows["device"] + ")", mode=rows["mode"].fillna(""))
    groups = list(rows.groupby(["workload", "label", "mode"], sort=False))
    sources = sorted(rows["source"].unique(), key=lambda source: (not source.startswith("simulated"), source))
    most = max(group["source"].nunique() for _, group in groups)
    arms = ["baseline", *dict.fromkeys(rows["arm"])]
    height = 0.7 + (0.12 + 0.17 * most) * len(arms)
    figure, axes = panels(len(groups), 2, (4.6, height), (label_room(arms), 0.3))
    for i, (axis, ((workload, label, mode), group)) in enumerate(zip(axes, groups, strict=True)):
        _bars(axis, group, arms, sources)
        axis.set_title(f"{label}{mode and f', {mode}'} [{workload}]")
        axis.tick_params(labelleft=begins_row(i, 2))
    known = {
        label: handle
        for axis in axes
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        known.values(),
        known.keys(),
        loc="outside lower center",
        ncols=side_by_side(len(sources)),
        frameon=False,
    )
    return figure


def _bars(axis: Axes, group: pd.DataFrame, arms: list[str], sources: list[str]) -> None:
    styles = {source: (_COLOURS[i % 4], _HATCHES[i % 4]) for i, source in enumerate(sources)}
    sources = [source for source in sources if source in set(group["source"])]
    thickness = 0.8 / len(sources)
    known = pd.concat([group["value"], group["baseline_value"]]).dropna()
    largest = float(known.max()) if len(known) else 1.0  # a run that was interrupted early
    for i, source in enumerate(sources):
        mine = group[group["source"] == source]
        values = dict(zip(mine["arm"], mine["value"], strict=True))
        if mine["baseline_value"].notna().any():
            values["baseline"] = mine["baseline_value"].dropna().iloc[0]
        offset = (i - (len(sources) - 1) / 2) * thickness
        bars = {y + offset: values[arm] for y, arm in enumerate(arms) if not text.missing(values.get(arm))}
        for y, arm in enumerate(arms):
            if y + offset in bars:
                said = text.value(bars[y + offset], "bytes")
                axis.text(bars[y + offset], y + offset, f" {said}", va="center", fontsize=7.5)
            elif arm in set(group["arm"]):
                axis.text(0, y + offset, " no value", va="center", fontsize=7.5, color="#6b7280")
        axis.barh(
            list(bars),
            list(bars.values()),
            thickness * 0.9,
            color=styles[source][0],
            hatch=styles[source][1],
            edgecolor="white",
            lw=0,
            label=source,
        )
    axis.set_yticks(range(len(arms)), arms)
    axis.set_ylim(len(arms) - 0.5, -0.5)
    byte_axis(axis, "x", largest)
    axis.grid(axis="y", visible=False)
    axis.tick_params(axis="y", length=0)
