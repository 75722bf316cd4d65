"""Tables: whatever the width of the screen, every character of every cell is there."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runners import study
from runners.plan import plan
from runners.terminal import listings, tables
from runners.terminal.plans import trial_rows, workload_rows
from runners.terminal.tables import print_table, text

RULE = "─"
WIDTHS = [80, 100]

each_width = pytest.mark.parametrize("width", WIDTHS)


def characters(*texts: str) -> Counter[str]:
    """How often each character but blanks and rules occurs."""
    return Counter("".join("".join(texts).split()).replace(RULE, ""))


def is_whole(shown: str, rows: list[dict[str, Any]]) -> bool:
    """Whether all of it is there, headings once (a table) or for each row (a list)."""
    told = characters("a title", *(text(value) for row in rows for value in row.values()))
    headings = characters(*(column.replace("_", " ") for column in rows[0]))
    return characters(shown) in (
        told + headings,
        told + Counter({c: n * len(rows) for c, n in headings.items()}),
    )


def printed(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    width: int,
    rows: list[dict[str, Any]],
) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    print_table("a title", rows)
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= width
    return shown


@each_width
@pytest.mark.parametrize("what", sorted(set(listings.LISTINGS) - {"claims"}))
def test_no_character_of_a_listing_is_cut_off(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int, what: str
) -> None:
    rows = listings.rows(what)
    assert is_whole(printed(capsys, monkeypatch, width, rows), rows)


@each_width
def test_no_character_of_a_plan_is_cut_off(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    planned = plan(study.load("stem"))
    for rows in (workload_rows(planned, 2), trial_rows(planned)):
        assert is_whole(printed(capsys, monkeypatch, width, rows), rows)


def test_what_is_too_narrow_for_a_table_is_a_list(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{f"heading_{index}": f"value {index} of {row}" for index in range(9)} for row in range(2)]
    shown = printed(capsys, monkeypatch, 80, rows)
    assert "heading 3 value 3 of 1" in shown
    assert is_whole(shown, rows)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lengths=st.lists(st.integers(0, 200), min_size=1, max_size=8),
    width=st.sampled_from([40, *WIDTHS, tables.PIPED_WIDTH]),
)
def test_long_words_break_and_are_never_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, lengths: list[int], width: int
) -> None:
    rows: list[dict[str, Any]] = [
        {letter: letter * length for letter, length in zip("ABCDEFGH", lengths, strict=False)}
    ]
    assert is_whole(printed(capsys, monkeypatch, width, rows), rows)


def test_markup_in_a_cell_is_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = printed(capsys, monkeypatch, 80, [{"[b]head[/b]": "[red]cell[/red] :smile:"}])
    assert "[b]head[/b]" in shown
    assert "[red]cell[/red] :smile:" in shown


def test_nothing_to_list_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("claims", [])
    assert capsys.readouterr().out == "claims: none\n"
