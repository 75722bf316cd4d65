"""Where effects stand on a scale that one of them alone cannot flatten."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from results.tables import format as text

_BEYOND_QUARTILE = 4.0
"""What is further from no change than so many times the upper quartile of all is shown at the edge."""
_INTERVAL_ROOM = 0.15
_PADDING = 0.04
_MOST_TICKS = 5
_RATIO_TICKS = (
    *(0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0),
    *(1.01, 1.02, 1.05, 1.1, 1.2, 1.3, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 20.0, 50.0, 100.0, 1000.0),
)


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale for the effects of one metric in one context: logarithmic for ratios, else linear.

    Attributes:
        kind: `ratio` or `difference`.
        unit: Of differences.
        low: Lower end, a logarithm for ratios.
        high: Upper end.
        margin: Half-width of the band that is too small to count, on the same scale.
    """

    kind: str
    unit: str
    low: float
    high: float
    margin: float

    @classmethod
    def of(cls, rows: pd.DataFrame) -> "Scale":
        """The scale for effects of one metric: their intervals within reach, the margin, no change.

        Args:
            rows: At least one, with `effect`, `ci_low`, `ci_high`, `effect_kind`, `unit`, `margin`.
        """
        first = rows.iloc[0]
        kind, unit = str(first["effect_kind"]), str(first["unit"])
        given = 0.0 if text.missing(first["margin"]) else float(first["margin"])
        margin = math.log1p(given) if kind == "ratio" else given
        effects = [found for number in rows["effect"] if (found := _on_scale(number, kind)) is not None]
        changes = sorted(abs(effect) for effect in effects if effect)
        quartile = changes[(3 * len(changes)) // 4] if changes else 0.0
        reach = max(_BEYOND_QUARTILE * quartile, 2 * margin) or 0.01
        ends = [_on_scale(number, kind) for name in ("ci_low", "ci_high") for number in rows[name]]
        known = [0.0, -margin, margin, *effects]
        low, high = max(min(known), -reach), min(max(known), reach)
        # A wide interval may leave the scale; an effect is not to be squeezed by it.
        room = _INTERVAL_ROOM * (high - low)
        reached = [end for end in ends if end is not None]
        low = min(low, max(min(reached, default=low), low - room))
        high = max(high, min(max(reached, default=high), high + room))
        padding = _PADDING * ((high - low) or reach)
        return cls(kind, unit, low - padding, high + padding, margin)

    def place(self, number: float | None) -> float | None:
        """Where a number stands, from 0 at the lower end to 1; beyond an end at that end; None for none."""
        found = _on_scale(number, self.kind)
        return None if found is None else self._share(found)

    def outside(self, number: float | None) -> int:
        """-1 below the scale, 1 above it, else 0."""
        found = _on_scale(number, self.kind)
        return 0 if found is None else (found > self.high) - (found < self.low)

    @property
    def none(self) -> float:
        """Where no change stands."""
        return self._share(0.0)

    @property
    def band(self) -> tuple[float, float]:
        """Where the margin begins and ends."""
        return self._share(-self.margin), self._share(self.margin)

    def ticks(self) -> list[tuple[float, str]]:
        """A few round numbers within the scale, each as its place and its label; no change among them."""
        inside = [tick for tick in self._candidates() if self.low <= tick[0] <= self.high]
        kept: list[tuple[float, str]] = []
        for at, label in sorted(inside, key=lambda tick: abs(tick[0])):
            place = self._share(at)
            if all(abs(place - other) >= 1 / _MOST_TICKS - 0.04 for other, _ in kept):
                kept.append((place, label))
        return sorted(kept)

    def _candidates(self) -> Iterator[tuple[float, str]]:
        if self.kind == "ratio":
            for ratio in _RATIO_TICKS:
                yield math.log(ratio), "0" if ratio == 1 else text.change(ratio, "ratio", "")
            return
        size = 10 ** math.floor(math.log10((self.high - self.low) / _MOST_TICKS))
        step = next(size * digit for digit in (1, 2, 5, 10) if size * digit * 6 >= self.high - self.low)
        for count in range(math.ceil(self.low / step), math.floor(self.high / step) + 1):
            yield count * step, text.change(count * step, self.kind, self.unit) if count else "0"

    def _share(self, number: float) -> float:
        return min(max((number - self.low) / (self.high - self.low), 0.0), 1.0)


def _on_scale(number: float | None, kind: str) -> float | None:
    if number is None or text.missing(float(number)) or (kind == "ratio" and number <= 0):
        return None
    return math.log(number) if kind == "ratio" else float(number)
