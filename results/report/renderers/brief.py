"""The report in at most 120 lines of Markdown, to paste into a pull request: what is brief in the sections.

How much of a table is shown follows from the room that is left; `details.md` has everything.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from results.report.document import Document
from results.report.renderers.markdown import alert_lines, cell_text, escape, row, sentence_text
from results.report.section import Bullets, Entry, Figure, Paragraph, Table, brief_parts

MOST_LINES = 120
MOST_ALERTS, MOST_ITEMS, MOST_CONTEXTS, MOST_SENTENCES, MOST_FIGURES = 3, 3, 6, 6, 2
_FEWEST_ROWS = 3
"""Contexts are left out before a table has fewer rows than this."""
_WIDEST_PADDED = 40
_Brief = Table | Paragraph | Bullets
_DECIDED = {"better", "worse", "invalid"}


@dataclass(frozen=True, slots=True)
class _Columns:
    """Columns of a table that share a context.

    Attributes:
        context: What they share; "" where a table has no groups.
        places: Which columns of the table these are.
    """

    context: str
    places: Sequence[int]


def brief_markdown(document: Document) -> str:
    """GitHub's Markdown; figures and `details.md` are linked."""
    top, end = _top(document), _end(document)
    found = [
        (section.title, list(brief_parts([*section.parts, *section.evidence])))
        for section in document.sections
    ]
    middle = _sections([one for one in found if one[1]], MOST_LINES - len(top) - len(end))
    return "\n".join([*top, *middle, *end])


def _top(document: Document) -> list[str]:
    head = document.head
    lines = []
    for alert in document.alerts[:MOST_ALERTS]:
        lines += [*alert_lines(alert, MOST_ITEMS), ""]
    more = len(document.alerts) - MOST_ALERTS
    if more > 0:
        lines += [f"> {more} more in the details.", ""]
    lines += [f"# {escape(head.name)}", "", escape(head.question), "", escape(head.lead), ""]
    lines += [f"- {escape(context)}" for context in head.contexts[:MOST_CONTEXTS]]
    more = len(head.contexts) - MOST_CONTEXTS
    if more > 0:
        lines.append(f"- {more} more in the details")
    return [*lines, ""]


def _end(document: Document) -> list[str]:
    figures = [part for section in document.sections for part in section.parts if isinstance(part, Figure)]
    lines = []
    for figure in figures[:MOST_FIGURES]:
        lines += [f"![{escape(figure.title)}](figures/{figure.name}.png)", ""]
    lines += ["Everything else, with all figures and the evidence: [details.md](details.md).", ""]
    return [*lines, escape(document.head.footer), ""]


def _sections(found: Sequence[tuple[str, Sequence[_Brief]]], room: int) -> Iterator[str]:
    """Sections in at most so many lines: words in half of them, tables in what is left, by their contexts."""
    allowed, left = room // 2, room
    kept: list[tuple[str, list[Table | list[str]]]] = []
    for title, parts in found:
        shown: list[Table | list[str]] = []
        for part in parts:
            lines = [] if isinstance(part, Table) else list(_words(part))
            heading = 0 if shown else 2
            if len(lines) + heading <= allowed:
                shown.append(part if isinstance(part, Table) else lines)
                allowed, left = (rest - len(lines) - heading for rest in (allowed, left))
        kept.append((title, shown))
    tables = [part for _, parts in kept for part in parts if isinstance(part, Table)]
    weight = sum(len(_contexts(table)) for table in tables)
    for title, told in kept:
        written: list[str] = []
        for one in told:
            if isinstance(one, list):
                written += one
                continue
            mine = len(_contexts(one))
            lines = list(_table(one, left * mine // weight))
            left, weight = left - len(lines), weight - mine
            written += lines
        if written:
            yield from (f"## {escape(title)}", "", *written)


def _words(part: Paragraph | Bullets) -> Iterator[str]:
    match part:
        case Paragraph():
            yield from (" ".join(map(sentence_text, part.sentences)), "")
        case Bullets():
            shown = min(part.brief, MOST_SENTENCES)
            yield from (f"- {sentence_text(sentence)}" for sentence in part.sentences[:shown])
            if len(part.sentences) > shown:
                yield f"- {len(part.sentences) - shown} more in the details"
            yield ""


def _contexts(table: Table) -> list[_Columns]:
    places = range(1, len(table.columns))
    if not table.groups:
        return [_Columns("", places)]
    return [_Columns(name, list(same)) for name, same in groupby(places, key=lambda at: table.groups[at])]


def _table(table: Table, room: int) -> Iterator[str]:
    """A table in at most so many lines, one for each context; nothing where there is no room for any."""
    contexts = _contexts(table)
    around = 5 + bool(table.questions)  # context, baseline, head, rule and empty lines
    rows = len(table.rows)
    room -= 4  # caption, and what is left out
    shown = min(len(contexts), room // (around + min(rows, _FEWEST_ROWS)))
    if shown < 1 or not rows:
        return
    most = min(rows, room // shown - around)
    if table.caption:
        yield from (f"### {escape(table.caption)}", "")
    kept = _most_decided(table.rows, most)
    for context in contexts[:shown]:
        heads, shared = _heads(table, context.places)
        if context.context or shared:
            yield from (" ".join(filter(None, [f"**{escape(context.context)}**", escape(shared)])), "")
        yield from (*_lines(table, context.places, heads, kept), "")
    left = [
        *([f"{rows - most} more rows"] if most < rows else []),
        *([f"{len(contexts) - shown} more contexts"] if shown < len(contexts) else []),
    ]
    if left:
        yield from (f"{' and '.join(left)} in the details.", "")


def _most_decided(rows: Sequence[Sequence[Entry]], most: int) -> Sequence[Sequence[Entry]]:
    """So many rows, in their order; of too many those in which most is decided."""
    decided = [sum(entry.verdict in _DECIDED for entry in cells) for cells in rows]
    ranked = sorted(range(len(rows)), key=lambda place: -decided[place])
    return [rows[place] for place in sorted(ranked[:most])]


def _heads(table: Table, places: Sequence[int]) -> tuple[list[str], str]:
    """Heads of columns, and what is known of all of them alike: `(exact, margin ±2.0 %)`."""
    if not table.questions:
        return [table.columns[place] for place in places], ""
    asked = [table.questions[place - 1] for place in places]
    known = [f"({one.known}, margin {one.margin})" for one in asked]
    if len(set(known)) == 1:
        return [one.title for one in asked], known[0]
    return [f"{one.title} {told}" for one, told in zip(asked, known, strict=True)], ""


def _lines(
    table: Table, places: Sequence[int], heads: Sequence[str], rows: Sequence[Sequence[Entry]]
) -> Iterator[str]:
    """Columns of a table, padded so that they can be read as they are."""
    body = [[cells[0].text, *(cell_text(cells[place]) for place in places)] for cells in rows]
    if table.questions:
        body.insert(0, ["baseline", *(table.questions[place - 1].baseline for place in places)])
    shown = [[escape(cell) for cell in cells] for cells in ([table.columns[0], *heads], *body)]
    widths = [min(_WIDEST_PADDED, max(map(len, column))) for column in zip(*shown, strict=True)]
    padded = [[cell.ljust(width) for cell, width in zip(cells, widths, strict=True)] for cells in shown]
    yield row(padded[0])
    yield row(["-" * max(3, width) for width in widths])
    yield from map(row, padded[1:])
