"""What became of claims: each held against its contrast or check, in the context of this run."""

import math
from collections.abc import Hashable, Mapping
from typing import Any, Literal

import pandas as pd

from results.frames import samples
from results.records.declared_claim import DeclaredClaim
from results.records.record import Record
from results.records.resolved_study import ResolvedStudy

ClaimVerdict = Literal["supported", "contradicted", "equivalent", "inconclusive", "not run"]
VERDICTS: tuple[ClaimVerdict, ...] = ("supported", "contradicted", "equivalent", "inconclusive", "not run")
FACT_COLUMNS = [
    *("claim", "source", "statement", "predicted", "original", "workload", "arm", "metric", "mode"),
    *("environment", "effect", "effect_kind", "unit", "ci_low", "ci_high", "n", "exact", "verdict", "cause"),
    *("detail", "n_needed_low", "n_needed_high", "at_least", "block_unit", "fault", "same_bits", "weak"),
]
"""`effect` is that of the claim's own change, also where the study makes it the other way round; `cause` says
why nothing is decided, `detail` what a check saw or why the claim was not run, `at_least` the smallest effect
that counts; `weak`: decided, and perhaps by less than counts."""

_ABSENT = {"verdict": "not run", "detail": "not on record yet"}
Row = dict[Hashable, Any]
Ends = tuple[float, float, float]


def claims(study: ResolvedStudy, effects: pd.DataFrame, records: tuple[Record, ...]) -> pd.DataFrame:
    """One row per claim and environment, in the study's order.

    Args:
        study: Declares them.
        effects: As `Analysis.effects` holds it.
        records: Of the run; checks left theirs in the details of outcomes.
    """
    seen = _seen(study, records)
    environments = sorted({*effects["environment"], *seen}) or [""]
    rows = [
        _row(claim, environment, effects[effects["environment"] == environment], seen.get(environment, {}))
        for environment in environments
        for claim in study.claims
    ]
    found = pd.DataFrame(rows, columns=FACT_COLUMNS)
    return found.astype(dict.fromkeys(("n", "n_needed_low", "n_needed_high"), "Int64"))


