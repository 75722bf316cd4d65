"""The sentences of the `note` column, made from the facts in a row's columns, and never read back."""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import pandas as pd

from results.report.control_words import beside
from results.tables import format as text
from results.tables.analysis import Analysis
from results.verdicts.designs import design_contrasts
from results.verdicts.divergence import DIVERGED, PROPORTIONS
from results.verdicts.rows import CONTRACT_COLUMNS
from results.verdicts.statistics import MINIMUM_BLOCKS, MOST_BLOCKS, proportion_interval

INERT = "inert: changes no shape, operator or output at this input"
Row = dict[Hashable, Any]
_PLACE = ("environment", "workload")
_FEW_ARMS = 4


def effects_with_notes(run: Analysis) -> pd.DataFrame:
    """The effects of a run with their notes; made once for all sections that show them."""
    if run not in _noted:
        _noted[run] = with_notes(run, run.effects)
    return _noted[run].copy()


_noted: WeakKeyDictionary[Analysis, pd.DataFrame] = WeakKeyDictionary()


def with_notes(run: Analysis, rows: pd.DataFrame) -> pd.DataFrame:
    """Effects or interactions with the contract's last column, `note`: why a row says what it says."""
    table = _Absences(run)
    told = ["; ".join(_clauses(row, table)) for row in rows.to_dict("records")]
    place = len(CONTRACT_COLUMNS)
    noted = rows.copy()
    noted.insert(place, "note", pd.Series(told, index=rows.index, dtype=object))
    return noted


def reason(row: Row) -> str:
    """Why a row cannot be believed; "" where it can."""
    detail = row["fault_detail"]
    match row["fault"]:
        case "control":
            duplicate = row["factor"] == "(control)"
            return _CONTROL_FAILED if duplicate else "invalid, because the A/A control of this metric failed"
        case "differs":
            return f"not bit-identical to the baseline, as an equivalent factor must be: {detail}"
        case "disagree":
            return f"exact trials disagree: {detail}"
        case "impossible":
            return f"cannot be right: {detail}"
    return ""


_CONTROL_FAILED = "the duplicate of the baseline differs from it, by more than chance explains"


class _Absences:
    """What has no number, by the arms of a row."""

    def __init__(self, run: Analysis) -> None:
        self._study = run.study
        self._designed = {
            (one.name, one.kind == "interaction"): tuple(one.weights) for one in design_contrasts(run.study)
        }
        self._units = {workload.name: workload.block_unit for workload in run.study.workloads}
        self._losses = _by_place(run.losses)
        self._censorings = _by_place(run.censorings)
        places = run.outcomes[[*_PLACE, "arm"]].drop_duplicates()
        self._known = set(places.itertuples(index=False, name=None))
        self._isolation = {
            tuple(row[name] or "" for name in (*_PLACE, "metric", "mode", "arm")): row
            for row in run.isolation.to_dict("records")
        }

    def arms(self, row: Row) -> Sequence[str]:
        """The arms of the contrast; of one that averages over many none: each has a row of its own."""
        if pd.isna(row["sets"]):
            return (row["arm"], self._study.baseline)
        arms = self._designed.get((row["arm"], row["family"].startswith("interactions ")), ())
        return arms if len(arms) <= _FEW_ARMS else ()

    def censored(self, row: Row) -> Iterator[str]:
        """In how many blocks the metric was censored, by arm, with the first reason."""
        for arm in self.arms(row):
            for found in self._censorings.get((row["environment"], row["workload"], arm), ()):
                if found["metric"] == row["metric"]:
                    of = f"{found['n']} of {text.count(found['of'], self._units[row['workload']])}"
                    yield f"censored for {arm} in {of} ({found['reason']})"

    def lost(self, row: Row) -> Iterator[str]:
        """Which blocks did not end well, by arm and status, with the first reason given."""
        for arm in self.arms(row):
            place = (row["environment"], row["workload"], arm)
            if place not in self._known:
                yield f"{arm}: not run yet"
            for found in self._losses.get(place, ()):
                yield f"{arm}: {_lost(found, self._units[row['workload']])}"

    def isolated(self, row: Row) -> str:
        """What processes of one arm alone say, where they say something else."""
        if row["isolation"] != "disagree":
            return ""
        key = tuple(row[name] or "" for name in (*_PLACE, "metric", "mode", "arm"))
        return disagreement(self._isolation[key])


def disagreement(row: Row) -> str:
    """`isolated processes disagree: ×1.40 [×1.38 to ×1.42] instead of ×1.25 [×1.24 to ×1.26]`."""
    alone, together = (
        f"{text.effect(row[f'{side}effect'], 'ratio', '')} "
        f"[{text.interval(row[f'{side}ci_low'], row[f'{side}ci_high'], 'ratio', '')}]"
        for side in ("isolated_", "")
    )
    return f"isolated processes disagree: {alone} instead of {together}"


def _by_place(frame: pd.DataFrame) -> dict[tuple[str, ...], list[Row]]:
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in frame.to_dict("records"):
        found.setdefault((row["environment"], row["workload"], row["arm"]), []).append(row)
    return found


def _lost(found: Row, unit: str) -> str:
    blocks = found["blocks"]
    where = f" in all {text.count(len(blocks), unit)}" if len(blocks) > 1 else ""
    if len(blocks) < found["of"]:
        of = text.count(found["of"], unit)
        where = f" in {len(blocks)} of {of} ({', '.join(blocks)}), left out of the average"
    why = f" ({found['reason']})" if found["reason"] else ""
    return f"{str(found['status']).replace('_', ' ')}{where}{why}"


