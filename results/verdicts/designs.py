"""Which contrasts a design holds beside "arm against baseline", and which of them it cannot tell apart.

Averages over all arms that a question concerns use every measurement for every factor (R. A. Fisher, "The
Design of Experiments", 1935): a main effect is the mean difference of the pairs of arms that differ in one
factor alone, an interaction that of the quadruples that differ in two. A fraction has no such pairs; its
contrasts are those of the columns of signs (G. E. P. Box and J. S. Hunter, "The 2^(k-p) fractional factorial
designs", Technometrics 3, 1961), and what shares a column cannot be told apart.
"""

import itertools
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from results.records.resolved_study import Arm, ResolvedStudy

Kind = Literal["main", "company", "interaction"]
Changes = tuple[tuple[str, str], ...]
"""Levels that differ from the baseline's, sorted by factor."""

FRACTION = "fractional-factorial"
BOTH = "both-at-once"
FACTORIALS = frozenset({"full-factorial", FRACTION})
"""Designs whose arms are there to be averaged over."""
SHOWN_ORDER = 3
"""An alias table names products of so many factors at most; those of more are taken to be nothing."""


@dataclass(frozen=True, slots=True)
class DesignContrast:
    """A linear combination of arms that answers one question.

    Attributes:
        kind: `main` is a change averaged over whatever else there is, `company` a change while all others are
            made, `interaction` what two changes do together beyond what each does alone, or a change in
            company beyond what it does alone.
        name: `stem=deep64`, `norm=none,stem=deep64`, `stem=deep64 in company`.
        factors: The factors it is about, sorted.
        levels: Their levels.
        weights: By arm, those in question first.
        treated: The arms that have all of the levels, with a positive weight.
        sets: Pairs or quadruples of arms that it averages over; 0 for a fraction.
        of: How many there are in the design.
        aliases: Main effects and interactions of two factors that it cannot be told from, by their names.
    """

    kind: Kind
    name: str
    factors: tuple[str, ...]
    levels: tuple[str, ...]
    weights: Mapping[str, float]
    treated: tuple[str, ...]
    sets: int = 0
    of: int = 0
    aliases: tuple[str, ...] = ()


def design_contrasts(study: ResolvedStudy, known: Collection[str] | None = None) -> list[DesignContrast]:
    """The contrasts of a study's design.

    Args:
        study: The study.
        known: Arms that have numbers; pairs and quadruples without one for each are left out. All by default.
    """
    arms = {_key(arm): arm.name for arm in study.arms if arm.role != "control"}
    if study.design == FRACTION:
        return list(_of_fraction(study, arms))
    here = {key: name for key, name in arms.items() if known is None or name in known}
    found: list[DesignContrast] = []
    if study.design == BOTH:
        found += _in_company(study, arms, here)
    changes = [(factor.name, level) for factor in study.factors for level in factor.levels[1:]]
    wanted: list[Changes] = [(change,) for change in changes] if study.design in FACTORIALS else []
    pairs = itertools.combinations(changes, 2)
    wanted += [tuple(sorted(pair)) for pair in pairs if pair[0][0] != pair[1][0]]
    for asked in wanted:
        every, sets = (list(_matched(asked, those)) for those in (arms, here))
        if every:
            found.append(_averaged(asked, sets or every, len(sets), len(every)))
    return found


def _key(arm: Arm) -> Changes:
    return tuple(sorted(arm.changes.items()))


def _matched(asked: Changes, arms: Mapping[Changes, str]) -> Iterator[dict[str, float]]:
    """Sets of arms that differ in nothing but these changes, each with the sign of every arm."""
    for key in arms:
        if not set(asked) <= set(key):
            continue
        rest = tuple(change for change in key if change not in asked)
        signs: dict[str, float] = {}
        for count in range(len(asked), -1, -1):
            for kept in itertools.combinations(asked, count):
                name = arms.get(tuple(sorted((*rest, *kept))))
                if name is not None:
                    signs[name] = (-1.0) ** (len(asked) - count)
        if len(signs) == 2 ** len(asked):
            yield signs


def _averaged(asked: Changes, sets: Sequence[Mapping[str, float]], known: int, of: int) -> DesignContrast:
    treated = tuple(next(iter(signs)) for signs in sets)
    weights = {name: sign / len(sets) for signs in sets for name, sign in signs.items()}
    ordered = {name: weights[name] for name in (*treated, *weights)}
    factors, levels = zip(*asked, strict=True)
    kind: Kind = "main" if len(asked) == 1 else "interaction"
    return DesignContrast(kind, named(factors, levels), factors, levels, ordered, treated, known, of)


