"""Building blocks: each level against its group's baseline, in every context it was timed in."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from results.frames.benchmarks import contexts
from results.plots.forest import effect_line, verdict_legend
from results.plots.theme import BAND, INK, NARROW_INCHES, is_narrow, nothing, ratio_axis, themed
from results.tables import format as text

ROW, HEAD = 0.2, 0.72
"""Inches: of a line, and of what a panel needs beside its lines."""
MOST_LETTERS = 44


@themed
def building_blocks(levels: pd.DataFrame) -> Figure:
    """One panel per block; in it, by level, one line per context: the ratio to the baseline of the group.

    Args:
        levels: As `Run.building_blocks` gives them, of one environment and one version of the code.
    """
    shown = levels[levels["effect"].notna()]
    if shown.empty:
        return nothing("No level was timed beside a baseline.")
    shown = shown.assign(context=contexts(shown), inert=False)
    blocks = [rows for _, rows in shown.groupby("block", sort=False)]
    columns = _columns(blocks)
    tallest = max(sum(map(_height, column)) for column in columns)
    figure = Figure(
        figsize=(NARROW_INCHES if is_narrow() else 5.2 * len(columns), tallest + 0.6), layout="constrained"
    )
    layout = figure.get_layout_engine()
    assert isinstance(layout, ConstrainedLayoutEngine)
    layout.set(h_pad=0.09)
    parts = figure.subfigures(1, len(columns), squeeze=False)[0]
    for part, column in zip(parts, columns, strict=True):
        _column(part, column, tallest)
    verdict_legend(figure, with_noise=False)
    return figure


def _columns(blocks: list[pd.DataFrame]) -> list[list[pd.DataFrame]]:
    """Panels in two columns of about the same height, in their order; in one where there is one panel."""
    if len(blocks) == 1 or is_narrow():
        return [blocks]
    heights = [_height(block) for block in blocks]
    split = min(range(1, len(blocks)), key=lambda place: max(sum(heights[:place]), sum(heights[place:])))
    return [blocks[:split], blocks[split:]]


def _height(block: pd.DataFrame) -> float:
    return HEAD + (0.5 if is_narrow() else 0) + ROW * _lines(block)  # titles break on a phone


def _lines(block: pd.DataFrame) -> int:
    return len(block) + int(block["level"].nunique())


def _column(part: SubFigure, blocks: list[pd.DataFrame], height: float) -> None:
    # What a column has to spare stays empty, so that lines are as far apart as in the other.
    spare = max((height - sum(map(_height, blocks))) / ROW, 0.1)
    lines = [float(_lines(block)) for block in blocks]
    grid = part.subplots(len(blocks) + 1, 1, squeeze=False, height_ratios=[*lines, spare])
    for axis, block in zip(grid[:, 0], blocks, strict=False):
        _panel(axis, block)
    grid[-1, 0].set_visible(False)


def _panel(axis: Axes, block: pd.DataFrame) -> None:
    first = block.iloc[0]
    margin = float(first["margin"])
    band = (1 / (1 + margin), 1 + margin)
    axis.axvspan(*band, color=BAND, zorder=0, lw=0)
    axis.axvline(1.0, color=INK, lw=0.9, zorder=1)
    labels: list[tuple[str, bool]] = []
    for level, rows in block.groupby("level", sort=False):
        labels.append((str(level), True))
        for row in rows.to_dict("records"):
            effect_line(axis, row, len(labels))
            labels.append((str(row["context"]), False))
    known = block[["ci_low", "ci_high", "effect"]].to_numpy(dtype=float).ravel().tolist()
    ends = [number for number in known if not text.missing(number)] + list(band)
    ratio_axis(axis, min(ends), max(ends))
    axis.set_ylim(len(labels) - 0.4, -0.6)
    axis.set_yticks(range(len(labels)), [_short(label) for label, _ in labels])
    for tick, (_, is_level) in zip(axis.get_yticklabels(), labels, strict=True):
        tick.set(fontweight="bold" if is_level else "normal")
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="y", visible=False)
    for side in ("left", "top", "right"):
        axis.spines[side].set_visible(False)
    axis.set_title(f"{first['block'] or 'others'}: against {_baselines(block)}")
    axis.set_xlabel("change of the time of a call (log axis; lower is better)")


def _baselines(block: pd.DataFrame) -> str:
    return _short(" or ".join(str(level) for level in block["baseline_level"].unique()))


def _short(label: str) -> str:
    return label if len(label) <= MOST_LETTERS else f"{label[: MOST_LETTERS - 1]}…"
