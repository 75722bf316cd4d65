"""Sections as one self-contained page; everything is escaped by jinja2."""

import base64
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import jinja2

from results.report.document import Document
from results.report.section import Bullets, Figure, Paragraph, Table


def page(document: Document, svg: Callable[[Figure], bytes]) -> str:
    """HTML that loads nothing: figures are embedded as images, which share no ids with each other.

    Args:
        document: What is laid out.
        svg: A figure's drawing.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("results.report", "renderers"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["anchors"] = {section.anchor for section in document.sections}
    environment.filters["spans"] = lambda groups: list(spans(groups))
    kinds = {"table": Table, "figure": Figure, "paragraph": Paragraph, "bullets": Bullets}
    environment.tests |= {f"{name}_part": _is(kind) for name, kind in kinds.items()}
    given = {
        "head": document.head,
        "alerts": document.alerts,
        "sections": document.sections,
        "image": lambda figure: f"data:image/svg+xml;base64,{base64.b64encode(svg(figure)).decode('ascii')}",
    }
    return environment.get_template("page.html.j2").render(given)


def _is(kind: type) -> Callable[[object], bool]:
    return lambda part: isinstance(part, kind)


def spans(groups: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Neighbours of one name, with how many there are."""
    for name, same in groupby(groups):
        yield name, len(list(same))
