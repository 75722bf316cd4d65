"""How all figures look, and how they are saved."""

import math
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from io import BytesIO
from typing import Any, Literal, ParamSpec

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from PIL import Image

from results.tables import format as text

P = ParamSpec("P")
_narrow: ContextVar[bool] = ContextVar("narrow", default=False)
NARROW_INCHES = 3.7
"""As wide as a phone, at which type of 7.5 points is readable."""
_MOST = 24
PNG_DPI = 120

COLOURS = {
    "better": "#0072b2",
    "worse": "#d55e00",
    "equivalent": "#00855f",
    "inconclusive": "#6b7280",
    "invalid": "#111827",
}
MARKERS = {"better": "^", "worse": "v", "equivalent": "s", "inconclusive": "o", "invalid": "X"}
INK, FAINT, BAND, FAINT_INK, GRID = "#1f2937", "#9ca3af", "#e5e7eb", "#5b6675", "#eef0f3"

_STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # else each drawing looks for what might stand in the title's way
    "axes.labelsize": 9,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GRID,
    "figure.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "results",
    "text.parse_math": False,
    "text.hinting": "none",  # fitting each glyph to the pixels takes a tenth of all drawing
}


@contextmanager
def theme() -> Iterator[None]:
    """The style, for as long as a figure is drawn or saved."""
    style: Any = {**sns.axes_style("whitegrid"), **_STYLE}
    with mpl.rc_context(style):
        yield


