"""The headline: what each arm costs and buys, context by context."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from results.records.resolved_study import CONTROL_FACTOR, ResolvedStudy
from results.tables import format as text
from results.tables.contexts import described, origin
from results.verdicts.divergence import informative

_QUESTION = ["environment", "workload", "metric", "mode", "split"]
_ANSWER = ["source", "device"]


@dataclass(frozen=True, slots=True)
class HeadlineColumn:
    """A headline metric in one context.

    Attributes:
        title: Label and mode: "peak memory, train".
        context: Where it holds, with precision and origin: "resnet depth 50, 224 px, ..., simulated cuda".
        rows: The effects, one per arm.
    """

    title: str
    context: str
    rows: pd.DataFrame


def headline_rows(effects: pd.DataFrame) -> pd.DataFrame:
    """The effects that stand in headlines, the control left out, and arms of which no seed failed to learn.

    Of one metric, mode and workload that was both simulated and measured the first stands for both, if the
    simulation is of the device that was measured: another device is another context.
    """
    wanted = effects["headline"].astype(bool) & (effects["factor"] != CONTROL_FACTOR)
    shown = effects[wanted & informative(effects)]
    keys = shown[_QUESTION + _ANSWER].fillna("")
    first = keys.groupby(_QUESTION, sort=False)[_ANSWER].transform("first")
    return shown[(keys[_ANSWER] == first).all(axis=1)]


def headline_columns(study: ResolvedStudy, effects: pd.DataFrame) -> Iterator[HeadlineColumn]:
    """Headline metrics by context, in the study's order; of one environment."""
    workloads = {workload.name: workload for workload in study.workloads}
    order = {name: place for place, name in enumerate(workloads)}
    rows = headline_rows(effects).sort_values("workload", key=lambda names: names.map(order), kind="stable")
    keyed = rows.assign(**{name: rows[name].fillna("") for name in ("mode", "split", "source", "device")})
    places = ["workload", "metric", "mode", "split", "source", "device"]
    for (name, *_), group in keyed.groupby(places, sort=False):
        mine = rows.loc[group.index]
        first = mine.iloc[0]
        context = described(study, workloads[str(name)])
        from_where = origin(first.to_dict())
        yield HeadlineColumn(title(first), ", ".join(filter(None, (context, from_where))), mine)


def title(row: "pd.Series[Any]") -> str:
    """Label and mode; a metric of a split (test accuracy) is of training by nature."""
    mode = row["mode"] if text.missing_text(row["split"]) else ""
    return ", ".join(str(part) for part in (row["label"], mode) if isinstance(part, str) and part)


def column_names(effects: pd.DataFrame) -> "pd.Series[str]":
    """For each row the name of its column within a workload: `peak memory, train, simulated cuda`.

    Split, source and device join only where one label and mode occurs with several of them; for what was
    simulated always: nobody should take it for a measurement.
    """
    mode = effects["mode"].where(effects["split"].isna(), None).fillna("")
    parts = pd.DataFrame({"label": effects["label"], "mode": mode})
    from_where = (effects["source"].fillna("") + " " + effects["device"].fillna("").astype(str)).str.strip()
    for name, extra in {"origin": from_where, "split": effects["split"].fillna("")}.items():
        varies = extra.groupby([effects["workload"], effects["label"], mode]).transform("nunique") > 1
        told = varies | (effects["source"] == "simulated") if name == "origin" else varies
        parts[name] = extra.where(told, "")
    lines = parts.itertuples(index=False, name=None)
    names = [", ".join(part for part in line if part) for line in lines]
    return pd.Series(names, index=effects.index, dtype=str)
