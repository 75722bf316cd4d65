"""What a metric is: a name with its unit, the direction that is better, and how two arms are compared."""

from dataclasses import dataclass
from typing import Literal

Better = Literal["lower", "higher"]
EffectKind = Literal["ratio", "difference"]


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
        exact: True where one trial decides, because the value is a function of the arm alone.
        headline: True where the metric stands in the headline table.
        description: One sentence, shown by `ablate list metrics` and in reports.
    """

    name: str
    label: str
    unit: str
    better: Better
    effect_kind: EffectKind
    margin: float
    description: str
    exact: bool = False
    headline: bool = False

    def __post_init__(self) -> None:
        if self.margin < 0:
            raise ValueError(f"metric {self.name}: margin {self.margin} is negative; give 0 or more")
