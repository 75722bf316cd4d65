"""Cost against accuracy: what each arm pays in time for what it gains."""

import textwrap
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import Bbox

from results.plots.theme import BAND, FAINT, INK, nothing, ratio_axis, themed
from results.records.resolved_study import CONTROL_FACTOR, ResolvedStudy
from results.tables import format as text
from results.tables.contexts import described

MOST_NAMED = 8


@themed
def tradeoff(study: ResolvedStudy, effects: pd.DataFrame) -> Figure:
    """Relative step time (training where it was timed) against the difference in accuracy.

    Args:
        study: The study.
        effects: As `Run.effects` gives them, of one environment. Bars are simultaneous 95 % intervals.
    """
    shown = effects[effects["headline"].astype(bool) & ~effects["inert"].astype(bool)]
    shown = shown[(shown["factor"] != CONTROL_FACTOR) & shown["effect"].notna()]
    cost, gain = _first(shown[shown["kind"] == "throughput"]), _first(shown[shown["kind"] == "convergence"])
    points = cost.merge(gain, on="arm", suffixes=("_x", "_y"))
    if points.empty:
        return nothing("No arm has both a step time and an accuracy.")
    figure = Figure(figsize=(8.4, 5.2), layout="constrained")
    axis = figure.subplots()
    sns.despine(fig=figure)
    x, y = points["effect_x"], points["effect_y"]
    spread = [
        [points[f"effect_{a}"] - points[f"ci_low_{a}"], points[f"ci_high_{a}"] - points[f"effect_{a}"]]
        for a in ("x", "y")
    ]
    axis.errorbar(x, y, xerr=spread[0], yerr=spread[1], fmt="none", ecolor=FAINT, elinewidth=1.1)
    axis.plot(x, y, "o", color="#0072b2", ms=7, zorder=3)
    axis.plot([1], [0], "D", color=INK, ms=7, zorder=3)
    axis.axvline(1, color=INK, lw=0.7, zorder=1)
    axis.axhline(0, color=INK, lw=0.7, zorder=1)
    cost_floor, gain_floor = (float(points[f"noise_floor_{a}"].iloc[0]) for a in ("x", "y"))
    _noise(axis, cost_floor, gain_floor)
    ends = [*points["ci_low_x"].fillna(x), *points["ci_high_x"].fillna(x), 1.0]
    ends += [] if text.missing(cost_floor) else [1 + cost_floor, 1 / (1 + cost_floor)]
    ratio_axis(axis, min(ends) / 1.03, max(ends) * 1.03)
    axis.set_ylim(*_reach(points))
    first = points.iloc[0]
    axis.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axis.yaxis.set_major_formatter(
        FuncFormatter(lambda v, _: text.effect(v, "difference", str(first["unit_y"])) if v else "0")
    )
    mode = f", {first['mode_x']}" if isinstance(first["mode_x"], str) else ""
    cost_context, gain_context = (_context(study, str(first[f"workload_{a}"])) for a in ("x", "y"))
    axis.set_xlabel(f"{first['label_x']}{mode} against the baseline (left is faster)\n{cost_context}")
    axis.set_ylabel(f"{first['label_y']} against the baseline\n{textwrap.fill(gain_context, 60)}")
    places = list(zip(x, y, points["arm"], strict=True))
    if len(places) > MOST_NAMED:
        _number(figure, axis, places)
    else:
        _label(axis, [(1.0, 0.0, "baseline"), *places])
    return figure


def _context(study: ResolvedStudy, name: str) -> str:
    return described(study, next(workload for workload in study.workloads if workload.name == name))


def _noise(axis: Axes, cost: float, gain: float) -> None:
    """Bands within which the baseline differs from its duplicate too; none where nothing varies."""
    style: dict[str, Any] = {"color": BAND, "alpha": 0.7, "lw": 0, "zorder": 0}
    if not text.missing(cost):
        axis.axvspan(1 / (1 + cost), 1 + cost, **style)
    if not text.missing(gain):
        axis.axhspan(-gain, gain, **style)
    if not (text.missing(cost) and text.missing(gain)):
        axis.set_title("shaded: noise floor (A/A)", fontsize=8, fontweight="normal", color=INK, loc="right")


def _reach(points: pd.DataFrame) -> tuple[float, float]:
    """Limits that hold every point and most bars; a bar that says next to nothing may leave the figure."""
    bottom, top = min(points["effect_y"].min(), 0.0), max(points["effect_y"].max(), 0.0)
    room = 0.6 * (top - bottom) or 0.01
    floor = points["noise_floor_y"].fillna(0.0).iloc[0]
    bottom, top = min(bottom, -floor), max(top, floor)
    low = max(points["ci_low_y"].fillna(bottom).min(), bottom - room)
    high = min(points["ci_high_y"].fillna(top).max(), top + room)
    return min(low, bottom) - 0.1 * room, max(high, top) + 0.1 * room


def _number(figure: Figure, axis: Axes, points: list[tuple[float, float, str]]) -> None:
    """Numbers in the points and a key beside the axes: more names than this would cover each other."""
    for i, (x, y, _) in enumerate(points, start=1):
        axis.plot([x], [y], "o", color="#0072b2", mec="white", ms=13, zorder=4)
        axis.annotate(str(i), (x, y), ha="center", va="center", fontsize=7, color="white", zorder=5)
    key = "\n".join(f"{i:>2}  {textwrap.shorten(name, 48)}" for i, (_, _, name) in enumerate(points, start=1))
    axis.text(
        1.02, 1, f"◆  baseline\n{key}", transform=axis.transAxes, va="top", fontsize=8, linespacing=1.35
    )
    figure.set_size_inches(11.5, max(5.2, 0.9 + 0.172 * len(points)))


def _first(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of one cell: training before inference, the study's order else."""
    if rows.empty:
        return rows
    keys = ["workload", "metric", "mode", "split", "source", "device"]
    ordered = rows.assign(late=rows["mode"] == "inference").sort_values("late", kind="stable")
    cell = ordered[keys].fillna("").iloc[0]
    return rows[(rows[keys].fillna("") == cell).all(axis=1)]


def _label(axis: Axes, points: list[tuple[float, float, str]]) -> None:
    """Write each name beside its point, at the first of some places where it covers nothing."""
    canvas: Any = FigureCanvasAgg(axis.get_figure(root=True))
    canvas.draw()
    renderer = canvas.get_renderer()
    taken = [
        Bbox.from_bounds(px - 5, py - 5, 10, 10)
        for px, py in axis.transData.transform([(x, y) for x, y, _ in points])
    ]
    frame = axis.get_window_extent(renderer)
    for x, y, name in points:
        for dx, dy in _PLACES:
            label = axis.annotate(
                name,
                (x, y),
                (dx, dy),
                textcoords="offset points",
                ha="left" if dx > 0 else "right",
                va="center",
                fontsize=8,
                bbox={"facecolor": "white", "alpha": 0.85, "lw": 0, "pad": 0.6},
                zorder=4,
                arrowprops={"arrowstyle": "-", "color": FAINT, "lw": 0.6} if abs(dy) > 12 else None,
            )
            box = label.get_window_extent(renderer)
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
            if inside and not any(box.overlaps(other) for other in taken):
                break
            if (dx, dy) != _PLACES[-1]:
                label.remove()
        taken.append(box)


_PLACES = [(side * 8, dy) for dy in (8, -8, 20, -20, 34, -34, 50, -50, 70, -70, 95, -95) for side in (1, -1)]
