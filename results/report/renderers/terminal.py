"""What is brief in the sections, for a terminal: the answer, and what stands in the way of believing it."""

from collections.abc import Iterator
from itertools import groupby

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table as Grid
from rich.text import Text

from results.report.document import Document
from results.report.section import Alert, Bullets, Entry, Paragraph, Part, Sentence, Table, brief_parts

MOST_ITEMS = 5
"""An alert shows so many of its items; the report has all."""

STYLES = {"better": "green", "worse": "red", "invalid": "bold red", "inert": "dim", "inconclusive": "yellow"}
_TONES = {"soft": "dim", "warning": "yellow", "bad": "bold red"}


def show(document: Document, console: Console) -> None:
    """Print the alerts that are grave, what is brief, and the other alerts."""
    grave = [alert for alert in document.alerts if alert.grave]
    for alert in grave:
        _print(console, _alert(alert))
    for section in document.sections:
        for part in brief_parts([*section.parts, *section.evidence]):
            for shown in _shown(part):
                _print(console, shown)
    for alert in document.alerts:
        if not alert.grave:
            _print(console, _alert(alert))


def _print(console: Console, shown: RenderableType) -> None:
    console.print(shown, markup=False, highlight=False)


def _shown(part: Part) -> Iterator[RenderableType]:
    match part:
        case Table():
            yield from _tables(part)
        case Paragraph():
            yield Text.assemble(*(_sentence(sentence) for sentence in part.sentences))
        case Bullets():
            yield from (_sentence(sentence) for sentence in part.sentences[: part.brief])
            if part.brief < len(part.sentences):
                yield Text(f"and {len(part.sentences) - part.brief} more: see the report", "dim")


def _sentence(sentence: Sentence) -> Text:
    lead = f"{sentence.lead} " if sentence.lead else ""
    return Text.assemble((lead, "bold"), sentence.text, style=_TONES.get(sentence.tone, ""))


def _alert(alert: Alert) -> Text:
    style = "bold red" if alert.grave else "yellow"
    more = len(alert.items) - MOST_ITEMS
    kept = alert.items[: MOST_ITEMS - (more > 0)]
    lines = [f"{alert.title} {alert.text}".strip(), *(f"  - {item}" for item in kept)]
    if more > 0:
        lines.append(f"  and {more + 1} more: see the report")
    return Text("\n".join(lines), style)


def _tables(table: Table) -> Iterator[RenderableType]:
    """A table for each group of columns, under its name: all of it fits, and says where it holds."""
    groups = table.groups or [table.caption] * len(table.columns)
    places = range(1, len(table.columns))
    for name, same in groupby(places, key=lambda place: groups[place]):
        columns = list(same)
        grid = Grid(box=box.SIMPLE_HEAD, title=Text(name, "bold"), title_justify="left", header_style="bold")
        grid.add_column(Text(table.columns[0]), no_wrap=False, overflow="fold")
        for column in columns:
            grid.add_column(Text(table.columns[column]), overflow="fold")
        for row in table.rows:
            # A long name breaks after a comma, not within a word.
            grid.add_row(Text(row[0].text.replace(",", ", ")), *(_cell(row[column]) for column in columns))
        yield grid


def _cell(entry: Entry) -> Text:
    style = STYLES.get(entry.verdict, "")
    return Text.assemble(entry.text, (f"  {entry.detail}" if entry.detail else "", "dim"), style=style)
