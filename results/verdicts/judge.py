"""From comparisons to rows: intervals simultaneous over each family, the verdict, the note."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from results.records.metric import Better
from results.verdicts import notes
from results.verdicts import statistics as rules
from results.verdicts.cells import Cell
from results.verdicts.checks import Checks
from results.verdicts.rows import context
from results.verdicts.statistics import Estimate, Verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """A contrast to be judged.

    Attributes:
        cell: Where.
        arm: The arm in question.
        baseline: The arm that the row names as its baseline.
        coefficients: Weight of each arm; `{arm: 1, baseline: -1}` for an effect.
        family: Name of the family it is corrected in.
        labels: `factor`, `level`, `baseline_level` as they stand in the table.
    """

    cell: Cell
    arm: str
    baseline: str
    coefficients: Mapping[str, float]
    family: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """What an interval is held against.

    Attributes:
        margin: The smallest effect that counts, on the scale of the analysis.
        better: The direction that a reader wants.
        unit: What n counts: `process`, `seed`, `file`.
    """

    margin: float
    better: Better
    unit: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a row concludes."""

    verdict: Verdict
    notes: list[str]
    needed: int | None = None


def judge(comparisons: list[Comparison], checks: Checks) -> list[dict[str, Any]]:
    """Rows of a table. The size of each family is known before any member is judged.

    Every planned member counts towards the size, also one that failed or could not be tested, so that
    what is claimed about one arm does not depend on how another one fared.
    """
    sizes = Counter(comparison.family for comparison in comparisons)
    rows = [_row(comparison, sizes[comparison.family], checks) for comparison in comparisons]
    for family in sizes:
        members = [row for row in rows if row["family"] == family]
        for row, adjusted in zip(members, rules.adjust([row["p_value"] for row in members]), strict=True):
            row["p_adjusted"] = adjusted
    return rows


def _row(comparison: Comparison, size: int, checks: Checks) -> dict[str, Any]:
    cell, arm = comparison.cell, comparison.arm
    contrasts = cell.contrast(comparison.coefficients)
    exact = cell.exact and len(contrasts) > 0
    found = (
        rules.exact_estimate(float(contrasts.iloc[0]))
        if exact
        else rules.estimate(contrasts.to_numpy(dtype=float), size)
    )
    p_value, one_sided = found.p, None
    if found.n == 0:
        p_value, one_sided = _one_sided_censoring(comparison, size)
    inert = checks.is_inert(cell.workload.name, arm)
    judgement = one_sided or _judgement(comparison, contrasts, found, size, checks)
    said = [
        *([notes.INERT] if inert else []),
        *judgement.notes,
        *notes.censored(cell, comparison.coefficients),
        *notes.dropped(cell, comparison.coefficients),
    ]
    if found.n == 0 and not said:
        said = [f"no {cell.workload.block_unit} holds a number for every arm of the contrast"]
    return {
        **context(
            cell.workload,
            cell.metric,
            environment=cell.environment,
            arm=arm,
            baseline=comparison.baseline,
            labels=comparison.labels,
            family=comparison.family,
            comparisons=size,
        ),
        "mode": cell.mode,
        "split": cell.split,
        "source": cell.source,
        "device": cell.device,
        **_numbers(comparison, contrasts, found, size),
        "p_value": p_value,
        "n_needed": judgement.needed,
        "verdict": judgement.verdict,
        "note": "; ".join(said),
        "inert": inert,
    }


def _judgement(
    comparison: Comparison, contrasts: pd.Series, found: Estimate, size: int, checks: Checks
) -> Judgement:
    cell, arms = comparison.cell, comparison.coefficients
    fault = checks.fault(cell, comparison.arm) or notes.disagreement(cell, arms)
    if fault:
        return Judgement("invalid", [fault])
    if found.n == 0 or any(notes.censoring(cell, arm) for arm in arms):
        return Judgement("inconclusive", [])
    assert cell.metric is not None
    rule = Rule(cell.margin, cell.metric.better, cell.workload.block_unit)
    if cell.exact:
        return _by_interval(found, size, rule, ["exact"])
    said = []
    if bool((contrasts == 0).all()):
        if not checks.is_placebo(cell, comparison.arm):
            # Equal seed for seed without being the same function: the metric is too coarse to tell.
            return Judgement("inconclusive", [notes.ties(found.n, rule.unit)])
        said.append(notes.identical(found.n, rule.unit))
    return conclude(found, size, rule, said)


