"""From comparisons to rows: intervals simultaneous over each family, the verdict, and the facts behind it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from results.records.metric import Better
from results.verdicts import heaps
from results.verdicts import statistics as rules
from results.verdicts.cells import Cell
from results.verdicts.checks import Checks, Fault, disagreement, impossibility
from results.verdicts.comparison import Comparison
from results.verdicts.divergence import fisher
from results.verdicts.events import FEWEST_EVENTS, fit
from results.verdicts.families import estimated
from results.verdicts.rows import context
from results.verdicts.statistics import Estimate, Needed, Verdict

Cause = Literal[
    "too_few",
    "imprecise",
    "beyond_reach",
    "tied",
    "censored",
    "unmeasured",
    "missed",
    "tests_disagree",
    "heaps",
    "aliased",
]
"""Why nothing is decided: fewer blocks than any verdict rests on; an interval that is too wide, with more
blocks or with none within reach to narrow it; the same number in every block for arms that compute different
things; blocks without a number among those with one; no block with a number for every arm; a target that one
arm missed in every block and the other reached; an interval and an exact test that disagree; blocks that fall
into two heaps, whose mean stands for neither; a fraction that cannot tell it from another effect."""


PROVEN_FROM = 2
"""Blocks in which an arm that must match the baseline does so bit for bit: no more would add to that."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What an interval is held against.

    Attributes:
        margin: The smallest effect that counts, on the scale of the analysis.
        better: The direction that a reader wants.
    """

    margin: float
    better: Better


@dataclass(frozen=True, slots=True)
class Family:
    """What shares the 5 % of error.

    Attributes:
        size: Comparisons.
        looks: How often the study declared to look at them.
    """

    size: int
    looks: int

    @property
    def tests(self) -> int:
        """Comparisons over all looks."""
        return self.size * self.looks


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a row concludes.

    Attributes:
        verdict: The verdict.
        cause: Why nothing is decided; None where it is.
        needed: Blocks in all whose interval would decide, from the spread alone; None beyond reach.
        detectable: Equivalent, and yet the interval leaves out "no effect".
        beyond_margin: Better or worse, and by the margin at least.
        p_value: Of an exact test in the interval's place; None where the interval's own holds.
    """

    verdict: Verdict
    cause: Cause | None = None
    needed: Needed | None = None
    detectable: bool = False
    beyond_margin: bool = False
    p_value: float | None = None


def judge(comparisons: list[Comparison], checks: Checks, looks: int = 1) -> list[dict[str, Any]]:
    """Rows of a table. The size of each family is known before any member is judged.

    Every planned member counts towards the size, also one that failed or could not be tested, so that
    what is claimed about one arm does not depend on how another one fared.

    Args:
        comparisons: All of the table.
        checks: Of the run.
        looks: How many the study declared.
    """
    sizes = Counter(comparison.family for comparison in comparisons)
    return [
        _row(comparison, contrasts, found, Family(sizes[comparison.family], looks), checks)
        for comparison, (contrasts, found) in zip(
            comparisons, estimated(comparisons, sizes, looks), strict=True
        )
    ]


def _row(
    comparison: Comparison, contrasts: pd.Series, found: Estimate, family: Family, checks: Checks
) -> dict[str, Any]:
    cell, arm = comparison.cell, comparison.arm
    exact = cell.exact and len(contrasts) > 0
    fault = _fault(comparison, checks)
    identical = found.n > 0 and not exact and bool((contrasts == 0).all())
    placebo = comparison.placebo
    proven = identical and placebo and found.n >= PROVEN_FROM
    verdict = (
        Judgement("equivalent")
        if proven and not fault
        else _judgement(comparison, found, family, fault, tied=identical and not placebo)
    )
    needed = verdict.needed
    return {
        **context(cell, arm, comparison.baseline, comparison.labels, comparison.family, family.size),
        **_numbers(comparison, contrasts, found, family),
        "p_value": found.p if verdict.p_value is None else verdict.p_value,
        "p_adjusted": found.p_adjusted
        if verdict.p_value is None
        else min(1.0, family.tests * verdict.p_value),
        "n_needed": needed.likely if needed else None,
        "n_needed_low": needed.low if needed else None,
        "n_needed_high": needed.high if needed else None,
        "verdict": verdict.verdict,
        "cause": verdict.cause,
        "detectable": verdict.detectable,
        "beyond_margin": verdict.beyond_margin,
        "exact": exact,
        "inert": comparison.inert,
        "placebo": placebo,
        "identical": identical,
        "fault": fault.code if fault else "",
        "fault_detail": fault.detail if fault else "",
        "aliases": ", ".join(comparison.aliases),
        "sets": comparison.sets[0] if comparison.sets else None,
        "sets_planned": comparison.sets[1] if comparison.sets else None,
        **_absent(cell, comparison.in_question, ""),
        **_absent(cell, (comparison.baseline,), "baseline_"),
    }


