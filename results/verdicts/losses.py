"""What has no number, and why: blocks that did not end well, and metrics that were censored."""

import pandas as pd

LOSS_COLUMNS = ["environment", "workload", "arm", "status", "n", "of", "blocks", "reason"]
CENSORED_COLUMNS = ["environment", "workload", "arm", "metric", "n", "of", "reason"]
_PLACE = ["environment", "workload", "arm"]


def losses(outcomes: pd.DataFrame) -> pd.DataFrame:
    """One row per (environment, workload, arm, status) that is not `ok`.

    `n` of the arm's `of` blocks ended so; `blocks` lists them, `reason` is the first one given.
    """
    known = _counts(outcomes)
    rows = []
    bad = outcomes[outcomes["status"] != "ok"]
    for key, group in bad.groupby([*_PLACE, "status"], sort=True):
        blocks = tuple(sorted(group["block"].unique(), key=natural))
        reasons = group["reason"].dropna()
        reason = str(reasons.iloc[0]) if len(reasons) else ""
        rows.append((*key, len(blocks), known[tuple(map(str, key[:3]))], blocks, reason))
    return pd.DataFrame(rows, columns=LOSS_COLUMNS)


def censorings(outcomes: pd.DataFrame) -> pd.DataFrame:
    """One row per (environment, workload, arm, metric) that was censored in some block that ended well."""
    known = _counts(outcomes)
    found: dict[tuple[str, str, str, str], list[str]] = {}
    told = outcomes[(outcomes["status"] == "ok") & outcomes["censored"].map(bool)]
    for row in told.drop_duplicates([*_PLACE, "block"], keep="last").to_dict("records"):
        for metric, reason in row["censored"].items():
            key = (row["environment"], row["workload"], row["arm"], metric)
            found.setdefault(key, []).append(reason)
    rows = [(*key, len(reasons), known[key[:3]], reasons[0]) for key, reasons in found.items()]
    return pd.DataFrame(rows, columns=CENSORED_COLUMNS)


def _counts(outcomes: pd.DataFrame) -> dict[tuple[str, ...], int]:
    groups = outcomes.groupby(_PLACE)["block"]
    return {tuple(map(str, key)): int(group.nunique()) for key, group in groups}


def natural(block: str) -> tuple[str, int, int]:
    """A key that sorts `seed-2` before `seed-10`, and what was done on a later occasion after both."""
    name, _, occasion = block.partition("@")
    head, _, tail = name.rpartition("-")
    return (head, int(occasion or 0), int(tail)) if tail.isdigit() else (name, int(occasion or 0), 0)
