"""What a change to the code did to building blocks: commit against commit, across processes."""

from typing import Any

import numpy as np
import pandas as pd

from results.frames.benchmarks import in_order, versions
from results.records.benchmarks import CALL_SECONDS
from results.verdicts import statistics as rules
from results.verdicts.building_blocks import CONTEXT, FOUND, METRIC, adjusted, frame, judged

CHANGE_COLUMNS = [
    *("environment", "version", "commit", "dirty", "first_version", "benchmark", *CONTEXT),
    *("metric", "unit", "n_first", *FOUND),
]


def changes(benchmarks: pd.DataFrame, margin: float = CALL_SECONDS.margin) -> pd.DataFrame:
    """Each benchmark of a later commit against the first commit at which it was timed: the stored baseline.

    The ratio is that of the geometric means over files; the interval Welch's on the logarithm, from six
    files on either side. It holds for all benchmarks of a version at once (Bonferroni).

    Args:
        benchmarks: As `results.frames.benchmarks.benchmarks` gives it.
        margin: The smallest effect that counts.

    Returns:
        One row per (environment, later version, benchmark); empty where only one version was timed.
    """
    named = in_order(benchmarks)
    order = {version: i for i, version in enumerate(versions(benchmarks))}
    rows = []
    for _, here in named.groupby("environment", sort=False):
        ranked = here.assign(rank=here["version"].map(order))
        first = ranked.groupby("benchmark")["rank"].transform("min")
        before = dict(iter(ranked[ranked["rank"] == first].groupby("benchmark")))
        for _, later in ranked[ranked["rank"] > first].groupby("rank"):
            pairs = [(group, before[name]) for name, group in later.groupby("benchmark", sort=False)]
            rows += adjusted([_change(after, earlier, len(pairs), margin) for after, earlier in pairs])
    return frame(rows, CHANGE_COLUMNS)


def _change(after: pd.DataFrame, before: pd.DataFrame, size: int, margin: float) -> dict[str, Any]:
    later, first = (np.log(side["median_seconds"].to_numpy(dtype=float)) for side in (after, before))
    found = rules.welch(later, first, size)
    row = after.iloc[0].to_dict()
    shown = judged(found, size, margin)
    if found.n < rules.MINIMUM_BLOCKS:
        shown |= {"ci_low": None, "ci_high": None, "p_value": None}
    return (
        {name: row.get(name) for name in CHANGE_COLUMNS}
        | METRIC
        | {"first_version": before["version"].iloc[0]}
        | shown
        | {"value": float(np.exp(later.mean())), "baseline_value": float(np.exp(first.mean()))}
        | {"n": len(later), "n_first": len(first)}
    )
