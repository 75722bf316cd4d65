"""Templates to files. Whatever a name or a reason holds, it comes out as text."""

from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from results.report.table import Table

_LOADER = jinja2.PackageLoader("results", "report")


def html(path: Path, given: dict[str, Any]) -> None:
    """Write `index.html`; everything is escaped by jinja2."""
    environment = jinja2.Environment(
        loader=_LOADER,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    path.write_text(environment.get_template("index.html.j2").render(given), encoding="utf-8")


def markdown(path: Path, given: dict[str, Any]) -> None:
    """Write `report.md`; everything is escaped by `_escape` on its way out."""
    environment = jinja2.Environment(
        loader=_LOADER,
        autoescape=False,  # noqa: S701 - `finalize` escapes for Markdown
        finalize=_escape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    given = given | {"table": markdown_table}
    path.write_text(environment.get_template("report.md.j2").render(given) + "\n", encoding="utf-8")


def markdown_table(table: Table) -> Markup:
    """A table in GitHub's Markdown."""
    if not table.rows:
        return Markup("None.\n")
    lines = [table.columns, ["---"] * len(table.columns), *([c.text for c in row] for row in table.rows)]
    return Markup("".join(f"| {' | '.join(map(_escape, line))} |\n" for line in lines))  # noqa: S704


def _escape(value: object) -> str:
    """Text that Markdown shows as it is: no tag, no column, no emphasis."""
    if isinstance(value, Markup):
        return value
    text = str(value)
    for sign, shown in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, shown)
    for sign in ("\\", "`", "*", "|", "[", "]"):
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())
