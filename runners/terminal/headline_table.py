"""The headline table on standard output, to paste into a paper or a pull request."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import typer

import results
from ablations.factor import nearest
from results.report.headline import headline
from results.report.paper import chosen, paper_table
from results.report.renderers.latex import latex
from results.report.renderers.markdown import paper_markdown
from results.report.renderers.spreadsheet import headline_csv
from results.tables.analysis import Analysis
from runners.errors import BadInput, written

FORMATS = ("md", "latex", "csv")


def print_headline_table(
    directory: Path,
    form: str,
    metrics: Sequence[str],
    workloads: Sequence[str],
    environments: Sequence[str],
) -> None:
    """Print the headline table of a run directory, of several environments one after the other.

    Args:
        directory: A run directory.
        form: One of `FORMATS`.
        metrics: Names of headline metrics to show; all where empty.
        workloads: Names of workloads to show; all where empty.
        environments: Their ids; all where empty.

    Raises:
        BadInput: A name is none of this run's, or there is nothing to show.
        RecordError: It is no run directory.
    """
    if form not in FORMATS:
        raise BadInput(f"--format {written(form)}: expected md, latex or csv{nearest(form, FORMATS)}")
    run = results.load(directory).analysis
    shown = _environments(run, environments)
    found = {name: headline(run, name).shown for name in shown}
    columns = [column for each in found.values() for column in each]
    for option, column, wanted in (("--metric", "metric", metrics), ("--workload", "workload", workloads)):
        _checked(option, wanted, {str(one.rows[column].iloc[0]) for one in columns})
    kept = {name: chosen(each, metrics, workloads) for name, each in found.items()}
    if not any(kept.values()):
        asked = f" of {', '.join(metrics)} in {', '.join(workloads)}" if metrics and workloads else ""
        raise BadInput(
            f"{directory}: no headline metric{asked} is on record; expected a run that measured one "
            "(`ablate report` says what is missing)"
        )
    if form == "csv":
        typer.echo(headline_csv([column for each in kept.values() for column in each]), nl=False)
        return
    tables = [table for name in shown if (table := paper_table(run, name, metrics, workloads))]
    typer.echo("\n".join(latex(one) if form == "latex" else paper_markdown(one) for one in tables), nl=False)


def _environments(run: Analysis, wanted: Sequence[str]) -> Sequence[str]:
    if run.names:
        _checked("--environment", wanted, run.names)
    return [name for name in run.names if not wanted or name in wanted]


def _checked(option: str, wanted: Iterable[str], known: Iterable[str]) -> None:
    names = sorted(known)
    strange = [name for name in wanted if name not in names]
    if strange and names:
        raise BadInput(
            [
                f"{option} {written(name)}: not in this run's headline{nearest(name, names)}"
                for name in strange
            ]
        )
