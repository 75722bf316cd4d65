"""Looks inside networks in a few figures a training: how far gradients reach, what drifts, what is dead.

Each figure is of one training at one look; over seeds, a median and both ends are told. Three looks are told:
the first, the last, and the one in the middle, since at the end of many a schedule nothing moves any more.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

LOOKS = ("first", "middle", "last")
_TRAINING = ["environment", "workload", "arm", "role", "block"]
_ARM = ["environment", "workload", "arm", "role", "look", "figure"]
SUMMARY_COLUMNS = [*_ARM, "step", "n", "median", "low", "high"]


@dataclass(frozen=True, slots=True)
class InsideFigure:
    """What one training is summed up in.

    Attributes:
        name: Of the figure.
        what: The quantity of layers that it is made of.
        how: `ends` is the first layer's over the last one's, `median` that over layers, `share` the mean
            over layers, weighted by their channels.
        unit: `ratio`, `deviations` or `fraction`.
    """

    name: str
    what: str
    how: Literal["ends", "median", "share"]
    unit: Literal["ratio", "deviations", "fraction"]


FIGURES = (
    InsideFigure("gradient_ends", "gradient_norm", "ends", "ratio"),
    InsideFigure("relative_gradient_ends", "gradient_to_weight", "ends", "ratio"),
    InsideFigure("variance_ends", "input_variance", "ends", "ratio"),
    InsideFigure("drift", "input_drift", "median", "deviations"),
    InsideFigure("chance_drift", "chance_drift", "median", "deviations"),
    InsideFigure("dead", "dead_share", "share", "fraction"),
)


def looks(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of three looks of each workload and quantity, marked in `look`, or of as many as there are.

    A single look is the last, of two none is in the middle. A training that diverged has those before.

    Args:
        frame: As `Analysis.inside` holds it.
    """
    kept = [frame.iloc[:0].assign(look="")]
    for _, mine in frame.groupby(["environment", "workload", "what"], sort=False):
        steps = sorted(mine["step"].unique())
        marked = {steps[0]: "first", steps[len(steps) // 2]: "middle", steps[-1]: "last"}
        # Later marks prevail, so that the middle of two is the last.
        kept.append(mine.assign(look=mine["step"].map(marked)).dropna(subset="look"))
    return pd.concat(kept, ignore_index=True)


def by_training(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per training, look and figure, in `value`; none where a layer has no finite number.

    Args:
        frame: As `looks` gives it.
    """
    found = []
    for figure in FIGURES:
        mine = frame[frame["what"] == figure.what].sort_values("depth", kind="stable")
        mine = mine.assign(
            weighted=mine["value"] * mine["channels"], weight=mine["channels"].where(mine["value"].notna())
        )
        groups = mine.groupby([*_TRAINING, "look", "step"], sort=False)
        match figure.how:
            case "ends":
                # pandas' own first and last skip what is missing.
                values = groups["value"].agg(lambda layers: _ratio(layers.iloc[0], layers.iloc[-1]))
            case "median":
                values = groups["value"].median()
            case "share":
                values = groups["weighted"].sum() / groups["weight"].sum()
        found.append(values.rename("value").reset_index().assign(figure=figure.name))
    rows = pd.concat(found, ignore_index=True)
    return rows[np.isfinite(rows["value"].astype(float))].reset_index(drop=True)


def _ratio(first: float, last: float) -> float:
    return first / last if last else np.nan


def summary(trainings: pd.DataFrame) -> pd.DataFrame:
    """One row per arm, look and figure: `n` trainings, their median, the lowest and the highest.

    Args:
        trainings: As `by_training` gives it.
    """
    values = trainings.groupby([*_ARM, "step"], sort=False)["value"]
    found = values.agg(n="count", median="median", low="min", high="max").reset_index()
    return found[SUMMARY_COLUMNS]


def by_layer(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per arm, look, quantity and layer: the median over trainings, in `value`.

    Args:
        frame: As `looks` gives it.
    """
    keys = ["environment", "workload", "arm", "role", "look", "step", "what", "depth", "layer"]
    return frame.groupby(keys, sort=False)["value"].median().reset_index()


def relative_gradients(frame: pd.DataFrame) -> pd.DataFrame:
    """As `by_layer`, of gradient norms alone, each over that of the last layer in the same training and look.

    A training whose last layer has no finite gradient, or none at all, has no part in the medians.

    Args:
        frame: As `looks` gives it.
    """
    norms = frame[frame["what"] == "gradient_norm"].sort_values("depth", kind="stable")
    last = norms.groupby([*_TRAINING, "look"], sort=False)["value"].transform(lambda layers: layers.iloc[-1])
    relative = norms.assign(value=norms["value"] / last.where(last > 0))
    return by_layer(relative.dropna(subset="value"))


def distances(trainings: pd.DataFrame, baseline: str) -> "pd.Series[float]":
    """By arm how much it differs from the baseline, the most different first.

    It is 0 where nothing differs, and NaN, at the end, where there is nothing to compare.

    An arm is set beside the baseline's trainings in the blocks that it has itself, as far as there are any.
    Figures have scales of their own, so that the places of the arms in each are averaged.

    Args:
        trainings: As `by_training` gives it, of one environment and workload.
        baseline: The baseline's name.
    """
    shown = trainings[(trainings["role"] != "control") & (trainings["figure"] != "chance_drift")]
    base = shown[shown["arm"] == baseline]
    apart = {}
    for arm, rows in shown[shown["arm"] != baseline].groupby("arm", sort=False):
        mine = base[base["block"].isin(rows["block"])]
        one, other = (_medians(found) for found in (rows, mine if len(mine) else base))
        difference = (one - other).abs()
        ratios = (one.where(one > 0) / other.where(other > 0)).map(np.log).abs()
        dead = difference.index.get_level_values("figure") == "dead"
        apart[str(arm)] = difference.where(dead, ratios)
    if not apart:
        return pd.Series(dtype=float)
    # What differs in the last bit alone has no place before another.
    wide = pd.DataFrame(apart).round(9)
    places = wide.rank(axis=1).where(wide != 0, 0.0)
    return places.mean().sort_values(ascending=False, kind="stable")


def _medians(trainings: pd.DataFrame) -> "pd.Series[float]":
    return trainings.groupby(["figure", "look"])["value"].median()
