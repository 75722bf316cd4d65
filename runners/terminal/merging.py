"""What is said of run directories that become one; needs no PyTorch."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import results
from results.records.merge import CannotMerge, merge
from results.records.resolved_study import read_study
from results.tables.format import count
from runners import run_lock, study_file
from runners.errors import BadInput
from runners.terminal.summary import show_run
from runners.terminal.tables import console, print_line


def show_merge(directories: Sequence[Path], out: Path, *, apart: bool, quiet: bool) -> int:
    """Merge run directories, write the report of what they become, and say what is still to run.

    Args:
        directories: Of one study.
        out: What they become.
        apart: Whether environments that differ may stand side by side.
        quiet: Whether to say nothing but what went wrong and where the report is.

    Returns:
        The exit code, as `ablate report` has it.

    Raises:
        BadInput: They are not to be pooled, a line for each reason.
        RecordError: One is no run directory.
        StorageError: There is no room.
    """
    for directory in directories:
        read_study(directory)  # before the directory that they become is made
    try:
        with run_lock.alone(out, lambda line: print_line(line, stderr=True)):
            try:
                done = merge(directories, out, apart=apart)
            finally:
                _leave_nothing(out)
    except CannotMerge as error:
        raise BadInput(error.lines) from None
    run = results.load(out)
    code = show_run(run, console(), quiet=quiet)
    if not quiet:
        print_line(f"{count(done.added, 'record')} added, {count(done.records, 'record')} in {out}")
        _print_left(run, out)
    return code


def _leave_nothing(out: Path) -> None:
    """Remove a new directory into which nothing was merged."""
    if not (out / "study.json").is_file():
        with suppress(OSError):
            (out / run_lock.NAME).unlink()
            out.rmdir()


def _print_left(run: results.Run, out: Path) -> None:
    missing, name = run.analysis.missing, run.analysis.study.name
    if missing.empty:
        print_line("nothing is left to run")
        return
    lacking = (missing["planned"] - missing["recorded"]).groupby(missing["workload"]).sum()
    told = ", ".join(f"{workload} {int(number)}" for workload, number in lacking.items())
    study = name if name in study_file.studies() else f"{name}.toml"
    print_line(f"still to run, blocks of an arm by workload: {told}")
    print_line(f"go on: ablate run {study} --out {out}")
