"""The headline table as a paper or a pull request shows it: cells, marks, and what stands below."""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

from results.report.changes import by_arm, changes_table
from results.report.headline import headline, noise_line
from results.report.notes import reason, seeds
from results.report.section import Entry, Question
from results.tables import format as text
from results.tables import verdict_words
from results.tables.analysis import Analysis
from results.tables.headline import HeadlineColumn

_OF_INTERVALS = (
    "Exact figures have no interval: one measurement decides them. Where blocks are paired, a change need "
    "not be the ratio of two values."
)
_READING = (
    "Each cell has the value, its change against the baseline, and in brackets the simultaneous 95 % "
    f"interval of that change, in the change's unit. {_OF_INTERVALS}"
)
_OF_MEANS = (
    "Each cell has the change, averaged over the other factors, and in brackets its simultaneous 95 % "
    f"interval, in the change's unit. {_OF_INTERVALS}"
)
_INCOMPLETE = "Not all that was planned is on record: n is what was run."
Row = dict[Hashable, Any]


@dataclass(frozen=True, slots=True)
class PaperTable:
    """The headline of one environment, before it is written in a format.

    Attributes:
        name: Of the study and the environment, to be referred to.
        caption: What the table is, with the study's question.
        questions: The columns after the first.
        places: For each column where it holds, in a word: the workload's name.
        contexts: The same in full, by that word.
        names: The rows after the baseline's, which the questions hold.
        cells: For each row as many entries as there are questions.
        marks: For each row and question a letter of `remarks`, or "".
        remarks: By letter why a cell has no interval, or is not to be trusted.
        notes: What stands below: how to read it, the signs, the noise, what it was made from.
        source: Study and environment, for a comment.
    """

    name: str
    caption: str
    questions: Sequence[Question]
    places: Sequence[str]
    contexts: dict[str, str]
    names: Sequence[str]
    cells: Sequence[Sequence[Entry]]
    marks: Sequence[Sequence[str]]
    remarks: dict[str, str]
    notes: Sequence[str]
    source: str


def chosen(
    columns: Sequence[HeadlineColumn], metrics: Collection[str] = (), workloads: Collection[str] = ()
) -> list[HeadlineColumn]:
    """Those of these metrics and workloads, by name; of all where none is given."""
    return [
        column
        for column in columns
        if (not metrics or column.rows["metric"].iloc[0] in metrics)
        and (not workloads or column.rows["workload"].iloc[0] in workloads)
    ]


def paper_table(
    run: Analysis, environment: str, metrics: Collection[str] = (), workloads: Collection[str] = ()
) -> PaperTable | None:
    """The headline table of one environment; None where no headline metric is on record.

    Args:
        run: What was measured.
        environment: Its id.
        metrics: Names of metrics to show; all where empty.
        workloads: Names of workloads to show; all where empty.
    """
    found = headline(run, environment)
    columns = chosen(found.shown, metrics, workloads)
    if not columns:
        return None
    table = changes_table(columns, found.caption, found.arms, interval=text.brackets)
    places = _places(columns)
    names = [row[0].text for row in table.rows]
    by_column = [by_arm(column) for column in columns]
    letters: dict[str, str] = {}
    marks = [[_letter(_remark(rows.get(name)), letters) for rows in by_column] for name in names]
    study = run.study
    noise = noise_line(run, environment, columns)
    where = f" on {environment}" if len(run.names) > 1 else ""
    return PaperTable(
        f"{study.name}-{environment}",
        f"{found.caption}{where}. {study.name}: {study.question}",
        table.questions,
        places,
        dict(zip(places, (column.context for column in columns), strict=True)),
        names,
        [row[1:] for row in table.rows],
        marks,
        {letter: said for said, letter in letters.items()},
        [
            _OF_MEANS if found.averaged else _READING,
            verdict_words.LEGEND,
            *([noise] if noise else []),
            *([_INCOMPLETE] if (run.missing["environment"] == environment).any() else []),
        ],
        f"study {study.name} {study.digest[:12]}, environment {environment}",
    )


def _places(columns: Sequence[HeadlineColumn]) -> list[str]:
    """The workload's name; with a number where it holds several contexts, such as two devices."""
    known: dict[str, list[str]] = {}
    named = [(str(column.rows["workload"].iloc[0]), column.context) for column in columns]
    for workload, context in named:
        contexts = known.setdefault(workload, [])
        if context not in contexts:
            contexts.append(context)
    return [
        workload if len(known[workload]) == 1 else f"{workload} ({known[workload].index(context) + 1})"
        for workload, context in named
    ]


def _remark(row: Row | None) -> str:
    """Why a cell shows no number to rely on; "" where it does."""
    if row is None or row["inert"]:
        return ""
    if row["verdict"] == "invalid":
        return reason(row)
    if text.missing(row["effect"]):
        return str(row["note"])
    return "; ".join(seeds(row))


def _letter(said: str, letters: dict[str, str]) -> str:
    """The letter of a remark; the same remark has one."""
    if not said:
        return ""
    return letters.setdefault(said, _numbered(len(letters)))


def _numbered(place: int) -> str:
    """`a` to `z`, then `aa`, `ab`, ..."""
    more, last = divmod(place, len(ascii_lowercase))
    return (_numbered(more - 1) if more else "") + ascii_lowercase[last]
