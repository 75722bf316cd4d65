"""What others say, each sentence tied to a contrast or a check before anything runs; one file a source.

A file holds one `SOURCE`, found by discovery and listed nowhere. Needs no PyTorch until a check runs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Prediction = Literal["lower", "higher", "unchanged", "the same bits"]
"""What a change does to a metric: `unchanged` is within what counts, `the same bits` in every digit."""


@dataclass(frozen=True, slots=True)
class Original:
    """The context in which a source measured.

    Attributes:
        figures: What it reports: "76.21 to 76.87 % top-1".
        network: Of which network.
        data: On which data.
        image_size: Height and width in pixels; None where it is not told or does not matter.
        device: On which device; "" where none is told.
    """

    figures: str
    network: str = ""
    data: str = ""
    image_size: int | None = None
    device: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence about a change.

    Attributes:
        name: Unique among all claims, e.g. `timm-gn-time`.
        statement: The sentence, as the source means it.
        kind: The kind of workload that measures it: `memory`, `throughput`, ...
        metric: What it is about.
        predicted: What the change does to the metric.
        change: Factor and level: what is done.
        instead_of: The level of that factor that it is set against.
        mode: `train`, `inference` or None where the metric has no mode.
        smallest: The smallest effect that counts, as a ratio less 1 or a difference; the study's margin
            where None.
        original: Where the source's own figure comes from; None where it gives none.
        architecture: The network family; any that has the factor where "".
    """

    name: str
    statement: str
    kind: str
    metric: str
    predicted: Prediction
    change: tuple[str, str]
    instead_of: str
    mode: Literal["train", "inference"] | None = None
    smallest: float | None = None
    original: Original | None = None
    architecture: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check came to.

    Attributes:
        holds: Whether it is as the sentence says; None where what was seen says neither.
        measured: What was seen, in a line.
    """

    holds: bool | None
    measured: str


@dataclass(frozen=True, slots=True)
class Check:
    """A sentence about what an operator does, put to that operator.

    Attributes:
        name: Unique among all claims.
        statement: The sentence.
        predicted: What is seen if it holds.
        look: Exercises the operator, on the CPU, the same on every call.
    """

    name: str
    statement: str
    predicted: str
    look: Callable[[], Finding]


@dataclass(frozen=True, slots=True)
class Source:
    """Who says so.

    Attributes:
        name: As `claims = ["NAME"]` in a study writes it.
        title: Author, year, title.
        claims: What is measured.
        checks: What is looked at.
        not_here: Sentences that the suite has no factor or no data for, each with the reason.
    """

    name: str
    title: str
    claims: tuple[Claim, ...] = ()
    checks: tuple[Check, ...] = ()
    not_here: Mapping[str, str] = field(default_factory=dict)
