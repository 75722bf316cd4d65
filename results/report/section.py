"""What a section of the report is made of; renderers lay these out and know no topic.

A topic is one file in `sections/` (or in a plugin): from a run to sentences, tables and figures with their
captions and alternative texts, and to the frames that are written as CSV.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

import pandas as pd

from results.tables.analysis import Analysis

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing


@dataclass(frozen=True, slots=True)
class Bar:
    """An effect with its interval on the scale of its column; places are shares of the width.

    Attributes:
        low: Where the interval begins; None where there is none.
        effect: Where the effect stands; None where there is none.
        high: Where the interval ends.
        none: Where no change stands.
        band: Where the margin begins and ends.
        outside: -1 or 1 where the effect stands beyond an end of the scale, else 0.
    """

    low: float | None
    effect: float | None
    high: float | None
    none: float
    band: tuple[float, float]
    outside: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One cell of a table.

    Attributes:
        text: What it says.
        verdict: The verdict it shows, if any; it decides the colour.
        detail: What stands below it in small type, such as an interval.
        link: The section that says more; "" for none.
        value: The quantity whose change the cell tells, where it is shown apart.
        bar: The change as a picture.
        key: What the cell is sorted by; None sorts last.
    """

    text: str
    verdict: str = ""
    detail: str = ""
    link: str = ""
    value: str = ""
    bar: Bar | None = None
    key: float | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a column of changes asks, and where its answers hold.

    Attributes:
        title: The quantity: "peak memory, train".
        context: Network, input, batch, precision, where it comes from.
        kind: Of the workload.
        workload: Its name.
        mode: `train`, `inference` or "".
        baseline: The baseline's own value.
        known: How well answers are known: "exact", "n = 12".
        margin: From where on a change counts: "±5.0 %".
    """

    title: str
    context: str
    kind: str
    workload: str
    mode: str
    baseline: str
    known: str
    margin: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text; the first entry of each row is its header.

    Attributes:
        columns: Heads of the columns.
        rows: As many entries each as there are columns.
        caption: What the table is.
        groups: For each column what it shares with its neighbours, shown above them; none where empty.
        open: Whether it stands open where a renderer can fold.
        brief: Whether it is shown where there is little room: on a terminal, in `report.md`.
        long_names: Whether row headers are long and may break.
        questions: What each column after the first asks, where rows are changes to sort, filter and open.
        details: For each row what it opens to, where it opens.
        idle: Rows at the end that change nothing anywhere: they may be folded.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Entry]]
    caption: str = ""
    groups: Sequence[str] = ()
    open: bool = True
    brief: bool = False
    long_names: bool = False
    questions: Sequence[Question] = ()
    details: Sequence[Sequence["Part"]] = ()
    idle: int = 0


@dataclass(frozen=True, slots=True)
class Dots:
    """The single values behind an effect, a line of dots for the change and one for the baseline.

    Attributes:
        unit: What a dot is: "process", "seed".
        lines: By name, where the dots stand as shares of the width.
        ends: What stands at the left and the right end.
    """

    unit: str
    lines: Mapping[str, Sequence[float]]
    ends: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis that a reader may choose.

    Attributes:
        title: The quantity and the mode.
        context: Where it holds.
        better: `lower` or `higher`.
        none: Where no change stands, from 0 to 1.
        band: Where the margin begins and ends.
        ticks: Places with their labels.
    """

    title: str
    context: str
    better: str
    none: float
    band: tuple[float, float]
    ticks: Sequence[tuple[float, str]]


@dataclass(frozen=True, slots=True)
class Point:
    """A change on every axis.

    Attributes:
        name: Of the arm.
        spots: By axis what the change is there, with its interval; None where there is none.
    """

    name: str
    spots: Sequence[Entry | None]


@dataclass(frozen=True, slots=True)
class Plane:
    """Changes on two axes to choose among several; what lies beyond an axis stands as an arrow at its edge.

    Attributes:
        axes: What there is to choose from.
        points: The changes.
        x: Which axis lies across at first.
        y: Which one stands upright at first.
    """

    axes: Sequence[Axis]
    points: Sequence[Point]
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, drawn when it is needed.

    Attributes:
        name: File name without ending.
        title: Its caption.
        alt: What it shows, for those who do not see it.
        draw: Draws it.
        table: The same as a table, closed beside it; None where one stands in the section anyway.
        plane: The same with axes to choose, for renderers that can; None where it does not move.
    """

    name: str
    title: str
    alt: str
    draw: "Callable[[], Drawing]"
    table: Table | None = None
    plane: Plane | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with an optional leading word in bold.

    Attributes:
        text: The sentence.
        lead: What stands before it.
        tone: `warning`, `bad`, `soft`, `key` for what is read first, or "".
    """

    text: str
    lead: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences in a row.

    Attributes:
        sentences: The sentences.
        brief: Whether it is shown where there is little room: on a terminal, in `report.md`.
    """

    sentences: Sequence[Sentence]
    brief: bool = False


@dataclass(frozen=True, slots=True)
class Bullets:
    """Sentences one below the other.

    Attributes:
        sentences: The sentences.
        brief: How many of them are shown where there is little room.
    """

    sentences: Sequence[Sentence]
    brief: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Parts under a heading of their own.

    Attributes:
        title: The heading.
        parts: What stands under it.
        folded: True or False where it can be folded, and starts so; None where it cannot.
    """

    title: str
    parts: Sequence["Part"]
    folded: bool | None = None


Part = Table | Figure | Paragraph | Bullets | Dots | Group


@dataclass(frozen=True, slots=True)
class Alert:
    """What a reader must know before anything else.

    Attributes:
        title: In bold.
        text: What follows it.
        items: Each on a line of its own.
        grave: Whether figures are not to be cited.
        link: Section where more is said; "" for none.
    """

    title: str
    text: str = ""
    items: Sequence[str] = ()
    grave: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """What a topic has to say of a run, or of one of its environments.

    Attributes:
        parts: What everyone reads, in order: sentences and figures, each of which answers a question.
        alerts: What stands at the top of the report.
        data: Frames by the name of their CSV file.
        title: A title of its own; the topic's where empty.
        evidence: What some look up: it stands closed at the end of the page; none where there is nothing.
    """

    parts: Sequence[Part] = ()
    alerts: Sequence[Alert] = ()
    data: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    title: str = ""
    evidence: Sequence[Part] = ()


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of the report.

    Attributes:
        name: Anchor on the page; unique.
        title: Heading.
        order: Place in the report, lower first; those of the suite are multiples of ten.
        build: Makes the section of a run; given an environment's id, that of one environment.
        per_environment: Whether each environment has a section of its own.
        summary: One line for listings.
    """

    name: str
    title: str
    order: int
    build: Callable[[Analysis, str], Section]
    per_environment: bool = True
    summary: str = ""


def brief_parts(parts: Sequence[Part]) -> Iterator[Table | Paragraph | Bullets]:
    """What is shown where there is little room: on a terminal, in a pull request."""
    for part in parts:
        if isinstance(part, Group):
            yield from brief_parts(part.parts)
        elif isinstance(part, Table | Paragraph | Bullets) and part.brief:
            yield part


def row_anchor(change: str) -> str:
    """Where a link to the row of a change in the first table leads."""
    return f"change-{quote(change, safe='=,.-_')}"


def words(*sentences: str) -> Paragraph:
    """A paragraph of plain sentences."""
    return Paragraph([Sentence(text) for text in sentences])
