"""Sections as Markdown; whatever a name or a reason holds, it comes out as text."""

import re
from collections.abc import Iterable, Iterator

from results.report.document import Document
from results.report.paper import PaperTable
from results.report.section import Alert, Bullets, Entry, Figure, Group, Paragraph, Part, Sentence, Table


def markdown(document: Document) -> str:
    """GitHub's Markdown; figures are linked as `figures/<name>.png`."""
    head = document.head
    lines = []
    for alert in document.alerts:
        lines += [*alert_lines(alert, len(alert.items)), ""]
    lines += [f"# {escape(head.name)}", "", escape(head.question), "", escape(head.lead), ""]
    lines += [f"- {escape(context)}" for context in head.contexts]
    for section in document.sections:
        lines += ["", f"## {escape(section.title)}", ""]
        for part in [*section.parts, *section.evidence]:
            lines += _part(part, 3)
    return "\n".join([*lines, "", escape(head.footer), ""])


def alert_lines(alert: Alert, most: int) -> Iterator[str]:
    """An alert with so many of its items at most."""
    yield f"> **{escape(alert.title)}** {escape(alert.text)}".rstrip()
    if alert.items:
        yield ">"
    yield from (f"> - {escape(item)}" for item in alert.items[:most])
    if len(alert.items) > most:
        yield f"> - {len(alert.items) - most} more in the details"


def _part(part: Part, level: int) -> Iterator[str]:
    heading = "#" * min(level, 6)
    match part:
        case Table():
            if part.caption:
                yield from (f"{heading} {escape(part.caption)}", "")
            yield from (*_table(part), "")
        case Figure():
            yield from (
                f"{heading} {escape(part.title)}",
                "",
                f"![{escape(part.alt)}](figures/{part.name}.png)",
                "",
            )
        case Paragraph():
            yield from (" ".join(sentence_text(sentence) for sentence in part.sentences), "")
        case Bullets():
            yield from (*(f"- {sentence_text(sentence)}" for sentence in part.sentences), "")
        case Group():
            yield from (f"{heading} {escape(part.title)}", "")
            for inner in part.parts:
                yield from _part(inner, level + 1)


def sentence_text(sentence: Sentence) -> str:
    """A sentence, what leads it in bold."""
    lead = f"**{escape(sentence.lead)}** " if sentence.lead else ""
    return f"{lead}{escape(sentence.text)}"


def _table(table: Table) -> Iterator[str]:
    if not table.rows:
        yield "None."
        return
    groups = table.groups or [""] * len(table.columns)
    heads = [
        f"{column} [{group}]" if group else column
        for column, group in zip(table.columns, groups, strict=True)
    ]
    yield row(map(escape, heads))
    yield row(["---"] * len(table.columns))
    for cells in table.rows:
        yield row(escape(cell_text(cell)) for cell in cells)


def paper_markdown(table: PaperTable) -> str:
    """The headline table to paste into a pull request: one table, what it means below it."""
    heads = [
        f"{question.title} [{place}] ({question.known}, margin {question.margin})"
        for question, place in zip(table.questions, table.places, strict=True)
    ]
    lines = [
        f"**{escape(table.caption)}**",
        "",
        row(map(escape, ["change", *heads])),
        row(["---", *["---:"] * len(heads)]),
        row(map(escape, ["baseline", *(question.baseline for question in table.questions)])),
    ]
    for name, cells, marks in zip(table.names, table.cells, table.marks, strict=True):
        shown = [name, *(_paper_cell(*found) for found in zip(cells, marks, strict=True))]
        lines.append(row(map(escape, shown)))
    lines += ["", *(f"- {escape(note)}" for note in table.notes)]
    lines += [f"- {escape(f'{place}: {context}.')}" for place, context in table.contexts.items()]
    lines += [f"- ({mark}) {escape(remark)}." for mark, remark in table.remarks.items()]
    return "\n".join([*lines, f"- {escape(table.source)}", ""])


def _paper_cell(entry: Entry, mark: str) -> str:
    said = ", ".join(filter(None, [entry.value, entry.text]))
    detail = entry.detail if entry.detail.startswith("[") or not entry.detail else f"({entry.detail})"
    return " ".join(filter(None, [said, detail, f"({mark})" if mark else ""]))


def cell_text(entry: Entry) -> str:
    """A cell in one line, its detail in brackets."""
    return f"{entry.text} ({entry.detail})" if entry.detail else entry.text


def row(cells: Iterable[str]) -> str:
    """A line of a table, of cells that are escaped."""
    return f"| {' | '.join(cells)} |"


def escape(value: str) -> str:
    """Text that Markdown shows as it is: no tag, no column, no emphasis."""
    for sign, shown in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        value = value.replace(sign, shown)
    for sign in ("\\", "`", "*", "~", "|", "[", "]"):
        value = value.replace(sign, f"\\{sign}")
    # Within a word an underscore is one, and names are full of them.
    value = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", value)
    return " ".join(value.split())
