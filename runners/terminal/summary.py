"""A report in short: the answer, what stands in the way of believing it, and where to read on."""

from collections.abc import Callable
from pathlib import Path

from rich.console import Console

import results
from results.report.renderers.terminal import show
from results.report.sections.failed import causes
from results.report.write import Report
from runners.expected import Expected, flips
from runners.terminal.ending import DONE, REGRESSED, SOME_FAILED
from runners.terminal.tables import print_line


def show_report(directory: Path, console: Console, *, quiet: bool) -> int:
    """Write the report of a run directory and print it in short.

    Args:
        directory: A run directory.
        console: Where to print.
        quiet: Whether to print nothing but what went wrong and the report's path.

    Returns:
        The exit code: whether some trial failed.

    Raises:
        RecordError: It is no run directory.
        StorageError: The report cannot be written.
    """
    return show_run(results.load(directory), console, quiet=quiet)


def show_run(run: results.Run, console: Console, *, quiet: bool) -> int:
    """As `show_report`, of a run that was read."""
    written = run.report()
    if quiet:
        for line in _wrong(written):
            _print(console, line)
    else:
        show(written.document, console)
    _print(console, f"report: {written.index}")
    return SOME_FAILED if written.failed["status"].ne("not_applicable").any() else DONE


def show_end(
    directory: Path, console: Console, share: Callable[[], None] | None, wanted: Expected, *, quiet: bool
) -> int:
    """Write and print the report, and what else the end of a run is asked for.

    Args:
        directory: A run directory.
        console: Where to print.
        share: Prints how a shard of a study goes on; None where the whole was run.
        wanted: Verdicts by claim, as they should be.
        quiet: As for `show_report`.

    Returns:
        The exit code: whether a claim flipped, or some trial failed.
    """
    code = show_report(directory, console, quiet=quiet)
    if share is not None and not quiet:
        share()
    lines = list(flips(results.load(directory), wanted)) if wanted else []
    for line in lines:
        print_line(line, style="red", stderr=True)
    return REGRESSED if lines else code


def _wrong(written: Report) -> list[str]:
    """Why the report is invalid, and what is not `ok`, each once with how often it occurred."""
    invalid = [
        f"{alert.title} {'; '.join(alert.items)}".strip() for alert in written.document.alerts if alert.grave
    ]
    return invalid + [f"{cause.lead} {cause.text}" for cause in causes(written.failed)]


def _print(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
