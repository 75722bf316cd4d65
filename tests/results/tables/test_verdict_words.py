"""Verdicts as signs and words: what is better by the margin reads otherwise than what may not count."""

from pathlib import Path
from typing import Any

import pytest

from results.tables import verdict_words

ROOT = Path(__file__).parents[3]


def row(verdict: str, *, beyond: bool = False, margin: float = 0.05) -> dict[Any, Any]:
    return {"verdict": verdict, "beyond_margin": beyond, "margin": margin}


@pytest.mark.parametrize(
    ("given", "sign", "said"),
    [
        (row("better", beyond=True), "▲", "by at least the margin"),
        (row("better"), "△", "perhaps by less than counts"),
        (row("worse", beyond=True), "▼", "by at least the margin"),
        (row("worse"), "▽", "perhaps by less than counts"),
        (row("better", beyond=True, margin=0.0), "▲", ""),  # any difference counts
        (row("equivalent"), "≈", ""),
        (row("inconclusive"), "?", ""),
        (row("invalid"), "✗", ""),
    ],
)
def test_the_sign_is_hollow_where_the_effect_may_not_count(
    given: dict[Any, Any], sign: str, said: str
) -> None:
    assert verdict_words.sign(given) == sign
    assert verdict_words.by_how_much(given) == said
    assert sign in verdict_words.LEGEND


MAY = {"verdict_words.py", "latex.py"}
"""Where they are chosen, and where any sign is set in LaTeX's way."""


def test_no_other_place_makes_words_or_signs_of_a_verdict() -> None:
    signs = set("▲▼△▽≈")
    others = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "results").rglob("*.py")
        if signs & set(path.read_text(encoding="utf-8")) and path.name not in MAY
    }
    assert others == set()
