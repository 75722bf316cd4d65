"""Numbers as text. Nothing else in this package rounds or converts a unit."""

import math

from results.records.metric import EffectKind
from results.records.values import clean

_FORMULA = tuple("=+-@")
_BYTE_UNITS = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))
_SECOND_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_COUNT_UNITS = ((1e9, " G"), (1e6, " M"))


def plain(text: str) -> str:
    """Text that a spreadsheet takes for text: what begins like a formula is quoted."""
    shown = clean(text)
    return f"'{shown}" if shown.lstrip()[:1] in _FORMULA else shown


def missing(number: float | None) -> bool:
    """Whether there is no number."""
    return number is None or math.isnan(number)


def missing_text(word: object) -> bool:
    """Whether there is no word: None, NaN or empty."""
    return word is None or word == "" or (isinstance(word, float) and math.isnan(word))


def value(number: float | None, unit: str) -> str:
    """A quantity with its unit: `13.2 GiB`, `41.3 ms`, `87.1 %`, `25.6 M`; an em dash for none."""
    if number is None or math.isnan(number):
        return "—"
    if unit == "bytes":
        return _scaled(number, _BYTE_UNITS, " ", "B")
    if unit == "seconds":
        return _scaled(number, _SECOND_UNITS, " ", "s")
    if unit == "fraction":
        return f"{_minus(f'{100 * number:.1f}')} %"
    text = _scaled(number, _COUNT_UNITS, "", "") if unit in {"count", "steps"} else _digits(number)
    return text if unit == "count" else f"{text} {unit}"


def effect(number: float | None, kind: EffectKind | str, unit: str) -> str:
    """An effect: `×1.31`, `+0.8 points`, `−0.02 nats`."""
    if number is None or math.isnan(number):
        return "—"
    if kind == "ratio":
        return f"×{_ratio(number)}"
    return f"{_signed(_scale(number, unit), unit)}{_difference_unit(unit)}"


def change(number: float | None, kind: EffectKind | str, unit: str) -> str:
    """An effect as a change: `+31 %` for a ratio of 1.31; a difference as in `effect`."""
    if number is None or math.isnan(number):
        return "—"
    if kind != "ratio":
        return effect(number, kind, unit)
    if number >= 10:
        return f"×{_ratio(number)}"
    percent = 100 * (number - 1)
    decimals = 0 if abs(percent) >= 10 else 1 if abs(percent) >= 0.1 else 2
    return f"{_plus(percent, decimals)} %"


def interval(low: float | None, high: float | None, kind: EffectKind | str, unit: str) -> str:
    """Both ends of an interval: `×1.28 to ×1.34`; empty where there is none."""
    if missing(low) or missing(high):
        return ""
    return f"{effect(low, kind, unit)} to {effect(high, kind, unit)}"


def reach(low: float | None, high: float | None, kind: EffectKind | str, unit: str) -> str:
    """Both ends of an interval as changes, in few characters: `+48 to +56 %`, `−1.9 to +2.0 points`."""
    if missing(low) or missing(high):
        return ""
    ends = [change(end, kind, unit) for end in (low, high)]
    first, _, noun = ends[0].partition(" ")
    return f"{first} to {ends[1]}" if noun and ends[1].endswith(f" {noun}") else " to ".join(ends)


def brackets(low: float | None, high: float | None, kind: EffectKind | str, unit: str) -> str:
    """Both ends of an interval in the unit of the change that stands before it: `[+48, +56]`.

    Where the ends are not in one unit each keeps its own: `[+880 %, ×11.2]`.
    """
    if missing(low) or missing(high):
        return ""
    ends = [change(end, kind, unit) for end in (low, high)]
    numbers, nouns = zip(*(end.partition(" ")[::2] for end in ends), strict=True)
    return f"[{', '.join(numbers if len(set(nouns)) == 1 else ends)}]"