def _in_company(
    study: ResolvedStudy, arms: Mapping[Changes, str], here: Mapping[Changes, str]
) -> Iterator[DesignContrast]:
    """Each change while all others are made, and that beyond what it does alone."""
    whole = max(arms, key=len)
    for factor in study.factors:
        change = (factor.name, factor.levels[1])
        without = tuple(one for one in whole if one != change)
        names = [arms.get(key) for key in (whole, without, (change,), ())]
        if any(name is None for name in names):
            continue
        everything, others, alone, baseline = (str(name) for name in names)
        known = {everything, others} <= set(here.values())
        compared = known and {alone, baseline} <= set(here.values())
        name = f"{factor.name}={change[1]} in company"
        of = ((factor.name,), (change[1],))
        yield DesignContrast(
            "company", name, *of, {everything: 1.0, others: -1.0}, (everything,), int(known), 1
        )
        if len(study.factors) > 2:
            weights = {everything: 1.0, others: -1.0, alone: -1.0, baseline: 1.0}
            yield DesignContrast("interaction", name, *of, weights, (everything,), int(compared), 1)


def without(study: ResolvedStudy, contrast: DesignContrast, factor: str) -> Iterator[tuple[str, str]]:
    """The arms of a contrast that have a factor's change, each with the one that differs in nothing else."""
    names = {_key(arm): arm.name for arm in study.arms if arm.role != "control"}
    for key, name in names.items():
        if name in contrast.weights and factor in dict(key):
            partner = names.get(tuple(change for change in key if change[0] != factor))
            if partner in contrast.weights:
                yield name, str(partner)


def _of_fraction(study: ResolvedStudy, arms: Mapping[Changes, str]) -> Iterator[DesignContrast]:
    """Contrasts of the columns of signs, of one factor and of two, with what shares each column."""
    changed = {factor.name: factor.levels[1] for factor in study.factors}
    columns = {
        factors: tuple(_sign(key, factors) for key in arms)
        for order in (1, 2)
        for factors in itertools.combinations(sorted(changed), order)
    }
    sharing: dict[tuple[int, ...], list[tuple[str, ...]]] = {}
    for factors, signs in columns.items():
        sharing.setdefault(_unsigned(signs), []).append(factors)
    for factors, signs in columns.items():
        levels = tuple(changed[name] for name in factors)
        others = [other for other in sharing[_unsigned(signs)] if other != factors]
        scale = 2 ** len(factors) / len(arms)
        weights = {name: scale * sign for name, sign in zip(arms.values(), signs, strict=True)}
        asked = set(zip(factors, levels, strict=True))
        treated = tuple(name for key, name in arms.items() if asked <= set(key))
        ordered = {name: weights[name] for name in (*treated, *weights)}
        yield DesignContrast(
            "main" if len(factors) == 1 else "interaction",
            named(factors, levels),
            factors,
            levels,
            ordered,
            treated,
            aliases=tuple(" x ".join(other) for other in others),
        )


def _sign(key: Changes, factors: Sequence[str]) -> int:
    changed = {name for name, _ in key}
    return math.prod(1 if name in changed else -1 for name in factors)


def _unsigned(signs: tuple[int, ...]) -> tuple[int, ...]:
    """A column and its opposite are one."""
    return signs if signs[0] > 0 else tuple(-sign for sign in signs)


def named(factors: Sequence[str], levels: Sequence[str]) -> str:
    """`norm=none,stem=deep64`, as an arm with these changes is named."""
    return ",".join(f"{factor}={level}" for factor, level in zip(factors, levels, strict=True))


def alias_table(study: ResolvedStudy) -> list[tuple[str, ...]]:
    """What a fraction cannot tell apart: products of factors that share a column of signs, shortest first.

    A group for each column that holds a factor or a pair; products of more than three factors are left out.
    A minus stands before what has the opposite signs of the first.
    """
    if study.design != FRACTION:
        return []
    keys = [_key(arm) for arm in study.arms if arm.role != "control"]
    names = sorted(factor.name for factor in study.factors)
    groups: dict[tuple[int, ...], list[tuple[tuple[str, ...], int]]] = {}
    for order in range(1, min(SHOWN_ORDER, len(names)) + 1):
        for factors in itertools.combinations(names, order):
            signs = tuple(_sign(key, factors) for key in keys)
            groups.setdefault(_unsigned(signs), []).append((factors, signs[0]))
    return [
        tuple(f"{'' if sign == group[0][1] else '−'}{' x '.join(factors)}" for factors, sign in group)
        for group in groups.values()
        if len(group[0][0]) <= 2
    ]
