"""A run in a few lines, as a notebook or an interpreter shows it."""

import html
import textwrap
from collections.abc import Iterator

from results.report.changes import arms_of, changes_table
from results.report.headline import ARMS_CAPTION
from results.report.section import Table
from results.tables import format as text
from results.tables.analysis import Analysis
from results.tables.columns import FRAMES
from results.tables.headline import headline_columns

MOST_NAMES, MOST_ROWS = 6, 40
"""More arms than this are not named in a line, and not shown in the table."""
_STYLE = "<style>.ablation-run small { display: block }</style>"


def as_text(run: Analysis) -> str:
    """A few short lines: study, arms, trials by status, environments, and what frames there are."""
    lines = (
        textwrap.wrap(line, 110, initial_indent="  " * (i > 0), subsequent_indent="    ")
        for i, line in enumerate(_lines(run))
    )
    return "\n".join(line for wrapped in lines for line in wrapped)


def as_html(run: Analysis) -> str:
    """The same, and the headline of each environment as a table; everything is escaped."""
    lines = "<br>".join(html.escape(line) for line in _lines(run))
    tables = "".join(_headlines(run))
    return f'<div class="ablation-run">{_STYLE}<p>{lines}</p>{tables}</div>'


def _lines(run: Analysis) -> Iterator[str]:
    study = run.study
    yield f"Run of study {study.name} ({study.architecture}, {study.design}): {study.question}"
    yield f"{text.count(len(study.arms), 'arm')}: {_named([arm.name for arm in study.arms])}"
    statuses = run.outcomes["status"].value_counts()
    tally = ", ".join(f"{count:,} {status}" for status, count in sorted(statuses.items()))
    trials = text.count(run.outcomes["trial"].nunique(), "trial")
    outcomes = text.count(len(run.outcomes), "outcome")
    yield f"{trials}, {outcomes}: {tally}" if tally else "no trial on record yet"
    names = run.names
    yield f"{text.count(len(names), 'environment')}{': ' if names else ''}{_named(names)}"
    if run.left_out:
        yield f"{text.count(len(run.left_out), 'file')} left out: see left_out"
    recorded = [frame.name for frame in FRAMES.values() if frame.recorded]
    yield f"recorded: {', '.join(recorded)}"
    computed = [f"{frame.name}()" for frame in FRAMES.values() if not frame.recorded]
    yield f"computed: {', '.join(computed)}"


def _named(names: list[str] | tuple[str, ...]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def _headlines(run: Analysis) -> Iterator[str]:
    from results.report.renderers.page import table  # which whoever asks for frames need not wait for

    for environment in run.names:
        effects = run.effects[run.effects["environment"] == environment]
        columns = list(headline_columns(run.study, effects))
        if columns:
            where = f" on {environment}" if len(run.names) > 1 else ""
            yield f"<p><b>{html.escape(f'{ARMS_CAPTION}{where}')}</b></p>"
            arms = arms_of(columns)
            whole = changes_table(columns, ARMS_CAPTION, kept=arms[:MOST_ROWS])
            yield table(Table(whole.columns, whole.rows, whole.caption, whole.groups))
            if len(arms) > MOST_ROWS:
                yield f"<p>and {len(arms) - MOST_ROWS:,} more: see effects()</p>"
