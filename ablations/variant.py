"""A variant, one architecture with a level for each factor, and the grammar it is written in.

`ARCHITECTURE[:factor=level[,factor=level...]]`, e.g. `resnet:depth=50,stem=deep64,norm=none`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ablations.factor import WORD, Level, format_level

_NAME = WORD.pattern
_SPECIFICATION = re.compile(rf"(?P<architecture>{_NAME})(?::(?P<assignments>.*))?", re.DOTALL)
_ASSIGNMENT = re.compile(rf"(?P<factor>{_NAME})=(?P<level>{_NAME})")


class Parsed(NamedTuple):
    """A specification taken apart, not yet held against any architecture."""

    architecture: str
    assignments: dict[str, str]


def parse(specification: str) -> Parsed:
    """Take a specification apart.

    Raises:
        ValueError: It does not follow the grammar, or names a factor twice.
    """
    match = _SPECIFICATION.fullmatch(specification)
    if match is None:
        raise ValueError(
            f"variant {specification!r}: expected ARCHITECTURE[:factor=level,...],"
            " e.g. resnet:depth=50,stem=deep64"
        )
    assignments: dict[str, str] = {}
    text = match["assignments"]
    for part in [] if text is None else text.split(","):
        assignment = _ASSIGNMENT.fullmatch(part)
        if assignment is None:
            raise ValueError(f"variant {specification!r}: {part!r} is not factor=level, e.g. stem=deep64")
        if assignment["factor"] in assignments:
            raise ValueError(
                f"variant {specification!r}: factor {assignment['factor']!r} is given twice; give it once"
            )
        assignments[assignment["factor"]] = assignment["level"]
    return Parsed(match["architecture"], assignments)


def canonical(architecture: str, assignments: Mapping[str, Level]) -> str:
    """A specification with its factors in order of their names."""
    parts = (f"{factor}={format_level(assignments[factor])}" for factor in sorted(assignments))
    text = ",".join(parts)
    return f"{architecture}:{text}" if text else architecture


@dataclass(frozen=True, slots=True)
class Variant:
    """One architecture with a level for each of its factors.

    Attributes:
        architecture: The architecture's name.
        levels: Every factor's level, in order of the factors' names.
        baseline: Every factor's baseline, in the same order.
    """

    architecture: str
    levels: tuple[tuple[str, Level], ...]
    baseline: tuple[tuple[str, Level], ...]

    @property
    def specification(self) -> str:
        """The canonical form, for people: baseline levels are left out."""
        changes = {
            name: level
            for (name, level), (_, usual) in zip(self.levels, self.baseline, strict=True)
            if level != usual
        }
        return canonical(self.architecture, changes)

    @property
    def complete_specification(self) -> str:
        """Every level spelled out, for records and hashes: a changed default never changes what it means."""
        return canonical(self.architecture, dict(self.levels))

    def __str__(self) -> str:
        return self.specification
