"""What an image costs in time, arm by arm, and which part of the step takes it."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from results.plots.theme import INK, begins_row, label_room, nothing, panels, side_by_side, themed
from results.tables import format as text

PHASES = {"forward_seconds": "#0072b2", "backward_seconds": "#e69f00", "optimizer_seconds": "#cc79a7"}
_HATCHES = {"forward_seconds": "", "backward_seconds": "///", "optimizer_seconds": "..."}
_WHOLE = "#6b7280"


@themed
def image_seconds(table: pd.DataFrame) -> Figure:
    """Time per image as bars, images per second written at their ends: a panel per workload and mode.

    Bars of training are split into the phases of the step where these were timed, scaled to add up to the
    time of the whole step. Dotted lines stand at the baseline's time divided and multiplied by the noise
    floor: what a second baseline may look like.

    Args:
        table: As `Run.speed` gives it, of one environment, without what is not to be drawn.
    """
    shown = table[table["role"] != "control"]
    if shown["images_per_second"].isna().all():
        return nothing("No throughput was measured.")
    arms = list(dict.fromkeys(shown["arm"]))
    groups = list(shown.groupby(["workload", "mode", "device"], sort=False))
    size = (4.6, 0.85 + 0.29 * max(len(arms), 2))
    figure, axes = panels(len(groups), 2, size, (label_room(arms), 0.4))
    for i, (axis, ((workload, mode, device), group)) in enumerate(zip(axes, groups, strict=True)):
        _panel(axis, group.set_index("arm").reindex(arms))
        axis.set_title(f"{mode} ({device}) [{workload}]" if mode else f"{device} [{workload}]")
        axis.tick_params(labelleft=begins_row(i, 2))
    _legend(figure, shown)
    return figure


def _panel(axis: Axes, rows: pd.DataFrame) -> None:
    per_image = 1 / rows["images_per_second"]
    floor = rows["noise_floor"].max()
    own_batches = rows["batch_size"].nunique() > 1
    for y, (seconds, (_, row)) in enumerate(zip(per_image, rows.iterrows(), strict=True)):
        if text.missing(seconds):
            axis.text(0, y, " no value", va="center", fontsize=7.5, color=_WHOLE)
            continue
        left = 0.0
        for colour, hatch, share in _parts(row):
            style: dict[str, Any] = {"color": colour, "hatch": hatch, "edgecolor": "white", "lw": 0.4}
            axis.barh(y, share * seconds, 0.74, left=left, **style)
            left += share * seconds
        said = text.value(row["images_per_second"], "images/s")
        said += f", batch {row['batch_size']:.0f}" if own_batches else ""
        # White under the letters: a dotted line may pass here.
        box: dict[str, Any] = {"facecolor": "white", "lw": 0, "pad": 0.4}
        place: dict[str, Any] = {"textcoords": "offset points", "va": "center", "zorder": 3}
        axis.annotate(said, (left, y), (4, 0), fontsize=7.5, bbox=box, **place)
    for baseline in per_image[rows["role"] == "baseline"]:
        for edge in (baseline / (1 + floor), baseline * (1 + floor)):
            axis.axvline(edge, color=INK, lw=1, ls=(0, (1, 2)), zorder=2)
    _time_axis(axis, float(per_image.max()), 1.5 if own_batches else 1.35)
    axis.set_yticks(range(len(rows)), list(rows.index))
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="y", visible=False)


def _parts(row: "pd.Series[Any]") -> list[tuple[str, str, float]]:
    """Colour, hatch and share of the step of each phase; the whole step where phases were not timed."""
    phases = {name: float(row[name]) for name in PHASES if not text.missing(row[name])}
    total = sum(phases.values())
    if not total:
        return [(_WHOLE, "", 1.0)]
    return [(PHASES[name], _HATCHES[name], seconds / total) for name, seconds in phases.items()]


def _time_axis(axis: Axes, longest: float, room: float) -> None:
    axis.set_xlim(0, room * longest)
    ticks = MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(0, room * longest)
    # A label at the very end would touch the next panel's first.
    axis.set_xticks([float(tick) for tick in ticks if 0 <= tick <= 0.93 * room * longest])
    axis.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: text.value(value, "seconds") if value else "0")
    )
    axis.set_xlabel("time per image (shorter is faster)")


def _legend(figure: Figure, shown: pd.DataFrame) -> None:
    handles: list[Any] = [
        Patch(facecolor=colour, hatch=_HATCHES[name], edgecolor="white", label=name.removesuffix("_seconds"))
        for name, colour in PHASES.items()
        if shown[name].notna().any()
    ]
    if shown[list(PHASES)].isna().all(axis=1).any():
        handles.append(Patch(facecolor=_WHOLE, label="whole step"))
    if shown["noise_floor"].notna().any():
        handles.append(Line2D([], [], color=INK, lw=1, ls=(0, (1, 2)), label="noise floor (A/A)"))
    figure.legend(
        handles=handles, loc="outside lower center", ncols=side_by_side(len(handles)), frameon=False
    )