def themed(function: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw in the style."""

    @wraps(function)
    def draw(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with theme():
            return function(*args, **kwargs)

    return draw


@contextmanager
def narrow() -> Iterator[None]:
    """Figures are drawn for a phone: panels below each other, as wide as it is."""
    before = _narrow.set(True)
    try:
        yield
    finally:
        _narrow.reset(before)


def is_narrow() -> bool:
    """Whether figures are drawn for a phone."""
    return _narrow.get()


def side_by_side(most: int) -> int:
    """So many columns of a legend stand beside each other; fewer on a phone.

    Args:
        most: Elsewhere.
    """
    return min(most, 2) if _narrow.get() else most


def begins_row(panel: int, columns: int) -> bool:
    """Whether a panel is the first of its row, and has the labels that all share; on a phone each is."""
    return _narrow.get() or panel % columns == 0


def drawn(figure: Figure) -> tuple[bytes, bytes]:
    """A figure as SVG and as PNG, without dates or random ids."""
    svg, png = BytesIO(), BytesIO()
    with theme():
        figure.set_dpi(PNG_DPI)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        # Line art compresses well at any level; the highest one takes as long as drawing it.
        pixels = Image.fromarray(np.asarray(canvas.buffer_rgba()))  # type: ignore[no-untyped-call]
        pixels.save(png, format="png", compress_level=1, dpi=(PNG_DPI, PNG_DPI))
        figure.set_layout_engine(None)  # laid out once; drawing again need not do it again
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    return svg.getvalue(), png.getvalue()


def drawn_on_phones(figure: Figure) -> bytes:
    """A figure that was drawn in `narrow`, as SVG: titles break, and labels of ticks that would touch go."""
    svg = BytesIO()
    with theme():
        for axis in figure.axes:
            _shorten(axis)
        for legend in figure.legends:
            _shorten_legend(legend)
        if figure._suptitle is not None:  # type: ignore[attr-defined]
            figure._suptitle.set_wrap(True)  # type: ignore[attr-defined]
        figure.draw_without_rendering()
        for axis in figure.axes:
            _thin_out(axis)
        figure.set_layout_engine(None)
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    return svg.getvalue()


def _shorten(axis: Axes) -> None:
    """Names beside a panel leave it half of the width; its title breaks after a comma."""
    for names in (axis.xaxis, axis.yaxis):
        labels = [label.get_text() for label in names.get_ticklabels()]
        if isinstance(names.get_major_locator(), FixedLocator) and max(map(len, labels), default=0) > _MOST:
            names.set_ticklabels([_short(label) for label in labels])
    title = axis._left_title  # type: ignore[attr-defined]
    title.set_text(textwrap.fill(title.get_text().replace(",", ", ").replace(",  ", ", "), 26))
    legend = axis.get_legend()
    if legend:
        _shorten_legend(legend)


def _shorten_legend(legend: Legend) -> None:
    """Columns that a phone cannot hold are cut."""
    most = 2 * _MOST if legend._ncols == 1 else _MOST  # type: ignore[attr-defined]
    for said in legend.get_texts():
        said.set_text(_short(said.get_text(), most))


def _short(name: str, most: int = _MOST) -> str:
    """Cut in the middle: names of arms often differ at their ends."""
    return name if len(name) <= most else f"{name[: most - 13]}…{name[-12:]}"


def _thin_out(axis: Axes) -> None:
    reached = -math.inf
    for label in axis.get_xticklabels():
        box = label.get_window_extent()
        if not label.get_text() or not axis.bbox.x0 - 1 <= (box.x0 + box.x1) / 2 <= axis.bbox.x1 + 1:
            continue
        if box.x0 < reached + 4:
            label.set_visible(False)
        else:
            reached = box.x1


def nothing(message: str) -> Figure:
    """A figure that says why it is empty."""
    figure = Figure(figsize=(NARROW_INCHES if _narrow.get() else 6, 1), layout="constrained")
    figure.text(0.5, 0.5, textwrap.fill(message, 45), ha="center", va="center", color=INK)
    return figure


def panels(
    count: int, columns: int, size: tuple[float, float], room: tuple[float, float] = (0, 0)
) -> tuple[Figure, list[Axes]]:
    """A grid of panels, row by row; what is left of the grid is hidden.

    Args:
        count: Number of panels.
        columns: Panels in a row, at most.
        size: Width and height of a panel in inches.
        room: Width left for labels at the left, height left for a legend at the bottom.
    """
    columns = 1 if _narrow.get() else min(columns, count)
    rows = -(-count // columns)
    width = NARROW_INCHES if _narrow.get() else size[0] * columns + room[0]
    figure = Figure(figsize=(width, size[1] * rows + room[1]), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    axes = [axis for row in grid for axis in row]
    for axis in axes[count:]:
        axis.set_visible(False)
    sns.despine(fig=figure, left=True)
    return figure, axes[:count]


def label_room(names: Sequence[str]) -> float:
    """Inches that tick labels take."""
    return 0.075 * max(len(name) for name in names)


def ratio_axis(axis: Axes, low: float, high: float) -> None:
    """A logarithmic x axis for ratios, with few round ticks written as changes: -20 %, 0, +25 %."""
    axis.set_xscale("log")
    pad = (high / low) ** 0.08
    axis.set_xlim(low / pad, high * pad)
    ticks: Sequence[float]
    if high / low > 2.2:
        digits = (1, 2, 5) if high / low > 12 else (1, 1.5, 2, 3, 5, 7)
        ticks = [10.0**power * digit for power in range(-3, 6) for digit in digits]
    else:
        ticks = [
            float(tick) for tick in MaxNLocator(_most_ticks(), steps=[1, 2, 5, 10]).tick_values(low, high)
        ]
    inside = [tick for tick in ticks if low / pad <= tick <= high * pad]
    axis.xaxis.set_major_locator(FixedLocator(_spaced(inside, math.log(high * pad * pad / low))))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: text.change(value, "ratio", "")))


def _most_ticks() -> int:
    return 2 if _narrow.get() else 4


def difference_axis(axis: Axes, low: float, high: float, unit: str) -> None:
    """A linear x axis for differences."""
    pad = 0.08 * (high - low)
    axis.set_xlim(low - pad, high + pad)
    axis.xaxis.set_major_locator(MaxNLocator(_most_ticks(), steps=[1, 2, 5, 10]))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _difference(value, unit)))


def byte_axis(axes: Axes, name: Literal["x", "y"], largest: float) -> None:
    """An axis of bytes from 0 to well beyond the largest value, with few round ticks in one unit."""
    top = 1.22 * max(largest, 1.0)
    size, unit = text.byte_unit(largest)
    axes.set(**{f"{name}lim": (0, top)})
    axis = axes.xaxis if name == "x" else axes.yaxis
    ticks = MaxNLocator(_most_ticks(), steps=[1, 2, 5, 10]).tick_values(0, largest * 1.2 / size)
    axis.set_ticks([tick * size for tick in ticks if tick <= top / size])
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / size:g} {unit}" if value else "0"))


def _difference(value: float, unit: str) -> str:
    scaled = round(100 * value, 6) if unit == "fraction" else round(value, 9)
    return (
        "0"
        if scaled == 0
        else f"{'−' if scaled < 0 else '+'}{np.format_float_positional(abs(scaled), trim='-')}"
    )


def _spaced(ticks: Sequence[float], span: float) -> list[float]:
    """Ticks whose labels do not touch on an axis of that logarithmic span; nearest to no change first."""
    kept: list[float] = []
    for tick in sorted(ticks, key=lambda value: abs(math.log(value))):
        if all(abs(math.log(tick / other)) > 0.21 * span for other in kept):
            kept.append(tick)
    return sorted(kept)