def signed(number: float | None, unit: str) -> str:
    """A difference of quantities: `+13.2 MiB`, `−3`, `±0`; counts to the last digit."""
    if number is None or math.isnan(number):
        return "—"
    if number == 0:
        return "±0"
    shown = value(abs(number), unit) if unit == "bytes" else _digits(abs(number))
    return ("−" if number < 0 else "+") + shown


def p_value(number: float | None) -> str:
    """A p-value to two digits, `< 0.0001` below that."""
    if number is None or math.isnan(number):
        return "—"
    return "< 0.0001" if number < 1e-4 else f"{number:.2g}"


def margin(number: float, kind: EffectKind | str, unit: str) -> str:
    """A margin: `×1.05 either way`, `±1.0 points`."""
    if kind == "ratio":
        return f"×{_ratio(1 + number)} either way"
    return f"±{_difference(_scale(number, unit), unit)}{_difference_unit(unit)}"


def either_way(number: float | None, kind: EffectKind | str, unit: str) -> str:
    """A half-width, a ratio's less 1: `±1.2 %`, `±0.4 points`."""
    if number is None or math.isnan(number):
        return "—"
    if kind != "ratio":
        return margin(number, kind, unit)
    return f"±{change(1 + number, kind, unit).lstrip('+±')}"


def count(number: int, noun: str) -> str:
    """A number with its noun: `1 seed`, `6 seeds`, `2 processes`, `3 exact trials`."""
    if noun == "exact":
        noun = "exact trial"
    return f"1 {noun}" if number == 1 else f"{number:,} {plural(noun)}"


def plural(noun: str) -> str:
    """`seeds`, `processes`."""
    return f"{noun}{'es' if noun.endswith('s') else 's'}"


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `3.5 h`: as exact as a forecast is."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def byte_unit(number: float) -> tuple[float, str]:
    """Size and name of the unit in which a number of bytes reads best."""
    return next(((size, name) for size, name in _BYTE_UNITS if abs(number) >= size), (1.0, "B"))


def _scale(number: float, unit: str) -> float:
    return 100 * number if unit == "fraction" else number


def _difference(number: float, unit: str) -> str:
    """Points to a hundredth at the finest: no test set is large enough to tell less."""
    if unit == "fraction":
        return f"{number:.1f}" if abs(number) >= 0.1 else f"{number:.2f}"
    return _digits(number)


def _signed(number: float, unit: str) -> str:
    text = _difference(abs(number), unit) if unit == "fraction" or abs(number) >= 1e-3 else "<0.001"
    if number == 0 or not text.strip("0."):
        return "±0"
    return ("−" if number < 0 else "+") + text


def _difference_unit(unit: str) -> str:
    return {"fraction": " points", "count": ""}.get(unit, f" {unit}")


def _plus(number: float, decimals: int) -> str:
    text = f"{abs(number):.{decimals}f}"
    if float(text) == 0:
        return "±0"
    return ("−" if number < 0 else "+") + text


def _ratio(number: float) -> str:
    if number >= 100:
        return f"{number:,.0f}"
    if number >= 10:
        return f"{number:.1f}"
    return f"{number:.3f}" if number < 1.1 and number != 1 else f"{number:.2f}"


def _scaled(number: float, units: tuple[tuple[float, str], ...], gap: str, smallest: str) -> str:
    for size, name in units:
        if abs(number) >= size:
            scaled = number / size
            decimals = 0 if abs(scaled) >= 100 else 1 if abs(scaled) >= 10 else 2
            return f"{_minus(f'{scaled:,.{decimals}f}')}{gap}{name}"
    return f"{_digits(number)}{gap}{smallest}".strip()


def _digits(number: float) -> str:
    """About three significant digits, whole numbers whole."""
    if number == int(number) and abs(number) < 1e15:
        return _minus(f"{int(number):,}")
    decimals = 0 if abs(number) >= 100 else 1 if abs(number) >= 10 else 2
    return _minus(f"{number:,.{decimals}f}" if abs(number) >= 0.1 else f"{number:.2g}")


def _minus(text: str) -> str:
    return text.replace("-", "−") if not text.startswith("-0.0 ") else text
