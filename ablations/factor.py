"""Factors and levels: the frozen value types, and how a level is written in a specification."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

Level = bool | int | str | tuple[int, ...]
"""A factor's value: a flag, a number, a word, or a pair or sequence of whole numbers."""


class Kind(StrEnum):
    """What a factor may change, and so what a test has to show of it."""

    BEHAVIOURAL = "behavioural"
    """It changes the function that is computed."""
    EQUIVALENT = "equivalent"
    """Outputs and gradients match bit for bit; a placebo in convergence."""
    RESOURCE_ONLY = "resource-only"
    """The same function up to rounding, at another cost."""


BEHAVIOURAL, EQUIVALENT, RESOURCE_ONLY = Kind.BEHAVIOURAL, Kind.EQUIVALENT, Kind.RESOURCE_ONLY


@dataclass(frozen=True, slots=True)
class Range:
    """The whole numbers from `low` to `high`, both included; for each entry of a pair."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"range {self.low} to {self.high} is empty; the lower end comes first")

    def __contains__(self, number: int) -> bool:
        return self.low <= number <= self.high


@dataclass(frozen=True, slots=True)
class Examples:
    """Levels that stand for a range in listings and contract tests, beside the baseline."""

    levels: tuple[Level, ...]

    def __init__(self, *levels: Level) -> None:
        object.__setattr__(self, "levels", levels)


WORD = re.compile(r"[A-Za-z0-9_.-]+")
"""What specifications can hold as a name or a level."""

_INTEGER = r"-?\d{1,18}"
_LONGEST = 60
"""Characters of a level that a message repeats."""


def nearest(name: str, candidates: Iterable[str]) -> str:
    """The end of an error message: the nearest candidate, or all of them.

    Example: `"; did you mean 'stem'?"`, or `"; one of: max, average"` where nothing is near.
    """
    known = sorted(candidates)
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; one of: {', '.join(known)}" if known else ""


def format_level(level: Level) -> str:
    """A level as specifications write it: `true`, `3`, `3x2`, `1-2-3-6`, `deep64`."""
    if isinstance(level, bool):
        return "true" if level else "false"
    if isinstance(level, tuple):
        return ("x" if len(level) == 2 else "-").join(map(str, level))
    return str(level)


def level_text(value: object) -> str:
    """A level as TOML has it (3, true, "deep64", [3, 2]) in the words of a specification.

    A number with a fraction is written too, since a word may look like one.

    Raises:
        ValueError: It can be no level of any factor.
    """
    match value:
        case bool() | int() | str():
            return format_level(value)
        case float():
            return str(value)
        case [_, _, *_]:
            numbers = tuple(entry for entry in value if type(entry) is int)
            if len(numbers) == len(value):
                return format_level(numbers)
    raise ValueError("expected a word, a whole number, true, false or a pair such as [3, 2]")


@dataclass(frozen=True, slots=True)
class Factor:
    """One keyword-only argument of an architecture.

    Attributes:
        name: The argument's name.
        kind: What the factor may change.
        baseline: The argument's default.
        choices: The allowed levels, or () where `range` rules.
        range: The allowed whole numbers, or None where `choices` rule.
        pairs: Whether a pair (rows, columns) of whole numbers in `range` is allowed too.
        examples: Levels other than the baseline that stand for the factor in listings and contract tests.
        help: What the factor is, from the architecture's docstring.
    """

    name: str
    kind: Kind
    baseline: Level
    choices: tuple[Level, ...]
    range: Range | None
    pairs: bool
    examples: tuple[Level, ...]
    help: str

    def __post_init__(self) -> None:
        texts = [self.name, *map(format_level, self.choices)]
        for text in texts:
            if not WORD.fullmatch(text):
                raise ValueError(
                    f"factor {self.name!r}: {text!r} cannot be written in a specification;"
                    " use letters, digits, '_', '-' and '.'"
                )
        if min(len(set(self.choices)), len(set(texts[1:]))) < len(self.choices):  # True == 1 in Python
            raise ValueError(f"factor {self.name!r}: two of its levels are equal or alike: {self.expected}")
        object.__setattr__(self, "baseline", self.check(self.baseline))
        object.__setattr__(self, "examples", tuple(map(self.check, self.examples)))

    @property
    def levels(self) -> tuple[Level, ...]:
        """The baseline first, then the choices or the examples."""
        others = self.choices or self.examples
        return (self.baseline, *(level for level in others if level != self.baseline))

    @property
    def expected(self) -> str:
        """What may stand for a level, in words."""
        if self.range is None:
            return ", ".join(map(format_level, self.choices))
        numbers = f"a whole number from {self.range.low} to {self.range.high}"
        return f"{numbers}, or a pair of them such as 3x2" if self.pairs else numbers

    def check(self, level: Level) -> Level:
        """Refuse a level that the factor does not have.

        Returns:
            The level in its one form: a square pair is one number, so that equal networks have equal names.

        Raises:
            ValueError: With what was expected and the nearest valid choice.
        """
        if not self._has(level):
            raise self._refusal(format_level(level))
        if self.range is not None and isinstance(level, tuple) and level[0] == level[1]:
            return level[0]
        return level

    def parse(self, text: str) -> Level:
        """Read a level as specifications write it.

        Raises:
            ValueError: With what was expected and the nearest valid choice.
        """
        for choice in self.choices:
            if text == format_level(choice):
                return choice
        if self.range is not None:
            numbers = re.fullmatch(rf"({_INTEGER})(?:x({_INTEGER}))?", text)
            if numbers is not None:
                rows, columns = numbers.groups()
                level: Level = int(rows) if columns is None else (int(rows), int(columns))
                if self._has(level):
                    return self.check(level)
        raise self._refusal(text)

    def _has(self, level: Level) -> bool:
        if self.range is None:
            # `True == 1` in Python, but a flag is no number here.
            return any(type(level) is type(choice) and level == choice for choice in self.choices)
        entries = level if isinstance(level, tuple) and self.pairs and len(level) == 2 else (level,)
        return all(type(entry) is int and entry in self.range for entry in entries)

    def _refusal(self, text: str) -> ValueError:
        shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
        said = f"factor {self.name!r} has no level {shown!r}"
        number = round(float(text)) if re.fullmatch(r"-?\d{1,9}(?:\.\d{1,9})?", text) else None
        if self.range is None:
            numeric = [choice for choice in self.choices if isinstance(choice, int)]
            if number is None or len(numeric) < len(self.choices):
                return ValueError(f"{said}{nearest(text, map(format_level, self.choices))}")
            near: Level = min(numeric, key=lambda choice: abs(choice - number))
            return ValueError(f"{said}: expected one of {self.expected}; nearest is {format_level(near)}")
        numbers = [number] if number is not None else [int(entry) for entry in re.findall(_INTEGER, text)]
        clamped = [min(max(entry, self.range.low), self.range.high) for entry in numbers]
        near = self.baseline
        if len(clamped) == 1:
            near = clamped[0]
        elif self.pairs and len(clamped) == 2:
            near = (clamped[0], clamped[1])
        return ValueError(f"{said}: expected {self.expected}; nearest is {format_level(near)}")
