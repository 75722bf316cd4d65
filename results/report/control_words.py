"""What the baseline's duplicate shows where it should show nothing, in words."""

from collections.abc import Hashable, Iterator
from typing import Any

import pandas as pd

from results.records.resolved_study import CONTROL_FACTOR
from results.report.section import Sentence
from results.tables import format as text
from results.tables.headline import title

Row = dict[Hashable, Any]


def noise_floor(row: Row) -> str:
    """The noise floor of a metric, workload and mode: `±1.2 %`.

    Args:
        row: As `Analysis.noise_floor` holds it.
    """
    bounded = not text.missing(row["noise_floor"])
    return (
        text.either_way(row["noise_floor"], row["effect_kind"], row["unit"]) if bounded else "without bound"
    )


def duplicates_that_differ(effects: pd.DataFrame) -> Iterator[Sentence]:
    """A sentence for each cell whose duplicate's own interval leaves out "no effect" and is believed.

    Args:
        effects: With the A/A rows; those of the cells that are to be told of.
    """
    hit = effects["control_differs"] & (effects["factor"] == CONTROL_FACTOR) & (effects["fault"] == "")
    for _, row in effects[hit].iterrows():
        yield Sentence(reading(row.to_dict()), f"{title(row)} [{row['workload']}]:", "warning")


def reading(row: Row) -> str:
    """What the duplicate reads in an A/A row."""
    kind, unit = row["effect_kind"], row["unit"]
    change = text.change(row["effect"], kind, unit)
    ends = text.reach(row["ci_low_unadjusted"], row["ci_high_unadjusted"], kind, unit)
    return (
        f"The baseline's duplicate reads {change} ({ends}) here, where nothing differs: effects of that size "
        "are not to be believed."
    )


def beside(row: Row) -> Iterator[str]:
    """The same beside an effect of the cell, in few words; none where the two are bit for bit the same."""
    if not row["control_differs"] or row["fault"] or row["identical"] or row["inert"]:
        return
    floor = text.either_way(row["noise_floor"], row["effect_kind"], row["unit"])
    reach = "" if text.missing(row["noise_floor"]) else f", by up to {floor.lstrip('±')}"
    own = row["factor"] == CONTROL_FACTOR
    yield f"differs where nothing does{reach}" if own else f"the baseline's duplicate differs here too{reach}"