def _absent(cell: Cell, arms: Iterable[str], side: str) -> dict[str, int]:
    """Blocks in which arms have no number, by what became of them."""
    fates = [cell.fates[arm] for arm in arms if arm in cell.fates]
    return {
        f"{side}lost": sum(len(fate.lost) for fate in fates),
        f"{side}censored": sum(len(cell.reasons(arm, "censored")) for arm in arms),
    }


def _fault(comparison: Comparison, checks: Checks) -> Fault | None:
    cell = comparison.cell
    known = [_slip(comparison)] if comparison.treated else [checks.difference(cell, comparison.arm)]
    for arm in comparison.coefficients:
        known += [impossibility(cell, arm), disagreement(cell, arm)]
    return next((fault for fault in known if fault is not None), None)


def _slip(comparison: Comparison) -> Fault | None:
    """The first block in which arms that must match bit for bit do not."""
    if not comparison.placebo:
        return None
    contrasts = comparison.cell.contrast(comparison.coefficients)
    blocks = contrasts.index[contrasts != 0]
    return Fault("differs", f"in {blocks[0]}") if len(blocks) else None


def _judgement(
    comparison: Comparison, found: Estimate, family: Family, fault: Fault | None, *, tied: bool
) -> Judgement:
    cell, arms = comparison.cell, comparison.coefficients
    if fault is not None:
        return Judgement("invalid")
    timeless = bool(cell.events) and found.low is None
    if found.n == 0 or timeless:
        return _one_sided_censoring(comparison, family)
    if comparison.aliases:
        return Judgement("inconclusive", "aliased")
    if not cell.events and any(cell.reasons(arm, "censored") for arm in arms):
        return Judgement("inconclusive", "censored")
    assert cell.metric is not None
    rule = Rule(cell.margin, cell.metric.better)
    if cell.exact:
        return _by_interval(found, rule)
    cause: Cause | None = None
    if tied:  # equal block for block without being the same function: the metric is too coarse to tell
        cause = "tied"
    elif any(heaps.split(cell, arm, comparison.baseline) for arm in arms):
        cause = "heaps"
    return Judgement("inconclusive", cause) if cause else conclude(found, rule)


def conclude(found: Estimate, rule: Rule) -> Judgement:
    """What an estimate says: nothing is decided below six blocks; then the interval decides, if it can.

    Args:
        found: An estimate from one block at least.
        rule: What it is held against.
    """
    if found.fewest < rules.MINIMUM_BLOCKS:
        return Judgement("inconclusive", "too_few", rules.blocks_needed(found, rule.margin))
    return _by_interval(found, rule)


def _by_interval(found: Estimate, rule: Rule) -> Judgement:
    assert found.low is not None
    assert found.high is not None
    verdict = rules.decide(found.low, found.high, rule.margin, rule.better)
    if verdict == "inconclusive":
        needed = rules.blocks_needed(found, rule.margin)
        return Judgement(verdict, "imprecise" if needed else "beyond_reach", needed)
    decided = verdict in {"better", "worse"}
    return Judgement(
        verdict,
        detectable=verdict == "equivalent" and (found.low > 0 or found.high < 0),
        beyond_margin=decided and max(found.low, -found.high) >= rule.margin,
    )


