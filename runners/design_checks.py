"""What a study's design must hold beyond its types: levels, pairs and combinations that exist."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ablations import Architecture
from ablations.factor import nearest
from runners.errors import written
from runners.study_checks import context_levels
from runners.study_file import StudyFile

_OF_TWO_LEVELS = frozenset({"leave-one-out", "both-at-once", "fractional-factorial"})
_FEWEST_FOR_BOTH = 3


@dataclass(frozen=True, slots=True)
class CheckedDesign:
    """The levels as the design begins with them, and the combinations that are left out."""

    factors: Mapping[str, tuple[str, ...]]
    excluded: tuple[Mapping[str, str], ...]


def checked(
    file: StudyFile,
    factors: Mapping[str, tuple[str, ...]],
    architecture: Architecture | None,
    where: str,
    mistakes: list[str],
) -> CheckedDesign:
    """Hold a design against the factors; mistakes are added, a line each.

    Leaving one out begins with every change made: the second level of each factor is its baseline.
    """
    mistakes += [f"{where}: {line}" for line in _mistakes(file, factors)]
    excluded = [
        context_levels(table, architecture, f"{where}: exclude", mistakes)
        for table in file.exclude
        if architecture is not None
    ]
    mistakes += [f"{where}: {line}" for one in excluded for line in _strangers(one, factors)]
    if file.design == "leave-one-out":
        factors = {name: tuple(reversed(levels)) for name, levels in factors.items()}
    return CheckedDesign(factors, tuple(excluded))


def _mistakes(file: StudyFile, factors: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    if file.design in _OF_TWO_LEVELS:
        for name, levels in factors.items():
            if len(levels) > 2:
                yield (
                    f"{name} has {len(levels)} levels, and {file.design} compares two;"
                    " leave some out, or use one-at-a-time or full-factorial"
                )
    if file.design == "both-at-once" and len(factors) < _FEWEST_FOR_BOTH:
        yield f"both-at-once of {len(factors)} factors; expected 3 or more, or full-factorial"
    if file.resolution is not None and file.design != "fractional-factorial":
        yield f"resolution is one of fractional-factorial, not of {file.design}; leave it out"
    if file.pairs and file.design not in {"one-at-a-time", "leave-one-out"}:
        yield f"pairs join one-at-a-time and leave-one-out, not {file.design}; leave them out"
    for place, pair in enumerate(file.pairs):
        yield from _pair(pair, factors)
        if any(set(pair) == set(other) for other in file.pairs[:place]):
            yield f"pairs: {written(pair)} is there already; name it once"


def _pair(pair: tuple[str, ...], factors: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    if len(set(pair)) != 2 or len(pair) != 2:
        yield f"pairs: {written(pair)}: expected two factors, e.g. {written(tuple(factors)[:2])}"
    for name in pair:
        if name not in factors:
            yield f"pairs: {written(name)} is not compared in [factors]{nearest(name, factors)}"


def _strangers(one: Mapping[str, str], factors: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    text = ", ".join(f"{name} = {level}" for name, level in one.items())
    if len(one) < 2:
        yield f"exclude: {{ {text} }}: expected levels of two factors or more; else leave the level out"
    for name, level in one.items():
        if name not in factors:
            yield f"exclude: {written(name)} is not compared in [factors]{nearest(name, factors)}"
        elif level not in factors[name]:
            yield f"exclude: {name} = {level} is not compared in [factors]{nearest(level, factors[name])}"
