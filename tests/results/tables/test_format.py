import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.tables import format as text


@pytest.mark.parametrize(
    ("number", "unit", "shown"),
    [
        (13.2 * 2**30, "bytes", "13.2 GiB"),
        (737 * 2**20, "bytes", "737 MiB"),
        (512, "bytes", "512 B"),
        (0, "bytes", "0 B"),
        (0.0413, "seconds", "41.3 ms"),
        (2.5, "seconds", "2.50 s"),
        (0.871, "fraction", "87.1 %"),
        (25_557_032, "count", "25.6 M"),
        (640, "count", "640"),
        (10_732, "count", "10,732"),
        (701_466, "count", "701,466"),
        (120, "steps", "120 steps"),
        (0.693, "nats", "0.69 nats"),
        (None, "bytes", "—"),
        (math.nan, "seconds", "—"),
    ],
)
def test_a_value_reads_with_its_unit(number: float | None, unit: str, shown: str) -> None:
    assert text.value(number, unit) == shown


SIZES = {"k": 1e3, "G": 1e9, "M": 1e6, "TiB": 2**40, "GiB": 2**30, "MiB": 2**20, "KiB": 2**10, "B": 1}
SIZES |= {"s": 1, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9, "%": 0.01, "steps": 1, "images/s": 1}


@given(power=st.floats(0, 14), unit=st.sampled_from(["bytes", "seconds", "count", "steps", "images/s"]))
def test_what_is_shown_is_the_number_to_three_digits(power: float, unit: str) -> None:
    """Read back as a reader would: digits, times what each word after them stands for."""
    number = 10 ** (power - 8 if unit == "seconds" else power)
    digits, *words = text.value(number, unit).replace(",", "").split(" ")
    read = float(digits) * math.prod(SIZES[word] for word in words)
    assert read == pytest.approx(number, rel=0.006)


@pytest.mark.parametrize(
    ("number", "kind", "unit", "effect", "change"),
    [
        (1.31, "ratio", "bytes", "×1.31", "+31 %"),
        (0.72, "ratio", "bytes", "×0.720", "−28 %"),
        (1.0234, "ratio", "seconds", "×1.023", "+2.3 %"),
        (1.0, "ratio", "bytes", "×1.00", "±0 %"),
        (12.0, "ratio", "bytes", "×12.0", "×12.0"),
        (0.031, "difference", "fraction", "+3.1 points", "+3.1 points"),
        (-0.0002, "difference", "fraction", "−0.02 points", "−0.02 points"),
        (-0.000017, "difference", "fraction", "±0 points", "±0 points"),
        (1e-16, "difference", "fraction", "±0 points", "±0 points"),
        (0.0, "difference", "fraction", "±0 points", "±0 points"),
        (-0.06, "difference", "nats", "−0.06 nats", "−0.06 nats"),
        (math.nan, "ratio", "bytes", "—", "—"),
    ],
)
def test_an_effect_reads_as_a_factor_and_as_a_change(
    number: float, kind: str, unit: str, effect: str, change: str
) -> None:
    assert text.effect(number, kind, unit) == effect
    assert text.change(number, kind, unit) == change


def test_margins_and_intervals_read_as_effects_do() -> None:
    assert text.margin(0.05, "ratio", "seconds") == "×1.050 either way"
    assert text.margin(0.01, "difference", "fraction") == "±1.0 points"
    assert text.interval(1.28, 1.34, "ratio", "bytes") == "×1.28 to ×1.34"
    assert text.interval(math.nan, 1.0, "ratio", "bytes") == ""


@pytest.mark.parametrize(
    ("number", "noun", "shown"),
    [
        (1, "seed", "1 seed"),
        (6, "seed", "6 seeds"),
        (6, "process", "6 processes"),
        (1, "exact", "1 exact trial"),
        (3, "exact", "3 exact trials"),
    ],
)
def test_nouns_agree_with_their_numbers(number: int, noun: str, shown: str) -> None:
    assert text.count(number, noun) == shown


def test_p_values_are_never_zero() -> None:
    assert text.p_value(1e-12) == "< 0.0001"
    assert text.p_value(0.034) == "0.034"
    assert text.p_value(None) == "—"


@pytest.mark.parametrize(
    ("number", "kind", "unit", "shown"),
    [
        (0.012, "ratio", "seconds", "±1.2 %"),
        (0.0, "ratio", "seconds", "±0 %"),
        (0.25, "ratio", "seconds", "±25 %"),
        (0.004, "difference", "fraction", "±0.4 points"),
        (math.nan, "ratio", "seconds", "—"),
    ],
)
def test_a_half_width_reads_the_same_either_way(number: float, kind: str, unit: str, shown: str) -> None:
    assert text.either_way(number, kind, unit) == shown