def _one_sided_censoring(comparison: Comparison, family: Family) -> Judgement:
    """All blocks of one arm censored and none of the other's: Fisher's exact test, and no invented number."""
    cell, arm, baseline = comparison.cell, comparison.arm, comparison.baseline
    reached = {name: len(cell.values(name)) for name in (arm, baseline)}
    missed = {name: len(cell.reasons(name, "censored")) for name in (arm, baseline)}
    for loser, winner in ((arm, baseline), (baseline, arm)):
        if len(comparison.coefficients) > 2 or reached[loser] or missed[winner]:
            continue
        if not (missed[loser] and reached[winner]):
            continue
        p = fisher(missed[loser], missed[loser], 0, reached[winner])
        fewest = min(missed[loser], reached[winner])
        decided = fewest >= rules.MINIMUM_BLOCKS and family.tests * p < rules.ALPHA
        verdict: Verdict = ("worse" if loser == arm else "better") if decided else "inconclusive"
        return Judgement(verdict, "missed", p_value=p)
    return Judgement("inconclusive", "censored" if cell.events else "unmeasured")


def _numbers(comparison: Comparison, contrasts: pd.Series, found: Estimate, family: Family) -> dict[str, Any]:
    """Values and intervals in the metric's unit; what averages over arms is set against what it would be."""
    cell, weights = comparison.cell, comparison.coefficients
    if found.n == 0:
        return {"n": 0, "baseline_n": found.n_baseline}
    values = _values(comparison, contrasts)
    if comparison.treated:
        asked = float(np.mean([cell.mean(values[name]) for name in comparison.in_question]))
        predicted = asked - sum(weight * cell.mean(values[name]) for name, weight in weights.items())
        value, reference = cell.unscaled(asked), cell.unscaled(float(predicted))
    else:
        value = _average(cell, comparison.arm, values)
        reference = _average(cell, comparison.baseline, values)
    bootstrap = (
        rules.bootstrap_interval(contrasts.to_numpy(dtype=float), family.tests)
        if comparison.paired and not cell.exact
        else None
    )
    return {
        "baseline_value": reference,
        "value": value,
        "effect": cell.unscaled(found.mean),
        "ci_low": cell.unscaled(found.low),
        "ci_high": cell.unscaled(found.high),
        "n": found.n,
        "baseline_n": found.n_baseline,
        "sd": found.sd,
        "freedom": found.freedom,
        "smallest_detectable": _detectable(cell, found),
        "ci_low_unadjusted": cell.unscaled(found.low_alone),
        "ci_high_unadjusted": cell.unscaled(found.high_alone),
        "correlation": _correlation(comparison, values),
        "bootstrap_low": cell.unscaled(bootstrap[0]) if bootstrap else None,
        "bootstrap_high": cell.unscaled(bootstrap[1]) if bootstrap else None,
    }


def _average(cell: Cell, arm: str, values: Mapping[str, pd.Series]) -> float | None:
    """Of the times to a target those count, too, that are only known to be later."""
    if arm in cell.events and cell.events[arm].reached >= FEWEST_EVENTS:
        return cell.unscaled(fit(cell.events[arm])[0])
    return cell.average(values[arm])


def _values(comparison: Comparison, contrasts: pd.Series) -> dict[str, pd.Series]:
    """The numbers of each arm that the comparison rests on."""
    cell = comparison.cell
    values = {name: cell.values(name) for name in comparison.coefficients}
    if cell.exact or not comparison.paired:
        return values
    if not comparison.treated and not cell.workload.paired and bool((contrasts == 0).all()):
        # A placebo, of few seeds: it is the baseline, which has more of them.
        return dict.fromkeys(values, values[comparison.baseline])
    return {name: numbers[numbers.index.isin(contrasts.index)] for name, numbers in values.items()}


def _detectable(cell: Cell, found: Estimate) -> float | None:
    """In the unit of the effect, towards more."""
    return None if cell.exact else cell.unscaled(rules.smallest_detectable(found))


def _correlation(comparison: Comparison, values: Mapping[str, pd.Series]) -> float | None:
    """How closely arm and baseline move together from block to block: what pairing bought."""
    if comparison.treated or comparison.cell.exact:
        return None
    arm, baseline = values[comparison.arm].align(values[comparison.baseline], join="inner")
    one, other = (comparison.cell.on_scale(side.to_numpy(dtype=float)) for side in (arm, baseline))
    return rules.correlation(one, other)
