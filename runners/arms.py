"""From a study's factors and design to its arms."""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from results.records.resolved_study import CONTROL_FACTOR, Arm
from runners.errors import BadInput
from runners.study import Study

MOST_ARMS = 4096
"""More could not be planned while one waits, let alone run."""

_WHOLE = {"both-at-once", "fractional-factorial"}
_NEEDED = {True: frozenset(_WHOLE), False: frozenset({*_WHOLE, "one-at-a-time", "leave-one-out"})}
"""Designs that cannot do without an arm, by whether it has several changes."""

Levels = Mapping[str, tuple[str, ...]]
Changes = dict[str, str]


def arms_of(study: Study) -> tuple[Arm, ...]:
    """Baseline, control, then the design's arms, those left out that the study excludes.

    Raises:
        BadInput: The design asks for more than the factors have, has more arms than can be planned, or needs
            a combination that the study excludes.
    """
    where, factors = f"study {study.name}", study.factors
    changes: Iterable[Changes]
    match study.design:
        case (
            "one-at-a-time" | "leave-one-out"
        ):  # the latter begins with all changes made: see `runners.study`
            changes = [*_one_at_a_time(factors), *_pairs(factors, study.pairs)]
        case "both-at-once":
            changes = _both_at_once(factors)
        case "full-factorial":
            _check_count(where, study.design, math.prod(map(len, factors.values())), factors)
            changes = _full_factorial(factors)
        case "fractional-factorial":
            changes = _fraction(where, factors, study.resolution)
        case unknown:
            raise AssertionError(unknown)
    kept = list(_allowed(study, changes))
    named = [Arm(_name(change), "arm", change) for change in kept if change]
    return (Arm("baseline", "baseline", {}), Arm(CONTROL_FACTOR, "control", {}), *named)


def _check_count(where: str, design: str, count: int, factors: Levels) -> None:
    if count > MOST_ARMS:
        raise BadInput(
            f"{where}: {design} makes {count:,} arms of {len(factors)} factors;"
            f" expected {MOST_ARMS:,} or fewer: leave factors out, or use one-at-a-time"
        )


def _one_at_a_time(factors: Levels) -> Iterator[Changes]:
    return ({name: level} for name, levels in factors.items() for level in levels[1:])


def _pairs(factors: Levels, pairs: Iterable[Sequence[str]]) -> Iterator[Changes]:
    """Both changes of each pair of factors, which with the single ones make its 2x2."""
    for first, second in pairs:
        for one, other in itertools.product(factors[first][1:], factors[second][1:]):
            yield {first: one, second: other}


def _both_at_once(factors: Levels) -> list[Changes]:
    """Each change alone, all of them together, and all but each one."""
    everything = {name: levels[1] for name, levels in factors.items()}
    without = [{name: level for name, level in everything.items() if name != left} for left in factors]
    return [*_one_at_a_time(factors), everything, *without]


def _full_factorial(factors: Levels) -> Iterator[Changes]:
    for combination in itertools.product(*factors.values()):
        yield _changes(factors, combination)


def _fraction(where: str, factors: Levels, resolution: int) -> Iterator[Changes]:
    """The smallest regular fraction of that resolution, of its mirror images the one with the baseline.

    Raises:
        BadInput: There is none that is smaller than the whole, or it is too large.
    """
    import pydoe

    if len(factors) < 3:
        raise BadInput(
            f"{where}: fractional-factorial of {len(factors)} factors; expected 3 or more, or full-factorial"
        )
    try:
        signs = pydoe.fracfact_by_res(len(factors), resolution)
    except ValueError:
        signs = None
    if signs is None or len(signs) == 2 ** len(factors):
        raise BadInput(
            f"{where}: resolution {resolution} leaves no fraction of {len(factors)} factors smaller than the"
            " whole; lower it, or use full-factorial"
        )
    for row in signs * -signs[0]:
        yield _changes(
            factors, [levels[int(sign > 0)] for levels, sign in zip(factors.values(), row, strict=True)]
        )


def _changes(factors: Levels, combination: Sequence[str]) -> Changes:
    chosen = zip(factors, combination, strict=True)
    return {name: level for name, level in chosen if level != factors[name][0]}


def _allowed(study: Study, changes: Iterable[Changes]) -> Iterator[Changes]:
    """Changes that nothing excludes.

    Raises:
        BadInput: One is excluded that the design cannot do without.
    """
    first = {name: levels[0] for name, levels in study.factors.items()}
    for change in changes:
        whole = (first | change).items()
        hit = next((one for one in study.excluded if one.items() <= whole), None)
        if hit is None:
            yield change
        elif not change or study.design in _NEEDED[len(change) > 1]:
            what = f"arm {_name(change)}" if change else "the baseline"
            raise BadInput(
                f"study {study.name}: exclude {_name(hit)}: leaves out {what}, which {study.design} needs;"
                " expected a full-factorial design, or other levels"
            )


def _name(change: Mapping[str, str]) -> str:
    return ",".join(f"{name}={change[name]}" for name in sorted(change))
