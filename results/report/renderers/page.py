"""Sections as one self-contained page; everything is escaped by jinja2."""

import re
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import asdict
from itertools import groupby
from typing import Any

import jinja2
from markupsafe import Markup, escape

from results.report.document import Document
from results.report.section import Bullets, Dots, Entry, Figure, Paragraph, Plane, Table, row_anchor

MOST_ROWS = 120
"""Longer tables are cut on the page; files beside it have all."""


def page(document: Document, drawn: Callable[[Figure], tuple[str, str]]) -> str:
    """HTML that loads nothing.

    Args:
        document: What is laid out.
        drawn: A figure as inline SVG, and once more for phones.
    """
    environment = _environment(_anchors(document))
    kinds = {"table": Table, "figure": Figure, "paragraph": Paragraph, "bullets": Bullets, "dots": Dots}
    environment.tests |= {f"{name}_part": _is(kind) for name, kind in kinds.items()}
    given = {
        "head": document.head,
        "alerts": document.alerts,
        "sections": document.sections,
        # The first section needs no heading, unless another environment has one like it.
        "several": any(s.anchor.startswith(f"{document.sections[0].anchor}-") for s in document.sections),
        "drawings": lambda figure: map(Markup, drawn(figure)),  # matplotlib escapes what it writes
    }
    return environment.get_template("page.html.j2").render(given)


def table(shown: Table) -> str:
    """One table as HTML, for wherever a page of another one's shows it; without links."""
    module: Any = _environment(set()).get_template("table.html.j2").module
    return str(module.table(shown))


def _environment(anchors: Set[str]) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("results.report", "renderers"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"anchors": anchors, "most_rows": MOST_ROWS}
    environment.filters |= {
        "spans": lambda groups: list(spans(groups)),
        "breakable": breakable,
        "row_anchor": row_anchor,
        "percent": _percent,
        "plane_data": _plane_data,
    }
    return environment


def _anchors(document: Document) -> set[str]:
    """What a link may lead to: sections, their evidence, and the rows of the answer."""
    sections = {section.anchor for section in document.sections}
    evidence = {f"evidence-{s.anchor}" for s in document.sections if s.parts and s.evidence}
    answers = [part for s in document.sections if s.anchor == "answer" for part in s.parts]
    tables = [part for part in answers if isinstance(part, Table) and part.questions]
    return sections | evidence | {row_anchor(row[0].text) for part in tables for row in part.rows}


def _is(kind: type) -> Callable[[object], bool]:
    return lambda part: isinstance(part, kind)


def _plane_data(plane: Plane) -> dict[str, Any]:
    """What the page's script draws."""
    points = [
        {"name": point.name, "spots": [_spot(entry) for entry in point.spots]} for point in plane.points
    ]
    return {"axes": [asdict(axis) for axis in plane.axes], "points": points}


def _spot(entry: Entry | None) -> dict[str, Any] | None:
    if entry is None or entry.bar is None or entry.bar.effect is None:
        return None
    bar = entry.bar
    said = f"{entry.text} ({entry.detail})" if entry.detail else entry.text
    return {"at": bar.effect, "low": bar.low, "high": bar.high, "outside": bar.outside, "text": said}


def _percent(share: float) -> str:
    return f"{100 * share:.2f}".rstrip("0").rstrip(".")


def breakable(name: str) -> Markup:
    """A name that may break after a sign, so that a narrow column holds it."""
    text = re.sub("[=,_+]", r"\g<0><wbr>", str(escape(name)))
    return Markup(text)  # noqa: S704 - escaped above


def spans(groups: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Neighbours of one name, with how many there are."""
    for name, same in groupby(groups):
        yield name, len(list(same))
