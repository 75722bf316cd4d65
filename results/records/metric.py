"""What a metric is: a name with its unit, the direction that is better, and how two arms are compared."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from results.records.values import LARGEST_COUNT, LARGEST_NUMBER, LONGEST_SECONDS, STRICT, Text

Better = Literal["lower", "higher"]
EffectKind = Literal["ratio", "difference"]

_BOUNDS: dict[str, tuple[float, float]] = {
    "fraction": (0.0, 1.0),
    "bytes": (0.0, float(LARGEST_COUNT)),
    "count": (0.0, LARGEST_NUMBER),
    "steps": (0.0, float(LARGEST_COUNT)),
    "seconds": (0.0, LONGEST_SECONDS),
    "images/s": (0.0, LARGEST_NUMBER),
}
"""What values of a unit can be; others may be any number."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A quantity that a probe measures, described well enough that tables and plots need no code for it.

    Attributes:
        name: As it stands in records and tables, with its unit where it has one (`peak_bytes`).
        label: As it stands in figures and headlines ("peak memory").
        unit: `bytes`, `seconds`, `count`, `fraction`, `steps`, `nats`.
        better: The direction that a reader wants.
        effect_kind: `ratio` (arm / baseline, analysed as a log-ratio) or `difference` (arm - baseline).
        margin: The smallest effect that counts unless the study declares its own: 0.05 means a factor
            of 1.05 either way for a ratio, and the metric's own unit for a difference.
        description: One sentence, shown by `ablate list metrics` and in reports.
        exact: True where one trial decides, because the value is a function of the arm alone.
        headline: True where the metric stands in the headline table.
        can_be_zero: Whether 0 is a value like any other. Bytes, seconds and rates of 0 were not measured.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: Text
    label: Text
    unit: Text
    better: Better
    effect_kind: EffectKind
    margin: Annotated[float, Field(ge=0, le=LARGEST_NUMBER)]
    description: Text
    exact: bool = False
    headline: bool = False
    can_be_zero: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.margin <= LARGEST_NUMBER:
            raise ValueError(f"metric {self.name}: margin {self.margin} is not a number of 0 or more")

    def disbelief(self, value: float) -> str | None:
        """Why a value cannot be one of this metric's; None where it can."""
        low, high = _BOUNDS.get(self.unit, (-LARGEST_NUMBER, LARGEST_NUMBER))
        if not low <= value <= high:
            return f"expected {low:g} to {high:g} ({self.unit})"
        is_nothing = self.effect_kind == "ratio" and self.unit in {"bytes", "seconds", "images/s", "steps"}
        if value == 0 and is_nothing and not self.can_be_zero:
            return f"expected more than 0 ({self.unit})"
        return None
