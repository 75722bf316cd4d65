"""Runs that train the network in `tests/data/trained.py`: seconds, in real processes.

`python -m tests.runners.trained_runs STUDY DIRECTORY --jobs N` is such a run in a process of its own.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from results.records.directory import latest, read_records
from results.records.record import Record
from runners import study
from runners.plan import Plan, plan
from runners.run import Options, execute
from tests.runners.scripted_runs import Watcher
from tests.runners.study_files import toml

PLUGIN = Path(__file__).parents[1] / "data" / "trained.py"
MARK, PACE, LAST_STEP = "TRAINED_MARK", "TRAINED_PACE", 9
"""As the plugin has them, which is loaded and never imported: that would register its network twice."""


def write_study(
    folder: Path, factors: dict[str, list[str]], *workloads: dict[str, object], plugins: tuple[Path, ...] = ()
) -> Path:
    """A study of short trainings that write how far they have come after each step."""
    path = folder / "trained.toml"
    common = {
        "kind": "convergence",
        "image_size": 8,
        "train_images": 128,
        "batch_size": 32,
        "epochs": 5,
        "seeds": 1,
        "checkpoint_seconds": 0,
    }
    tables = [
        "[[workloads]]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in (common | workload).items())
        for workload in workloads
    ]
    levels = "".join(f"{name} = {toml(list(values))}\n" for name, values in factors.items())
    files = toml([str(file) for file in (PLUGIN, *plugins)])
    path.write_text(f'architecture = "trained"\nplugins = {files}\n[factors]\n{levels}' + "".join(tables))
    return path


def plan_of(path: Path) -> Plan:
    """The study's trainings alone."""
    found = plan(study.load(str(path)))
    return replace(found, trials=tuple(t for t in found.trials if t.workload.kind == "convergence"))


def run(planned: Plan, out: Path, *, jobs: int = 2, retry_failed: bool = False) -> None:
    """Run what is left, in this process's own children."""
    execute(planned, Options(out, "cpu", jobs, retry_failed), Watcher())


def last_records(out: Path) -> dict[str, Record]:
    """The last record of each training by `workload/arm/block`."""
    return {
        f"{record.workload}/{record.outcomes[0].arm}/{record.block}": record
        for record in latest(read_records(out)[0]).values()
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("study", type=Path)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--retry-failed", action="store_true")
    parser.add_argument("--lose", type=Path, help="a file that goes between plan and run")
    given = parser.parse_args()
    planned = plan_of(given.study)
    if given.lose:
        given.lose.unlink()
    run(planned, given.directory, jobs=given.jobs, retry_failed=given.retry_failed)
