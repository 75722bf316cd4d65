"""Where a trial keeps how far it has come, so that a process that was ended is not begun anew.

One file a trial and environment, in the run directory, for as long as the trial is not over. What it holds
is the probe's own.
"""

from contextlib import suppress
from pathlib import Path

from results.records import parts
from results.records.directory import own_folder, read_records
from results.records.record import FINAL_STATUSES, Record
from runners.run_folder import RunFolder

FOLDER = "checkpoints"
SUFFIX = ".safetensors"


def path_of(trial: str, place: RunFolder) -> Path:
    """The file of a trial; another environment might compute other bits, and has a file of its own."""
    return place.directory / FOLDER / f"{trial}-{place.environment}{SUFFIX}"


def is_over(record: Record) -> bool:
    """Whether nothing goes on from where this record's trial stopped."""
    return all(outcome.status in FINAL_STATUSES for outcome in record.outcomes)


def discard(record: Record, place: RunFolder) -> None:
    """Remove the file of a trial that is over; one that failed may be asked again, and keeps it."""
    if is_over(record):
        with suppress(OSError):  # swept up at the next start
            path_of(record.trial, place).unlink(missing_ok=True)


def sweep(run: Path) -> None:
    """Remove what ended processes left behind: files of trials that are over, and half-written ones.

    To be called while nothing runs in the directory.

    Raises:
        StorageError: The folder is none of the run's own.
    """
    paths = list(own_folder(run, FOLDER).iterdir())
    over = _over(run, {path.stem for path in paths if path.suffix == SUFFIX})
    for path in paths:
        half_written = path.name.startswith(".") and path.suffix == ".tmp"
        if half_written or (path.suffix == SUFFIX and path.stem in over):
            with suppress(OSError):
                path.unlink()


def _over(run: Path, stems: set[str]) -> set[str]:
    """Those of `TRIAL-ENVIRONMENT` whose trial has a record after which nothing goes on."""
    if not stems:
        return set()
    others = {name for name in parts.names(run) if name.rpartition("-")[0] not in stems}
    records, _ = read_records(run, known=others)
    return {record.file_name.rpartition("-")[0] for record in records if is_over(record)}
