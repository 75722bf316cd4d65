"""Which copy of a network does more than it reports: what the plugin and those who check it agree on."""

import hashlib

REPORTED, RUN = 100, 101
_COPIES = ("b", "c", "d", "e", "f", "g")


def slow_copy(seed: int) -> str:
    """The copy of `small` that does more than it reports."""
    return _COPIES[hashlib.sha256(f"calibration {seed}".encode()).digest()[0] % len(_COPIES)]