def _clauses(row: Row, absences: _Absences) -> Iterator[str]:
    fault = reason(row)
    if row["fault"] == "control":
        yield fault
    if row["inert"]:
        yield INERT
    if row["fault"] not in {"", "control"}:
        yield fault
    told = list(_proportion(row) if row["metric"] in PROPORTIONS else _judged(row))
    told += [*seeds(row), *absences.censored(row)]
    if row["metric"] not in PROPORTIONS:
        told += absences.lost(row)
    told += _averaged(row)
    if row["cause"] == "unmeasured" and not told:
        told = [f"no {row['block_unit']} holds a number for every arm of the contrast"]
    yield from told
    yield from beside(row)
    if said := absences.isolated(row):
        yield said


def _judged(row: Row) -> Iterator[str]:
    n, unit = row["n"], row["block_unit"]
    if row["exact"] and row["fault"] in {"", "control"}:
        yield "exact"
    if row["identical"] and row["placebo"]:
        every = "all " if n > 1 else ""
        yield f"bit-identical in {every}{text.count(n, unit)}, as an equivalent factor must be"
    if row["detectable"]:
        yield "detectable, below the margin"
    yield from undecided(row)


def undecided(row: Row) -> Iterator[str]:
    """Why nothing is decided, and how many blocks would be precise enough."""
    n, unit = row["n"], row["block_unit"]
    match row["cause"]:
        case "too_few":
            yield f"{text.count(n, unit)} of at least {MINIMUM_BLOCKS}"
            if n > 1:
                yield _needed(row)
        case "imprecise" | "beyond_reach":
            yield _needed(row)
        case "aliased":
            yield (
                f"this fraction cannot tell it from {row['aliases']}; "
                "a 2x2 of the pairs, a finer fraction or the full factorial can"
            )
        case "tied":
            every = text.count(n, unit)
            yield f"the same value in all {every}: the metric is too coarse to tell the arms apart"
        case "missed":
            arm, other = row["arm"], "the baseline"
            arm, other = (arm, other) if row["censored"] else (other, arm)
            blocks = max(row["censored"], row["baseline_censored"])
            where = f"in none of its {text.count(blocks, row['block_unit'])}, for {other} in all"
            yield f"reached for {arm} {where}, so there is no effect size"


def _averaged(row: Row) -> Iterator[str]:
    """What a row averages over, where that is more than two arms or four."""
    if pd.isna(row["sets"]) or row["sets_planned"] == 1:
        return
    if not row["sets_planned"]:
        yield "from all arms of the fraction, products of three factors and more taken for nothing"
        return
    what = "quadruple" if "+" in row["factor"] else "pair"
    fewer = f" of {row['sets_planned']}" if row["sets"] < row["sets_planned"] else ""
    yield f"averaged over {row['sets']}{fewer} {text.plural(what)} of arms that differ in nothing else"


def n_needed(row: Row) -> str:
    """How many blocks in all make an interval narrow enough to decide: `12 to 31`; "" where none is known."""
    low, high = row["n_needed_low"], row["n_needed_high"]
    if pd.isna(low) or pd.isna(high):
        return ""
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _needed(row: Row) -> str:
    """The same as a clause, for the one who plans another run."""
    needed, unit = n_needed(row), str(row["block_unit"])
    if not row["margin"]:
        return "no number is enough: where any difference counts, none is ever shown to be none"
    if not needed:
        return f"n needed: more than {MOST_BLOCKS:,} in all, from the spread alone"
    return f"n needed: {needed} {text.plural(unit)} in all, from the spread alone"


def seeds(row: Row) -> Iterator[str]:
    """Whether the arm did not learn, or its seeds fall into two heaps."""
    n, unit = row["n"], row["block_unit"]
    if row["at_chance"] is not pd.NA and row["at_chance"]:
        yield f"at chance level in {row['at_chance']} of {text.count(n, unit)}: there the arm learnt nothing"
    if not text.missing(row["heap_low"]):
        low, high = (text.value(row[name], row["unit"]) for name in ("heap_low", "heap_high"))
        yield (
            f"two heaps: {row['heap_low_n']} of {text.count(n, unit)} near {low}, the others near {high}; "
            "their mean stands for neither"
        )


def _proportion(row: Row) -> Iterator[str]:
    n, unit = row["n"], row["block_unit"]
    if row["cause"] == "unmeasured" or any(text.missing(row[name]) for name in ("value", "baseline_value")):
        yield "no runs of both sides ended"
        return
    counts = {"value": n, "baseline_value": row["baseline_n"]}
    arm, baseline = (_share(row[name], int(of), unit) for name, of in counts.items())
    what = "diverged" if row["metric"] == DIVERGED.name else "failed to learn"
    yield f"{what} in {arm}; the baseline in {baseline}"
    if row["cause"] == "too_few":
        yield f"{text.count(min(n, row['baseline_n']), unit)} of at least {MINIMUM_BLOCKS}"
    if row["cause"] == "tests_disagree":
        yield "interval and exact test (Fisher's) disagree, so nothing is decided"


def _share(share: float, n: int, unit: str) -> str:
    k = round(share * n)
    low, high = proportion_interval(k, n)
    return f"{k} of {text.count(n, unit)} (exact interval {100 * low:.0f} to {100 * high:.0f} %)"
