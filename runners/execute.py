"""One trial in its own process: from a plan's entry to a record on disk."""

import faulthandler
import gc
import importlib
import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing import connection, parent_process
from pathlib import Path
from typing import Any

import psutil

from results.records.directory import write_record
from results.records.record import Outcome, Record, RecordDetails
from runners import printed, probes
from runners.outcomes import failure
from runners.run_folder import CURRENT, RunFolder
from runners.trial import Trial, trial_from_json


def execute(
    content: dict[str, Any], run: str, environment: str, attempt: int, home: str | None = None
) -> None:
    """Run a trial and write its record; the entry point of a trial's process.

    Where a record is there already, by another run at work in the same directory, that one counts. Whatever
    the process prints goes into a log beside the records.

    Args:
        content: The trial, from `Trial.to_json`.
        run: The run directory.
        environment: Id of the environment.
        attempt: 1 for the first try.
        home: The run directory that checkpoints belong to, where `run` is a temporary one.

    Raises:
        StorageError: The run directory takes no more.
    """
    # Ctrl-C reaches every process of the terminal; the parent decides what becomes of its trials.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    directory, log = Path(run), printed.log_name(content["id"], environment, attempt)
    CURRENT.set(RunFolder(Path(home or run), environment))
    printed.keep(directory, log)
    faulthandler.enable(2)  # a crash in a library leaves its trace in the log
    gc.freeze()  # what was imported stays: looking through all of it takes a quarter of a second each time
    trial = trial_from_json(content)
    if trial.folder is not None:  # named, not imported: no trial runs through what it does not use
        importlib.import_module("runners.folders").arrived(trial.folder, directory)
    record = _run(trial, environment, attempt)
    if printed.anything(directory, log):
        record = replace(record, details={**record.details, "log": log})
    with suppress(FileExistsError):
        write_record(directory, record)
    printed.finished(directory, log)


def _run(trial: Trial, environment: str, attempt: int) -> Record:
    import torch

    from runners import plugins

    started, start = datetime.now(UTC), time.perf_counter()
    torch.set_num_threads(trial.threads)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    try:
        plugins.load(map(Path, trial.plugins))
        result = probes.get(trial.workload.kind).run(trial)
    except BaseException as error:  # noqa: BLE001 - what no arm could catch concerns them all
        result = probes.Result(tuple(failure(trial, arm, error) for arm in trial.arms))
    details: RecordDetails = {
        "threads": trial.threads,
        "load_at_start": load,
        "resident_bytes": psutil.Process().memory_info().rss,
        **result.details,
    }
    seconds = time.perf_counter() - start
    return make_record(trial, environment, attempt, result.outcomes, started, seconds, details)


def make_record(
    trial: Trial,
    environment: str,
    attempt: int,
    outcomes: tuple[Outcome, ...],
    started: datetime,
    seconds: float,
    details: RecordDetails,
) -> Record:
    """The record of a trial."""
    return Record(
        trial=trial.id,
        workload=trial.workload.name,
        block=trial.block,
        environment=environment,
        attempt=attempt,
        started_at=started.isoformat(timespec="seconds"),
        seconds=seconds,
        outcomes=outcomes,
        details=details,
    )


def _die_with_parent() -> None:
    """End this process when the run that started it is gone: no orphan writes beside its successor."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
