"""A design as people read it: which arm has which levels, what it cannot tell apart, what is left out."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from results.records.resolved_study import ResolvedStudy
from results.tables.format import count
from results.verdicts.designs import FRACTION, alias_table, design_contrasts
from runners.plan import Plan
from runners.terminal.tables import print_line, print_table

MOST_ROWS = 64
"""Of a matrix on a terminal."""
_SAME = "·"
_ORDERS = {3: "III", 4: "IV", 5: "V"}


def print_design(planned: Plan) -> None:
    """Print the matrix of a design of several factors at a time, and what follows from it."""
    study = planned.study
    if all(len(arm.changes) < 2 for arm in study.arms):
        return
    rows = matrix_rows(planned)
    print_table(f"{study.design}: levels that differ from the baseline", rows[:MOST_ROWS])
    if len(rows) > MOST_ROWS:
        print_line(f"... and {len(rows) - MOST_ROWS:,} more arms")
    for line in said(study):
        print_line(line)


def matrix_rows(planned: Plan) -> list[dict[str, Any]]:
    """One row per arm: its level of each factor, a dot for the baseline's, and what its trials cost."""
    seconds: dict[str, float] = defaultdict(float)
    for trial in planned.trials:
        if not trial.optional:
            for arm in trial.arms:
                seconds[arm.name] += trial.estimated_seconds / len(trial.arms)
    names = [factor.name for factor in planned.study.factors]
    return [
        {
            "arm": number,
            **{
                name: planned.study.first_level(name)
                if arm.role == "baseline"
                else arm.changes.get(name, _SAME)
                for name in names
            },
            "seconds": f"{seconds[arm.name]:.0f}",
        }
        for number, arm in enumerate(one for one in planned.study.arms if one.role != "control")
    ]


def said(study: ResolvedStudy) -> Iterator[str]:
    """What the design estimates, what it cannot tell apart, and how many combinations are left out."""
    arms = sum(arm.role != "control" for arm in study.arms)
    whole = math.prod(len(factor.levels) for factor in study.factors)
    found = Counter[str](one.kind for one in design_contrasts(study) if not one.aliases)
    told = [
        text
        for kind, text in (
            ("main", count(found["main"], "main effect")),
            ("company", f"{count(found['company'], 'change')} in company of all others"),
            ("interaction", count(found["interaction"], "interaction")),
        )
        if found[kind]
    ]
    yield f"{count(arms, 'arm')} of {count(whole, 'combination')}: tells {', '.join(told) or 'nothing apart'}"
    if study.design == "full-factorial" and arms < whole:
        yield f"{count(whole - arms, 'combination')} left out by exclude"
    if study.design == FRACTION:
        groups = [group for group in alias_table(study) if len(group) > 1]
        shortest = min((len(word) for group in groups for word in _words(group)), default=0)
        yield f"a fraction of resolution {_ORDERS.get(shortest, shortest)}; it cannot tell apart:"
        yield from (f"  {' = '.join(group)}" for group in groups)


def _words(group: tuple[str, ...]) -> Iterator[set[str]]:
    """Products of factors that are constant over the arms: one member of a group times another."""
    first, *others = (set(member.removeprefix("−").split(" x ")) for member in group)
    yield from (first ^ other for other in others)
