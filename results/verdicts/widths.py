"""How wide intervals are beside their margins: what more blocks are for, whatever the effect is."""

import math
from collections.abc import Sequence

from results.frames import samples
from results.records.record import Record
from results.records.resolved_study import ResolvedStudy
from results.verdicts.effects import contrasts
from results.verdicts.statistics import MINIMUM_BLOCKS


def widths(study: ResolvedStudy, records: Sequence[Record]) -> dict[tuple[str, str], float]:
    """By workload and arm how far its widest headline interval reaches, as a multiple of the margin.

    Args:
        study: For arms, metrics and margins.
        records: Of one environment.
    """
    frames = (samples.series, samples.outcomes, samples.curves)
    rows = contrasts(study, *(frame(study, records) for frame in frames)).effects
    rows = rows[rows["headline"] & ~rows["exact"] & (rows["n"] >= MINIMUM_BLOCKS) & (rows["margin"] > 0)]
    found: dict[tuple[str, str], float] = {}
    for row in rows.to_dict("records"):
        low, high, margin = (float(row[name]) for name in ("ci_low", "ci_high", "margin"))
        if row["effect_kind"] == "ratio":
            width = math.log(high / low) / 2 / math.log1p(margin) if low > 0 else math.inf
        else:
            width = (high - low) / 2 / margin
        if not math.isnan(width):
            key = (row["workload"], row["arm"])
            found[key] = max(found.get(key, 0.0), width)
    return found
