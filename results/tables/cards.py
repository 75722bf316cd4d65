"""Cards by what they hold."""

import re

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def capacity(card: str) -> tuple[float, str]:
    """A key that sorts cards by their bytes, whatever the case they are written in: `8GiB` before `24gib`.

    Those that do not say what they hold come last, by name.
    """
    found = re.match(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", card.lower())
    if found is None:
        return (float("inf"), card)
    units = _BINARY if found[3] else _UNITS
    return (float(found[1]) * units.get(found[2], 1), card)
