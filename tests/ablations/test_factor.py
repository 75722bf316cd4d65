"""Levels, ranges and the messages that refuse what is neither."""

import datetime
import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ablations.factor import BEHAVIOURAL, Factor, Level, Range, format_level, level_text, nearest


def factor(
    baseline: Level,
    *choices: Level,
    name: str = "pool",
    span: Range | None = None,
    pairs: bool = False,
    examples: tuple[Level, ...] = (),
) -> Factor:
    return Factor(name, BEHAVIOURAL, baseline, choices, span, pairs, examples, "What follows the stem.")


KERNEL = factor(3, name="kernel", span=Range(1, 7), pairs=True, examples=(2, (3, 2)))
WIDTH = factor(64, name="width", span=Range(2, 512))
DEPTH = factor(50, 18, 34, 50, name="depth")
CEIL = factor(False, False, True, name="ceil")
POOL = factor("max", "max", "average", "none")


@pytest.mark.parametrize(
    ("level", "text"),
    [
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (-1, "-1"),
        ((3, 2), "3x2"),
        ((1, 2, 3, 6), "1-2-3-6"),
        ("deep64", "deep64"),
    ],
)
def test_a_level_is_written_as_the_grammar_says(level: Level, text: str) -> None:
    assert format_level(level) == text


@pytest.mark.parametrize(
    ("known", "text", "level"),
    [
        (KERNEL, "5", 5),
        (KERNEL, "3x2", (3, 2)),
        (KERNEL, "7x1", (7, 1)),
        (WIDTH, "512", 512),
        (DEPTH, "18", 18),
        (CEIL, "true", True),
        (CEIL, "false", False),
        (POOL, "none", "none"),
    ],
)
def test_a_level_is_read_as_the_grammar_says(known: Factor, text: str, level: Level) -> None:
    read = known.parse(text)
    assert read == level
    assert type(read) is type(level)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (3, "3"),
        ("deep64", "deep64"),
        ("3x2", "3x2"),
        (0.5, "0.5"),
        ([3, 2], "3x2"),
        ((3, 3), "3x3"),
        ([1, 2, 3, 6], "1-2-3-6"),
    ],
)
def test_a_level_of_a_file_is_written_as_a_specification_has_it(value: object, text: str) -> None:
    assert level_text(value) == text


@pytest.mark.parametrize(
    "value",
    [None, [], [3], [3, True], [3, 2.5], [3, [3, 3]], ["3", "2"], {"a": 1}, datetime.date(2024, 2, 29), b"3"],
)
def test_what_can_be_no_level_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"^expected a word, a whole number, true, false or a pair such as"):
        level_text(value)


def test_a_square_pair_is_one_number_however_it_comes_in() -> None:
    assert KERNEL.parse("2x2") == 2
    assert KERNEL.check((2, 2)) == 2
    square = factor((3, 3), name="kernel", span=Range(1, 7), pairs=True, examples=((5, 5), (3, 2)))
    assert square.baseline == 3
    assert square.levels == (3, 5, (3, 2))


ENTRIES = st.integers(-12, 25) | st.integers()


@given(low=st.integers(-9, 9), size=st.integers(0, 15), rows=ENTRIES, columns=ENTRIES)
@settings(deadline=None)
def test_a_range_with_pairs_allows_exactly_the_numbers_and_pairs_within_it(
    low: int, size: int, rows: int, columns: int
) -> None:
    high = low + size
    ranged = factor(low, span=Range(low, high), pairs=True)
    if low <= rows <= high and low <= columns <= high:
        level = rows if rows == columns else (rows, columns)
        assert ranged.parse(f"{rows}x{columns}") == ranged.check((rows, columns)) == level
    else:
        with pytest.raises(ValueError, match="has no level"):
            ranged.parse(f"{rows}x{columns}")
        with pytest.raises(ValueError, match="has no level"):
            ranged.check((rows, columns))


@given(st.text(max_size=12))
@settings(deadline=None)
def test_any_text_is_a_level_or_a_refusal_of_one_line(text: str) -> None:
    for known in (KERNEL, WIDTH, DEPTH, CEIL, POOL):
        try:
            known.check(known.parse(text))
        except ValueError as error:
            refusal = str(error)
        else:
            continue
        assert repr(text) in refusal
        assert len(refusal.splitlines()) == 1


