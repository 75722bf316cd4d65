"""What a study's tables must hold beyond their types: factors and levels that exist, metrics, data sets.

Levels come out in the one form in which they are compared, named and stored: `"3x3"` and `[3, 3]` are `3`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ablations import Architecture, execution
from ablations.factor import Factor, format_level, level_text, nearest
from results.records.values import LARGEST_NUMBER
from runners import claims, datasets, probes
from runners.errors import written
from runners.probes import WorkloadSettings

FEWEST_LEVELS = 2


def factor_levels(
    tables: Mapping[str, Any], architecture: Architecture, where: str, mistakes: list[str]
) -> dict[str, tuple[str, ...]]:
    """The levels of `[factors]` by factor, the baseline first."""
    found: dict[str, tuple[str, ...]] = {}
    for name, given in tables.items():
        factor = _factor(architecture, name, where, mistakes)
        if factor is None:
            continue
        if not isinstance(given, tuple):
            mistakes.append(f"{where}: {name} = {written(given)}: expected a list such as {_example(factor)}")
            continue
        levels = [_level(factor, level, where, mistakes) for level in given]
        for level in dict.fromkeys(
            level for level in levels if level is not None and levels.count(level) > 1
        ):
            same = [written(one) for one, its in zip(given, levels, strict=True) if its == level]
            mistakes.append(
                f"{where}: factor {name!r} has {' and '.join(same)}, which is one level; name it once"
            )
        if len(given) < FEWEST_LEVELS:
            mistakes.append(
                f"{where}: {name} = {written(given)}: nothing to compare;"
                f" expected {FEWEST_LEVELS} levels or more, e.g. {_example(factor)}"
            )
        found[name] = tuple(level for level in levels if level is not None)
    return found


def context_levels(
    table: Mapping[str, Any], architecture: Architecture, where: str, mistakes: list[str]
) -> dict[str, str]:
    """The levels that a workload fixes."""
    found = {}
    for name, given in table.items():
        factor = _factor(architecture, name, where, mistakes)
        level = None if factor is None else _level(factor, given, where, mistakes)
        if level is not None:
            found[name] = level
    return found


def margins(table: Mapping[str, Any], where: str, mistakes: list[str]) -> dict[str, float]:
    """The smallest effects that count, by metric."""
    found = {}
    for metric, margin in table.items():
        if metric not in probes.metrics():
            mistakes.append(f"{where}: no metric {written(metric)}{nearest(metric, probes.metrics())}")
        elif isinstance(margin, bool) or not isinstance(margin, int | float):
            mistakes.append(f"{where}: {metric} = {written(margin)}: expected a number, e.g. 0.05")
        elif not 0 <= margin <= LARGEST_NUMBER:
            mistakes.append(f"{where}: {metric} = {margin}; expected 0 or more, e.g. 0.05")
        else:
            found[metric] = float(margin)
    return found


def sources_of_claims(names: tuple[str, ...], where: str, mistakes: list[str]) -> tuple[str, ...]:
    """Sources of claims that there are; all of them for `all`."""
    known = claims.sources()
    mistakes += [
        f"{where}: claims: no source {written(name)}{nearest(name, (*known, 'all'))}"
        for name in names
        if name not in known and name != "all"
    ]
    return tuple(known) if "all" in names else tuple(name for name in names if name in known)


def conflicts(
    architecture: Architecture,
    factors: Mapping[str, tuple[str, ...]],
    workload: WorkloadSettings,
    where: str,
) -> Iterator[str]:
    """Factors that are compared and fixed at once, by the workload or by its data set; a line each."""
    for name in sorted(workload.levels.keys() & factors.keys()):
        yield f"{where}: levels: {name!r} is compared in [factors] already; leave it out of one"
    for name in sorted(workload.model_fields_set & factors.keys() & execution.NAMES):
        yield f"{where}: {name!r} is compared in [factors] already; leave it out of one"
    for name in sorted(workload.model_fields_set & workload.levels.keys() & execution.NAMES):
        yield f"{where}: {name!r} is a key and one of its levels; leave it out of one"
    dataset = getattr(workload, "dataset", None)
    if dataset is not None and (unfit := _unfit(dataset, architecture)):
        yield f"{where}: {unfit}"
        return
    for name, level in fixed_by(dataset, architecture).items() if dataset is not None else ():
        has = f"data set {dataset!r} has {name} = {level}"
        if name in factors:
            yield f"{where}: {has}, so that it cannot be compared in [factors]; leave one out"
        elif workload.levels.get(name, level) != level:
            yield f"{where}: levels: {name} = {workload.levels[name]}, but {has}; leave it out"
        try:
            architecture.factor(name).parse(level)
        except ValueError as error:
            yield f"{where}: {has}, which the architecture cannot have: {error}"


def _unfit(dataset: str, architecture: Architecture) -> str | None:
    """Why a data set is nothing for an architecture: the one labels images and the other pixels."""
    of_pixels = datasets.get(dataset).per_pixel
    if of_pixels == architecture.per_pixel:
        return None
    known = sorted(
        one.name for one in datasets.datasets().values() if one.per_pixel == architecture.per_pixel
    )
    labels, gives = ("pixels", "an image") if of_pixels else ("images", "a pixel")
    return (
        f"data set {dataset!r} labels {labels}, and {architecture.name} gives one answer {gives};"
        f" use one of: {', '.join(known)}"
    )


def fixed_by(dataset: str, architecture: Architecture) -> dict[str, str]:
    """The levels that a data set decides, of factors that the architecture has."""
    found = datasets.get(dataset)
    decided = {"in_channels": str(found.in_channels), "num_classes": str(found.num_classes)}
    known = {factor.name for factor in architecture.factors}
    return {name: level for name, level in decided.items() if name in known}


def _factor(architecture: Architecture, name: str, where: str, mistakes: list[str]) -> Factor | None:
    try:
        return architecture.factor(name)
    except ValueError as error:
        mistakes.append(f"{where}: {error}")
        return None


def _level(factor: Factor, given: object, where: str, mistakes: list[str]) -> str | None:
    """A level in its one form."""
    try:
        text = level_text(given)
    except ValueError:
        mistakes.append(
            f"{where}: factor {factor.name!r} has no level {written(given)}: expected {factor.expected}"
        )
        return None
    try:
        return format_level(factor.parse(text))
    except ValueError as error:
        mistakes.append(f"{where}: {error}")
        return None


def _example(factor: Factor) -> str:
    """`stem = ["shallow", "deep32"]`."""
    levels = [list(level) if isinstance(level, tuple) else level for level in factor.levels[:FEWEST_LEVELS]]
    return f"{factor.name} = {json.dumps(levels)}"
