"""Write the report of a run directory."""

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from results import plots
from results.plots.theme import drawn_on_phones, narrow
from results.records.directory import own_folder
from results.records.files import write_bytes, write_text
from results.report.document import Document, document
from results.report.renderers.brief import brief_markdown
from results.report.renderers.inline_svg import LEAST_POINTS, inline_svg
from results.report.renderers.markdown import markdown
from results.report.renderers.page import page
from results.report.renderers.spreadsheet import csv
from results.tables.analysis import Analysis


@dataclass(frozen=True, slots=True)
class Report:
    """A report that was written.

    Attributes:
        index: The page.
        document: What it says.
        failed: Outcomes that are not `ok`, as `Analysis.trials` gives them.
    """

    index: Path
    document: Document
    failed: pd.DataFrame

    @property
    def valid(self) -> bool:
        """Whether every A/A control and every check of determinism held."""
        return not any(alert.grave for alert in self.document.alerts)


def write_report(run: Analysis) -> Report:
    """Write `report/` of a run directory: page, Markdown, figures and tables.

    Raises:
        StorageError: It cannot be written there.
    """
    with _uncollected(), warnings.catch_warnings():
        # Names may be in any script; what the font lacks is drawn as a box and stands in the tables.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        return _write(run)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Search for garbage only when asked to: among so many objects that takes a tenth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if enabled:
            gc.enable()


def _write(run: Analysis) -> Report:
    said = document(run)
    target = own_folder(run.path, "report")
    tables, figures = own_folder(target, "tables"), own_folder(target, "figures")
    for name, frame in said.data.items():
        write_text(tables / f"{name}.csv", csv(frame))
    drawn = {}
    gc.freeze()  # what is there stays; a figure is a circle of objects, and goes when it is drawn
    for figure in said.figures:
        svg, png = plots.drawn(figure.draw())
        with narrow():
            on_phones = drawn_on_phones(figure.draw())
        drawn[figure.name] = (
            inline_svg(svg, figure.name),
            inline_svg(on_phones, f"{figure.name}-narrow", LEAST_POINTS),
        )
        write_bytes(figures / f"{figure.name}.svg", svg)
        write_bytes(figures / f"{figure.name}.png", png)
        gc.collect()
    write_text(target / "index.html", page(said, lambda figure: drawn[figure.name]))
    write_text(target / "report.md", brief_markdown(said))
    write_text(target / "details.md", markdown(said))
    trials = run.trials
    failed = trials[trials["status"] != "ok"].reset_index(drop=True)
    return Report(target / "index.html", said, failed)
