"""From a study's factors and design to its arms."""

import itertools
import math
from collections.abc import Iterable, Mapping

from results.records.resolved_study import CONTROL_FACTOR, Arm
from runners.errors import BadInput
from runners.study import Study

MOST_ARMS = 4096
"""More could not be planned while one waits, let alone run."""


def arms_of(study: Study) -> tuple[Arm, ...]:
    """Baseline, control, then the design's arms.

    Raises:
        BadInput: The design has more arms than can be planned.
    """
    factors = study.factors
    match study.design:
        case "one-at-a-time":
            changes = _one_at_a_time(factors)
        case "full-factorial":
            count = math.prod(len(levels) for levels in factors.values())
            if count > MOST_ARMS:
                raise BadInput(
                    f"study {study.name}: full-factorial makes {count:,} arms of {len(factors)} factors;"
                    f" expected {MOST_ARMS:,} or fewer: leave factors out, or use one-at-a-time"
                )
            changes = _full_factorial(factors)
        case unknown:
            raise AssertionError(unknown)
    named = [Arm(_name(change), "arm", change) for change in changes if change]
    return (Arm("baseline", "baseline", {}), Arm(CONTROL_FACTOR, "control", {}), *named)


def _one_at_a_time(factors: Mapping[str, tuple[str, ...]]) -> Iterable[dict[str, str]]:
    return ({name: level} for name, levels in factors.items() for level in levels[1:])


def _full_factorial(factors: Mapping[str, tuple[str, ...]]) -> Iterable[dict[str, str]]:
    for combination in itertools.product(*factors.values()):
        chosen = zip(factors, combination, strict=True)
        yield {name: level for name, level in chosen if level != factors[name][0]}


def _name(change: Mapping[str, str]) -> str:
    return ",".join(f"{name}={change[name]}" for name in sorted(change))