def _seen(study: ResolvedStudy, records: tuple[Record, ...]) -> dict[str, dict[str, Mapping[str, Any]]]:
    """What checks saw, by environment and name."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for record, outcome, _ in samples.outcomes_of(study, records):
        told = outcome.details.get("more", {}).get("checks")
        if outcome.status == "ok" and isinstance(told, dict):
            known = {str(name): one for name, one in told.items() if isinstance(one, dict)}
            found.setdefault(record.environment, {}).update(known)
    return found


def _row(
    claim: DeclaredClaim, environment: str, effects: pd.DataFrame, seen: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    told = {
        "claim": claim.name,
        "source": claim.source,
        "statement": claim.statement,
        "predicted": claim.predicted,
        "original": claim.original,
        "workload": claim.workload,
        "arm": claim.arm,
        "metric": claim.metric,
        "mode": claim.mode,
        "environment": environment,
    }
    if claim.reason:
        return told | {"verdict": "not run", "detail": claim.reason}
    if claim.prediction == "check":
        return told | _checked(seen.get(claim.name))
    row = _effect_of(claim, effects)
    return told | (
        {"verdict": "not run", "detail": "not on record yet"} if row is None else _judged(claim, row)
    )


def _checked(one: Mapping[str, Any] | None) -> dict[str, Any]:
    if one is None:
        return _ABSENT
    holds = one.get("holds")
    verdict = "inconclusive" if holds is None else "supported" if holds else "contradicted"
    return {"verdict": verdict, "detail": str(one.get("measured", "")), "exact": True}


def _effect_of(claim: DeclaredClaim, effects: pd.DataFrame) -> Row | None:
    """The row that decides: of several splits the test set, of several sources the first."""
    here = effects["workload"].eq(claim.workload) & effects["arm"].eq(claim.arm)
    here &= effects["metric"].eq(claim.metric)
    if claim.mode is not None:
        here &= effects["mode"].eq(claim.mode)
    rows = effects[here].to_dict("records")
    return rows[0] if rows else None


def _judged(claim: DeclaredClaim, row: Row) -> dict[str, Any]:
    effect, low, high = _turned(claim, row)
    ratio = row["effect_kind"] == "ratio"
    smallest = row["margin"] if claim.smallest is None else claim.smallest
    facts = {
        "effect": effect,
        "effect_kind": row["effect_kind"],
        "unit": row["unit"],
        "ci_low": low,
        "ci_high": high,
        "n": row["n"],
        "exact": row["exact"],
        "at_least": smallest,
        "block_unit": row["block_unit"],
        "fault": row["fault"],
    }
    if claim.smallest is None:  # else it is another question than the row's
        facts |= {name: row[name] for name in ("n_needed_low", "n_needed_high")}
    if row["fault"] == "differs" and claim.prediction == "the same bits":
        return facts | {"verdict": "contradicted", "detail": row["fault_detail"]}
    if row["verdict"] == "invalid":
        return facts | {"verdict": "inconclusive", "cause": "invalid"}
    if claim.prediction == "the same bits":
        proven = row["identical"] and row["placebo"] and row["verdict"] == "equivalent"
        return facts | {
            "verdict": "supported" if proven else "inconclusive",
            "cause": "" if proven else row["cause"] or "unmeasured",
            "same_bits": bool(proven),
        }
    undecided = row["cause"] if row["cause"] not in {"imprecise", "beyond_reach", ""} else ""
    if undecided or math.isnan(low) or math.isnan(high):
        return facts | {"verdict": "inconclusive", "cause": undecided or "unmeasured"}
    scale = math.log if ratio else float
    verdict = decided(
        claim, scale(low), scale(high), math.log1p(smallest) if ratio else smallest, at_least=claim.smallest
    )
    reach = math.log1p(smallest) if ratio else smallest
    weak = claim.smallest is None and verdict in {"supported", "contradicted"}
    weak &= max(scale(low), -scale(high)) < reach and claim.prediction != "unchanged"
    return facts | {
        "verdict": verdict,
        "cause": "imprecise" if verdict == "inconclusive" else "",
        "weak": weak,
    }


def _turned(claim: DeclaredClaim, row: Row) -> Ends:
    """Effect and interval of the claim's own change: the study may make it the other way round."""
    effect, low, high = (float(row[name]) for name in ("effect", "ci_low", "ci_high"))
    if not claim.turned:
        return effect, low, high
    if row["effect_kind"] == "difference":
        return -effect, -high, -low
    inverse = [1 / x if x > 0 else math.nan for x in (effect, high, low)]
    return inverse[0], inverse[1], inverse[2]


def decided(
    claim: DeclaredClaim, low: float, high: float, smallest: float, *, at_least: float | None
) -> ClaimVerdict:
    """What an interval says of a claim.

    Args:
        claim: Which predicts a direction, or no change.
        low: Lower end of the interval, on the scale of the analysis.
        high: Upper end of it.
        smallest: The smallest effect that counts, on that scale.
        at_least: The same where the claim itself names a size: less than it contradicts the claim.
    """
    if claim.prediction == "unchanged":
        if -smallest <= low and high <= smallest:
            return "supported"
        return "contradicted" if low > smallest or high < -smallest else "inconclusive"
    if claim.prediction == "lower":
        low, high = -high, -low  # from here on "higher" is as predicted
    if at_least is not None:
        reached, missed = low >= smallest and low > 0, high < smallest or high <= 0
        return "supported" if reached else "contradicted" if missed else "inconclusive"
    if -smallest <= low and high <= smallest:
        return "equivalent"
    return "supported" if low > 0 else "contradicted" if high < 0 else "inconclusive"
