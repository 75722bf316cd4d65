"""What is to be judged."""

from collections.abc import Mapping
from dataclasses import dataclass

from results.verdicts.cells import Cell


@dataclass(frozen=True, slots=True)
class Comparison:
    """A contrast to be judged.

    Attributes:
        cell: Where.
        arm: The arm in question.
        baseline: The arm that the row names as its baseline.
        coefficients: Weight of each arm; `{arm: 1, baseline: -1}` for an effect.
        family: Name of the family it is corrected in.
        labels: `factor`, `level`, `baseline_level` as they stand in the table.
        paired: Whether arms are compared within blocks, or as samples of their own.
        treated: The arms whose mean is the row's value.
        placebo: Whether it must come out as nothing, bit for bit.
        inert: Whether the context makes it do nothing.
        aliases: Other effects that it cannot be told from.
        sets: Pairs or quadruples of arms that it averages over, and how many the design has; None for an arm.
    """

    cell: Cell
    arm: str
    baseline: str
    coefficients: Mapping[str, float]
    family: str
    labels: Mapping[str, str]
    paired: bool = True
    treated: tuple[str, ...] = ()
    placebo: bool = False
    inert: bool = False
    aliases: tuple[str, ...] = ()
    sets: tuple[int, int] | None = None

    @property
    def in_question(self) -> tuple[str, ...]:
        """The arms whose mean is the row's value: the row's own unless others are given."""
        return self.treated or (self.arm,)
