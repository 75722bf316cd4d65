"""What the forward pass leaves for the backward pass, by module."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.frames.memory_profiles import most_changed, preferred, top_level
from results.plots.theme import INK, byte_axis, is_narrow, label_room, nothing, panels, themed
from results.tables import format as text

MOST_MODULES = 16
"""More top-level modules than this are summed up in one bar."""

_COLOURS, _HATCHES = (INK, "#e69f00"), ("", "///")


@themed
def memory_saved(profiles: pd.DataFrame) -> Figure:
    """Saved activations by top-level module, heaviest first: one panel per workload.

    Paired bars of the baseline and of the arm whose peak of training differs most, the arm that
    `memory_timeline` shows.

    Args:
        profiles: As `Run.memory_profiles` holds them, of one environment, without what is not to be drawn.
    """
    shown = preferred(profiles[profiles["mode"] == "train"])
    groups = [most_changed(group) for _, group in shown.groupby("workload", sort=False)]
    groups = [group for group in groups if any(group["saved_by_module"])]
    if not groups:
        return nothing("Nothing saved for a backward pass was recorded.")
    saved = [_by_module(group) for group in groups]
    names = [name for frame in saved for name in frame.index]
    height = 1.1 + 0.36 * max(len(frame) for frame in saved)
    figure, axes = panels(len(groups), 1, (6.4, height), (label_room(names), 0))
    for axis, group, frame in zip(axes, groups, saved, strict=True):
        _bars(axis, frame)
        first = group.iloc[0]
        axis.set_title(f"saved for backward, {first['source']} ({first['device']}) [{first['workload']}]")
    return figure


def _by_module(group: pd.DataFrame) -> pd.DataFrame:
    """Bytes: a row per module, a column per arm; what is beyond the most bars stands in the last row."""
    columns = {row["arm"]: top_level(row["saved_by_module"]) for _, row in group.iterrows()}
    frame = pd.DataFrame(columns, columns=list(columns)).fillna(0)
    frame = frame.loc[sorted(frame.index, key=lambda name: (-frame.loc[name].max(), name))]
    if len(frame) > MOST_MODULES:
        rest = frame.iloc[MOST_MODULES - 1 :]
        frame = pd.concat([frame.iloc[: MOST_MODULES - 1], rest.sum().to_frame(f"({len(rest)} others)").T])
    return frame


def _bars(axis: Axes, frame: pd.DataFrame) -> None:
    thickness = 0.8 / frame.shape[1]
    for i, arm in enumerate(frame.columns):
        places = [j + (i - (frame.shape[1] - 1) / 2) * thickness for j in range(len(frame))]
        axis.barh(
            places,
            frame[arm].tolist(),
            thickness * 0.9,
            color=_COLOURS[i],
            hatch=_HATCHES[i],
            edgecolor="white",
            lw=0,
            label=str(arm),
        )
        for y, nbytes in zip(places, frame[arm], strict=True):
            axis.text(nbytes, y, f" {text.value(nbytes, 'bytes')}", va="center", fontsize=7.5)
    axis.set_yticks(range(len(frame)), list(frame.index))
    axis.set_ylim(len(frame) - 0.5, -0.5)
    byte_axis(axis, "x", float(frame.to_numpy().max()))
    axis.grid(axis="y", visible=False)
    axis.tick_params(axis="y", length=0)
    axis.legend(
        loc="upper left",
        bbox_to_anchor=(0, -0.32 / (0.36 * len(frame))),
        ncols=1 if is_narrow() else 2,
        frameon=False,
    )
