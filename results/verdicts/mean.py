"""An arm's mean as a sample of its own."""

import math
from dataclasses import dataclass

from scipy import special

from results.verdicts.spread import Spread


@dataclass(frozen=True, slots=True)
class Mean:
    """An arm's mean and how well it is known.

    Attributes:
        value: On the scale of the analysis.
        n: Blocks.
        spread: Variance of a single block; None from fewer than two.
        is_share: Whether it lies between 0 and 1.
        worth: How many exactly known blocks these are worth; as many as there are unless told otherwise.
    """

    value: float
    n: int
    spread: Spread | None
    is_share: bool = False
    worth: float | None = None

    @property
    def variance(self) -> float:
        """Of the mean; not a number where it is not known."""
        return math.nan if self.spread is None else self.spread.variance / (self.worth or self.n)

    def ends(self, reach: float) -> tuple[float, float]:
        """The interval of the mean, so many standard errors to either side; of a share by its logit."""
        half = reach * math.sqrt(self.variance)
        if not self.is_share:
            return self.value - half, self.value + half
        if half == 0:
            return self.value, self.value
        if not 0 < self.value < 1:  # has no logit: as far as others' spread reaches, from the bound inwards
            return max(0.0, self.value - half), min(1.0, self.value + half)
        middle, half = special.logit(self.value), half / (self.value * (1 - self.value))
        return float(special.expit(middle - half)), float(special.expit(middle + half))
