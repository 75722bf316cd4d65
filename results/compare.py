"""Two runs side by side: do they agree?"""

import pandas as pd

from results.run import Run

KEYS = ["workload", "metric", "source", "device", "mode", "split", "factor", "level"]
VALUES = ["environment", "effect", "ci_low", "ci_high", "n", "verdict"]
CONTEXT = ["unit", "effect_kind"]

_UNDECIDED = {"inconclusive", "invalid"}


def compare(run_a: Run, run_b: Run) -> pd.DataFrame:
    """Join the effects of two runs on workload, metric, source, device, mode, split, factor and level.

    Both effects stand beside each other with interval and verdict, suffixed `_a` and `_b`. `agreement`
    is `agree` (same verdict), `differ`, `one undecided`, `both undecided`, `only in A` or `only in B`.
    A run of several environments has a row for each.
    """
    sides = [
        run.effects()[[*KEYS, *CONTEXT, *VALUES]].rename(columns={name: f"{name}_{side}" for name in VALUES})
        for run, side in ((run_a, "a"), (run_b, "b"))
    ]
    sides = [side.assign(**{key: side[key].fillna("") for key in KEYS}) for side in sides]
    joined = sides[0].merge(sides[1], on=[*KEYS, *CONTEXT], how="outer", sort=False, indicator=True)
    joined["agreement"] = [
        _agreement(str(where), a, b)
        for where, a, b in zip(joined["_merge"], joined["verdict_a"], joined["verdict_b"], strict=True)
    ]
    return joined.drop(columns="_merge")


def _agreement(where: str, verdict_a: str, verdict_b: str) -> str:
    if where != "both":
        return "only in A" if where == "left_only" else "only in B"
    undecided = (verdict_a in _UNDECIDED) + (verdict_b in _UNDECIDED)
    if undecided:
        return "one undecided" if undecided == 1 else "both undecided"
    return "agree" if verdict_a == verdict_b else "differ"
