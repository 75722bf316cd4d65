"""Runs of the probe in `tests/data/scripted.py`: real processes that need no time.

`python -m tests.runners.scripted_runs STUDY DIRECTORY` is such a run in a process of its own.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from results.records.directory import read_records
from results.records.record import Record
from runners import study
from runners.budget import Budget
from runners.launchers import Event, Notify, Task
from runners.plan import Plan, plan
from runners.run import Options, execute

PLUGIN = Path(__file__).parents[1] / "data" / "scripted.py"


def write_study(folder: Path, acts: Iterable[str], *, blocks: int = 1, seconds: float = 0.0) -> Path:
    """A study with an arm for each act, the first one the baseline."""
    path = folder / "scripted.toml"
    levels = ", ".join(f'"{act}"' for act in acts)
    path.write_text(
        f'architecture = "scripted"\nplugins = ["{PLUGIN}"]\n[factors]\nact = [{levels}]\n'
        f'[[workloads]]\nkind = "scripted"\nblocks = {blocks}\nseconds = {seconds}\n'
    )
    return path


def plan_of(path: Path) -> Plan:
    """The study's scripted trials alone: no network is looked at."""
    found = plan(study.load(str(path)))
    return replace(found, trials=tuple(t for t in found.trials if t.workload.kind == "scripted"))


@dataclass
class Watcher:
    """A display that notes what it is told."""

    events: list[Event] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    count: int = 0

    @contextmanager
    def __call__(self, tasks: list[Task], count: int) -> Iterator[Notify]:
        self.tasks, self.count = tasks, count
        yield self.events.append


def run(
    planned: Plan,
    out: Path,
    *,
    jobs: int = 2,
    retry_failed: bool = False,
    watcher: Watcher | None = None,
    budget: Budget | None = None,
) -> None:
    """Run what is left, in this process's own children."""
    execute(planned, Options(out, "cpu", jobs, retry_failed, budget=budget), watcher or Watcher())


def by_arm(out: Path) -> dict[str, list[Record]]:
    """Records of each act, in the order of blocks and attempts; a record of this probe has one arm."""
    found: dict[str, list[Record]] = {}
    for record in sorted(read_records(out)[0], key=lambda one: (one.block, one.attempt)):
        found.setdefault(record.outcomes[0].arm.removeprefix("act="), []).append(record)
    return found


if __name__ == "__main__":
    run(plan_of(Path(sys.argv[1])), Path(sys.argv[2]))
