"""Sizes of memory as people write them."""

import re

from ablations.factor import nearest

UNITS = {
    "B": 1,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
}


def parse_size(text: str) -> int:
    """`24GiB` or `1.5 GB` as bytes; units are matched whatever their case.

    Raises:
        ValueError: It is no size.
    """
    match = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*([A-Za-z]+)\s*", text)
    if match is None:
        raise ValueError(f"{text!r}: expected a size such as 24GiB")
    by_case = {unit.lower(): nbytes for unit, nbytes in UNITS.items()}
    if match[2].lower() not in by_case:
        raise ValueError(f"{text!r}: no unit {match[2]!r}{nearest(match[2], UNITS)}")
    nbytes = int(float(match[1]) * by_case[match[2].lower()])
    if nbytes < 1:
        raise ValueError(f"{text!r}: expected more than nothing, e.g. 24GiB")
    return nbytes
