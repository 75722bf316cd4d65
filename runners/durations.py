"""Durations as people write them."""

import re

from runners.errors import BadInput

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str, option: str) -> float:
    """`90s`, `10m` or `1.5h` in seconds.

    Raises:
        BadInput: It is no duration; the line names the option.
    """
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)([smh])", text.strip())
    if match is None or float(match[1]) == 0:
        raise BadInput(f"{option} {text!r}: expected a duration above zero such as 90s, 10m or 1.5h")
    return float(match[1]) * _SECONDS[match[2]]