@pytest.mark.parametrize(
    ("known", "text", "expected"),
    [
        (POOL, "averge", "factor 'pool' has no level 'averge'; did you mean 'average'?"),
        (POOL, "xyz", "factor 'pool' has no level 'xyz'; one of: average, max, none"),
        (CEIL, "True", "factor 'ceil' has no level 'True'; did you mean 'true'?"),
        (CEIL, "1", "factor 'ceil' has no level '1': expected one of false, true; nearest is true"),
        (DEPTH, "20", "factor 'depth' has no level '20': expected one of 18, 34, 50; nearest is 18"),
        (DEPTH, "deep", "factor 'depth' has no level 'deep'; one of: 18, 34, 50"),
        (DEPTH, "20.9", "factor 'depth' has no level '20.9': expected one of 18, 34, 50; nearest is 18"),
        (
            KERNEL,
            "2.6",
            "factor 'kernel' has no level '2.6': expected a whole number from 1 to 7,"
            " or a pair of them such as 3x2; nearest is 3",
        ),
        (POOL, "x" * 99, f"factor 'pool' has no level '{'x' * 60}...'; one of: average, max, none"),
        (
            WIDTH,
            "1000",
            "factor 'width' has no level '1000': expected a whole number from 2 to 512; nearest is 512",
        ),
        (
            WIDTH,
            "3x2",
            "factor 'width' has no level '3x2': expected a whole number from 2 to 512; nearest is 64",
        ),
        (
            KERNEL,
            "9x2",
            "factor 'kernel' has no level '9x2': expected a whole number from 1 to 7,"
            " or a pair of them such as 3x2; nearest is 7x2",
        ),
        (
            KERNEL,
            "9x9",
            "factor 'kernel' has no level '9x9': expected a whole number from 1 to 7,"
            " or a pair of them such as 3x2; nearest is 7x7",
        ),
        (
            KERNEL,
            "big",
            "factor 'kernel' has no level 'big': expected a whole number from 1 to 7,"
            " or a pair of them such as 3x2; nearest is 3",
        ),
    ],
)
def test_a_refusal_says_what_was_wrong_what_was_expected_and_what_is_nearest(
    known: Factor, text: str, expected: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        known.parse(text)


@pytest.mark.parametrize(
    ("known", "level"),
    [
        (CEIL, 1),
        (CEIL, "true"),
        (DEPTH, True),
        (DEPTH, "18"),
        (WIDTH, True),
        (WIDTH, (3, 2)),
        (KERNEL, (3, True)),
        (KERNEL, (3, 2, 1)),
        (KERNEL, "3"),
        (POOL, 1),
    ],
)
def test_a_level_of_another_type_is_refused_though_python_might_call_it_equal(
    known: Factor, level: Level
) -> None:
    with pytest.raises(ValueError, match=f"^factor '{known.name}' has no level "):
        known.check(level)


def test_levels_start_with_the_baseline_and_hold_each_level_once() -> None:
    assert POOL.levels == ("max", "average", "none")
    assert DEPTH.levels == (50, 18, 34)
    assert CEIL.levels == (False, True)
    assert KERNEL.levels == (3, 2, (3, 2))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Range(3, 2), "range 3 to 2 is empty; the lower end comes first"),
        (
            lambda: factor("min", "max", "average"),
            "factor 'pool' has no level 'min'; one of: average, max",
        ),
        (
            lambda: factor(3, name="kernel", span=Range(1, 7), examples=(8,)),
            "factor 'kernel' has no level '8': expected a whole number from 1 to 7; nearest is 7",
        ),
        (
            lambda: factor("a b", "a b"),
            "factor 'pool': 'a b' cannot be written in a specification;"
            " use letters, digits, '_', '-' and '.'",
        ),
        (
            lambda: factor("true", "true", True),
            "factor 'pool': two of its levels are equal or alike: true, true",
        ),
        (lambda: factor(1, 1, True), "factor 'pool': two of its levels are equal or alike: 1, true"),
    ],
)
def test_a_factor_that_could_not_be_written_or_told_apart_is_refused_when_made(
    make: Callable[[], object], expected: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        make()


def test_the_nearest_name_is_given_or_all_of_them_where_none_is_near() -> None:
    assert nearest("stemm", ["stem", "pool"]) == "; did you mean 'stem'?"
    assert nearest("zzz", ["stem", "pool"]) == "; one of: pool, stem"
    assert nearest("zzz", []) == ""
