"""Inside networks while they train: gradients, activations and dead ReLUs over depth."""

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from results.plots.theme import INK, nothing, panels, side_by_side, themed
from results.tables import format as text
from results.tables.inside import by_layer
from results.tables.inside import looks as marked

MOST_COLOURED = 6
"""Arms, the baseline among them; more cannot be told apart where each has two lines."""
_PANELS = {
    "gradient_norm": "gradient of the weight (norm)",
    "gradient_to_weight": "gradient over weight (norms)",
    "input_mean": "mean before the activation",
    "input_variance": "variance before the activation",
    "input_drift": "drift, batch to batch (sd)",
    "dead_share": "dead ReLUs, of all channels",
}
_LINEAR = {"dead_share", "input_mean"}


@themed
def inside(looks: pd.DataFrame) -> Figure:
    """One panel per quantity over depth; an arm's last look is solid, its first one dashed.

    Of the drift the look in the middle is drawn for the last: at the end of a schedule little moves.

    Args:
        looks: As `Run.inside` holds them, of one environment, one workload, and at most `MOST_COLOURED` arms;
            the baseline comes first, the others as they are.
    """
    layers = by_layer(marked(looks))
    shown = layers[layers["what"].isin(_PANELS) & layers["value"].notna()]
    if shown.empty:
        return nothing("No look inside a network was recorded.")
    arms = sorted(dict.fromkeys(layers["arm"]), key=lambda arm: arm != "baseline")
    palette = dict(zip(arms, [INK, *sns.color_palette("colorblind", len(arms))], strict=False))
    found = [what for what in _PANELS if what in set(shown["what"])]
    columns = max(1, min(4, 120 // (8 + max(len(arm) for arm in arms))))
    figure, axes = panels(len(found), 2, (5.0, 2.5), (0, 0.45 + 0.2 * -(-len(arms) // columns)))
    for axis, what in zip(axes, found, strict=True):
        mine = shown[shown["what"] == what]
        mine = mine[mine["look"].isin(_drawn(mine))]
        for (arm, look), line in mine.groupby(["arm", "look"], sort=False):
            style, width = ("--", 0.9) if look == "first" else ("-", 1.6)
            ordered = line.sort_values("depth", kind="stable")
            above = 3 if arm == arms[0] else 2
            axis.plot(
                ordered["depth"], ordered["value"], style, color=palette[str(arm)], lw=width, zorder=above
            )
        _scale(axis, what, mine["value"])
        axis.set_title(f"{_PANELS[what]}{_steps(mine)}")
        axis.set(xlabel="depth (layers with weights)")
        axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    handles = [Line2D([], [], color=colour, lw=1.6, label=arm) for arm, colour in palette.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=side_by_side(columns), frameon=False)
    figure.suptitle(f"The first look dashed, a later one solid [{shown['workload'].iloc[0]}]", fontsize=10)
    return figure


def _drawn(rows: pd.DataFrame) -> list[str]:
    """The looks that are drawn of a quantity."""
    later = "middle" if rows["what"].iloc[0] == "input_drift" and "middle" in set(rows["look"]) else "last"
    return ["first", later]


def _steps(rows: pd.DataFrame) -> str:
    """`, steps 1 and 102`."""
    found = [f"{step:,}" for step in sorted(rows["step"].unique())]
    return f", step{'s' if len(found) > 1 else ''} {' and '.join(found)}"


def _scale(axis: Axes, what: str, values: "pd.Series[float]") -> None:
    if what == "dead_share":
        axis.set_ylim(-0.02, max(0.1, 1.05 * float(values.max())))
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: text.value(value, "fraction")))
    elif what not in _LINEAR and (values > 0).any():
        axis.set_yscale("log", nonpositive="mask")
        axis.yaxis.set_major_locator(LogLocator(numticks=6))
        axis.yaxis.set_minor_locator(NullLocator())
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
