"""How wide the columns of a table are, so that all fit on the screen."""

from collections.abc import Sequence

_SHORT = (24, 16)
"""Characters up to which a column stands whole: a name and a trial's id; on a narrow screen an id."""
_LEAST = 14
"""Characters of a column that breaks; with less, rows read better one below the other."""


def widths(natural: Sequence[int], available: int) -> list[int] | None:
    """Short columns stay whole, long ones share what is left, each taking no more than it needs.

    Args:
        natural: Characters of each column's longest cell.
        available: Characters for all columns.

    Returns:
        Characters of each column; None where they are too many for the screen.
    """
    if sum(natural) <= available:
        return list(natural)
    for short in _SHORT:
        long = sorted((place for place, need in enumerate(natural) if need > short), key=natural.__getitem__)
        left = available - sum(need for need in natural if need <= short)
        if not long or left < _LEAST * len(long):
            continue
        found = list(natural)
        for done, place in enumerate(long):
            found[place] = min(natural[place], left // (len(long) - done))
            left -= found[place]
        return found
    return None
