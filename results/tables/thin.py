"""Of too many values those that show the others."""

from collections.abc import Sequence

from results.tables import format as text

MOST_DOTS = 120
"""More dots in a line than this hide each other."""


def evenly(values: Sequence[float]) -> list[float]:
    """The known values, or of too many some evenly through their order, the ends among them."""
    known = [float(value) for value in values if not text.missing(value)]
    if len(known) <= MOST_DOTS:
        return known
    ordered = sorted(known)
    return [ordered[round(i * (len(ordered) - 1) / (MOST_DOTS - 1))] for i in range(MOST_DOTS)]
