"""What a run took, by workload and by arm, and which part of it ended well."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from results.plots.theme import COLOURS, FAINT, label_room, nothing, panels, side_by_side, themed
from results.records.resolved_study import CONTROL_FACTOR
from results.tables import format as text
from results.tables.cost import shared
from results.tables.verdict_words import DUPLICATE

_STYLES = {
    "ok": ("#0072b2", ""),
    "diverged": ("#e69f00", "///"),
    "out_of_memory": ("#cc79a7", "..."),
    "not_applicable": (FAINT, ""),
}
_UNITS = ((3600.0, "h"), (60.0, "min"), (1.0, "s"))
_LOST = (COLOURS["worse"], "xxx")


@themed
def cost(trials: pd.DataFrame, arms: Sequence[str] | None = None) -> Figure:
    """Two panels of stacked bars: seconds of processes by workload and by arm, coloured by how they ended.

    Args:
        trials: As `Run.trials` gives them, of one environment; the report has earlier attempts, too. A
            process that held several arms counts for each in equal parts.
        arms: Those that are drawn; None for all.
    """
    if trials.empty:
        return nothing("Nothing was run.")
    frame = shared(trials)
    shown = list(dict.fromkeys(frame["arm"])) if arms is None else list(arms)
    names = [list(dict.fromkeys(frame["workload"])), shown]
    found = set(frame["status"])
    statuses = [*(name for name in _STYLES if name in found), *sorted(found - set(_STYLES))]
    height = 0.9 + 0.24 * max(map(len, names))
    figure, axes = panels(2, 2, (4.4, height), (label_room([*names[0], *names[1]]), 0.3))
    sides = (("workload", "by workload"), ("arm", "by change"))
    for axis, (column, title), rows in zip(axes, sides, names, strict=True):
        _bars(axis, frame.groupby([column, "status"])["seconds"].sum(), rows, statuses)
        axis.set_title(title)
        axis.set_ylim(max(map(len, names)) - 0.5, -0.5)  # bars of one height in both
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=side_by_side(len(labels)), frameon=False)
    return figure


def _bars(axis: Axes, seconds: "pd.Series[float]", names: list[str], statuses: list[str]) -> None:
    left = dict.fromkeys(names, 0.0)
    for status in statuses:
        widths = [float(seconds.get((name, status), 0.0)) for name in names]
        colour, hatch = _STYLES.get(status, _LOST)
        axis.barh(
            *(range(len(names)), widths, 0.74),
            left=list(left.values()),
            color=colour,
            hatch=hatch,
            edgecolor="white",
            lw=0.4,
            label="ended well" if status == "ok" else status.replace("_", " "),
        )
        left = {name: left[name] + width for name, width in zip(names, widths, strict=True)}
    for y, name in enumerate(names):
        said = text.duration(left[name])
        axis.annotate(said, (left[name], y), (4, 0), textcoords="offset points", va="center", fontsize=7.5)
    longest = max(left.values())
    axis.set_xlim(0, 1.3 * max(longest, 1e-9))
    size, unit = next(((size, unit) for size, unit in _UNITS if longest >= 2 * size), _UNITS[-1])
    ticks = MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(0, 1.2 * longest / size)
    axis.set_xticks([size * tick for tick in ticks if 0 <= size * tick <= 1.3 * longest])
    axis.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value / size:g} {unit}" if value else "0")
    )
    axis.set_yticks(range(len(names)), [DUPLICATE if name == CONTROL_FACTOR else name for name in names])
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="y", visible=False)
