"""The sentences of the `note` column: why a row says what it says, and what would make it say more."""

from collections.abc import Iterable

from results.tables import format as text
from results.verdicts.cells import Cell
from results.verdicts.statistics import MINIMUM_BLOCKS

INERT = "inert: changes no shape, operator or output at this input"
CONTROL_FAILED = "the duplicate of the baseline came out different from it"
CONTROL_HIT = "invalid, because the A/A control of this metric failed"


def identical(n: int, unit: str) -> str:
    """Every block gave the same number for both arms of an equivalent factor."""
    return f"bit-identical in {'all ' if n > 1 else ''}{text.count(n, unit)}, as an equivalent factor must be"


def ties(n: int, unit: str) -> str:
    """Every block gave the same number for arms that compute different things."""
    return f"the same value in all {text.count(n, unit)}: the metric is too coarse to tell the arms apart"


def too_few(n: int, unit: str, needed: int | None) -> list[str]:
    """Fewer blocks than any verdict rests on."""
    minimum = f"{text.count(n, unit)} of at least {MINIMUM_BLOCKS}"
    return [minimum, would_decide(n, needed, unit)]


def would_decide(n: int, needed: int | None, unit: str) -> str:
    """How many more blocks would decide, were mean and spread to stay as they are."""
    if needed is None:
        return "more than 10,000 would be needed: an effect this close to its margin stays undecided"
    more = needed - n
    noun = text.count(2, unit).split(" ", 1)[1] if more != 1 else text.count(1, unit).split(" ", 1)[1]
    return f"about {more:,} more {noun} would decide"


def dropped(cell: Cell, arms: Iterable[str]) -> list[str]:
    """Which blocks are not averaged, by arm and status, with the first reason given."""
    said, unit = [], cell.workload.block_unit
    for arm in arms:
        fate = cell.fates.get(arm)
        if fate is None:
            said.append(f"{arm}: not run yet")
            continue
        for status, group in fate.bad.groupby("status", sort=True):
            blocks = sorted(group["block"].unique(), key=_natural)
            where = f" in all {text.count(len(blocks), unit)}" if len(blocks) > 1 else ""
            if len(blocks) < fate.blocks:
                of = text.count(fate.blocks, unit)
                where = f" in {len(blocks)} of {of} ({', '.join(blocks)}), left out of the average"
            reasons = group["reason"].dropna()
            reason = f" ({reasons.iloc[0]})" if len(reasons) else ""
            said.append(f"{arm}: {str(status).replace('_', ' ')}{where}{reason}")
    return said


def censored(cell: Cell, arms: Iterable[str]) -> list[str]:
    """In how many blocks the metric was censored, by arm, with the first reason."""
    said = []
    for arm in arms:
        reasons = censoring(cell, arm)
        if reasons:
            of = f"{len(reasons)} of {text.count(cell.fates[arm].blocks, cell.workload.block_unit)}"
            said.append(f"censored for {arm} in {of} ({next(iter(reasons.values()))})")
    return said


def censoring(cell: Cell, arm: str) -> dict[str, str]:
    """Reason by block for which the cell's metric is censored."""
    if cell.metric is None or arm not in cell.fates:
        return {}
    name = cell.metric.name
    return {block: reasons[name] for block, reasons in cell.fates[arm].censored.items() if name in reasons}


def disagreement(cell: Cell, arms: Iterable[str]) -> str | None:
    """Exact trials of one arm that do not agree with each other: a fault, not a spread."""
    if not cell.exact:
        return None
    for arm in arms:
        values = cell.values(arm)
        if values.nunique() > 1:
            numbers = " and ".join(f"{v:,.10g}" for v in sorted(values.unique())[:2])
            return f"exact trials of {arm} disagree: {numbers}"
    return None


def _natural(block: str) -> tuple[str, int]:
    head, _, tail = block.rpartition("-")
    return (head, int(tail)) if tail.isdigit() else (block, 0)
