"""Sizes of cards as people write them, in one spelling; needs no PyTorch."""

import re
from collections.abc import Iterable
from decimal import Decimal

from runners.memory.sizes import UNITS, parse_size


def card_name(text: str) -> str:
    """`24gib`, `24.0 GiB` and `24GiB` as `24GiB`.

    Raises:
        ValueError: It is no size.
    """
    parse_size(text)
    match = re.search(r"([\d.]+)\s*([A-Za-z]+)", text)
    assert match is not None
    unit = next(unit for unit in UNITS if unit.lower() == match[2].lower())
    return f"{Decimal(match[1]).normalize():f}{unit}"


def cards_by_size(texts: Iterable[str]) -> dict[str, int]:
    """Bytes of each card by its name, the smallest first, each once.

    Raises:
        ValueError: One of them is no size.
    """
    sizes = {card_name(text): parse_size(text) for text in texts}
    return dict(sorted(sizes.items(), key=lambda item: item[1]))
