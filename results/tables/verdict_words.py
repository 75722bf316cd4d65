"""Verdicts as signs and words for people: nowhere else is either chosen.

A verdict says that an effect is there. Whether it is one that counts is another matter: better "by at least
the margin" where the whole interval lies beyond it, and else "perhaps by less than counts".
"""

from collections.abc import Hashable, Mapping
from typing import Any

from results.tables import format as text

SIGNS = {"better": "▲", "worse": "▼", "equivalent": "≈", "inconclusive": "?", "invalid": "✗"}
"""A sign for each verdict, so that colour never stands alone."""
_HOLLOW = {"better": "△", "worse": "▽"}
BY_MARGIN = "by at least the margin"
PERHAPS_LESS = "perhaps by less than counts"
LEGEND = (
    f"▲ better, ▼ worse {BY_MARGIN}; △ better, ▽ worse, {PERHAPS_LESS}; "
    "≈ equivalent within the margin; ? not decided; ✗ invalid."
)
DUPLICATE = "baseline's duplicate"
"""What the arm of the A/A control is called where arms are listed."""
HOLLOW_LABEL = f"△ ▽ {PERHAPS_LESS}"

Row = Mapping[Hashable, Any]


def is_weak(row: Row) -> bool:
    """Whether a row is better or worse, and yet its interval reaches into the margin."""
    return row["verdict"] in _HOLLOW and not row["beyond_margin"]


def sign(row: Row) -> str:
    """`▲`, or `△` where the effect may be too small to count."""
    return _HOLLOW[row["verdict"]] if is_weak(row) else SIGNS[row["verdict"]]


def by_how_much(row: Row) -> str:
    """What a verdict says beside its word: "by at least the margin"; "" where any difference counts."""
    if is_weak(row):
        return PERHAPS_LESS
    return BY_MARGIN if row["verdict"] in _HOLLOW and has_margin(row) else ""


def has_margin(row: Row) -> bool:
    """Whether there are differences too small to count."""
    return not text.missing(row["margin"]) and row["margin"] > 0