def conclude(found: Estimate, size: int, rule: Rule, said: Sequence[str] = ()) -> Judgement:
    """What an estimate says: nothing is decided below six blocks; then the interval decides, if it can.

    Args:
        found: An estimate from one block at least.
        size: Number of contrasts that its interval holds for at once.
        rule: What it is held against.
        said: Notes that come first.
    """
    if found.n >= rules.MINIMUM_BLOCKS:
        return _by_interval(found, size, rule, said)
    needed: int | None = rules.MINIMUM_BLOCKS
    if found.sd:
        needed = rules.blocks_needed(found.mean, found.sd, rule.margin, size)
    return Judgement("inconclusive", [*said, *notes.too_few(found.n, rule.unit, needed)], needed)


def _by_interval(found: Estimate, size: int, rule: Rule, said: Sequence[str]) -> Judgement:
    assert found.low is not None
    assert found.high is not None
    verdict = rules.decide(found.low, found.high, rule.margin, rule.better)
    if verdict == "inconclusive":
        needed = rules.blocks_needed(found.mean, found.sd or 0.0, rule.margin, size)
        more = notes.would_decide(found.n, needed, rule.unit)
        return Judgement(verdict, [*said, more], needed)
    if verdict == "equivalent" and (found.low > 0 or found.high < 0):
        said = [*said, "detectable, below the margin"]
    return Judgement(verdict, list(said))


def _one_sided_censoring(comparison: Comparison, size: int) -> tuple[float | None, Judgement | None]:
    """All blocks of one arm censored and none of the other's: a sign test, and no invented number."""
    cell, arm, baseline = comparison.cell, comparison.arm, comparison.baseline
    reached = {name: set(cell.values(name).index) for name in (arm, baseline)}
    missed = {name: set(notes.censoring(cell, name)) for name in (arm, baseline)}
    for loser, winner in ((arm, baseline), (baseline, arm)):
        pairs = missed[loser] & reached[winner]
        if len(comparison.coefficients) > 2 or reached[loser] or missed[winner] or not pairs:
            continue
        p = rules.sign_test(len(pairs), 0)
        decided = len(pairs) >= rules.MINIMUM_BLOCKS and size * p < rules.ALPHA
        verdict: Verdict = ("worse" if loser == arm else "better") if decided else "inconclusive"
        where = f"in none of its {len(pairs)} blocks, for {winner} in all"
        return p, Judgement(verdict, [f"reached for {loser} {where}, so there is no effect size"])
    return None, None


def _numbers(comparison: Comparison, contrasts: pd.Series, found: Estimate, size: int) -> dict[str, Any]:
    """Values and intervals in the metric's unit; an interaction is set against what its parts predict."""
    cell, weights = comparison.cell, comparison.coefficients
    if found.n == 0:
        return {"n": 0}
    values = {name: cell.values(name) for name in weights}
    if not cell.exact:
        values = {name: numbers[numbers.index.isin(contrasts.index)] for name, numbers in values.items()}
    value = cell.average(values[comparison.arm])
    if len(weights) == 2:
        reference = cell.average(values[comparison.baseline])
    else:
        others = {name: weight for name, weight in weights.items() if name != comparison.arm}
        logs = {name: cell.scaled(values[name].to_frame()).mean().iloc[0] for name in others}
        reference = cell.unscaled(float(sum(-weight * logs[name] for name, weight in others.items())))
    bootstrap = None if cell.exact else rules.bootstrap_interval(contrasts.to_numpy(dtype=float), size)
    return {
        "baseline_value": reference,
        "value": value,
        "effect": cell.unscaled(found.mean),
        "ci_low": cell.unscaled(found.low),
        "ci_high": cell.unscaled(found.high),
        "n": found.n,
        "sd": found.sd,
        "ci_low_unadjusted": cell.unscaled(found.low_alone),
        "ci_high_unadjusted": cell.unscaled(found.high_alone),
        "correlation": _correlation(comparison, values),
        "bootstrap_low": cell.unscaled(bootstrap[0]) if bootstrap else None,
        "bootstrap_high": cell.unscaled(bootstrap[1]) if bootstrap else None,
    }


def _correlation(comparison: Comparison, values: Mapping[str, pd.Series]) -> float | None:
    """How closely arm and baseline move together from block to block: what pairing bought."""
    if len(comparison.coefficients) > 2 or comparison.cell.exact:
        return None
    pair = pd.concat([values[comparison.arm], values[comparison.baseline]], axis=1).dropna()
    scaled = comparison.cell.scaled(pair).to_numpy(dtype=float)
    return rules.correlation(scaled[:, 0], scaled[:, 1])
