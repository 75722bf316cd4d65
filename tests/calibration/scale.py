"""What the suite itself takes per trial, up to 100,000: planning, running, loading and reporting.

`nox -s calibrate -- scale`: a probe that measures nothing, and a launcher that makes each record in the
process that runs the study, so that what is left is the suite's own work. Each size and shape is a run in a
process of its own, whose peak memory is told. What the start of a trial's process takes is told beside it.
"""

import argparse
import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter
from rich.console import Console

import results
from results.plots import theme
from results.records.directory import read_record, write_record
from results.records.record import RecordDetails
from results.report.write import write_report
from runners import launchers, probes, study
from runners.execute import make_record
from runners.launchers import Event, Launcher, Notify, Task
from runners.plan import Plan, plan
from runners.run import Options, execute
from runners.terminal.progress import Display

PLUGIN = Path(__file__).parents[1] / "data" / "many.py"
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
FIGURE = Path(__file__).parents[2] / "docs" / "figures" / "scale.png"
STARTS = 40
STUDY = """question = "What does a trial cost that measures nothing?"
architecture = "many"
plugins = ["{plugin}"]

[factors]
choice = [{levels}]

[[workloads]]
kind = "many"
blocks = {blocks}
"""


PARTS = ("plan", "run", "load", "report")
"""From the study file to the list of trials; to the last record, with all that a run does but its trials;
from the run directory to records in memory; from these to the report's files."""


def write_study(folder: Path, arms: int, blocks: int) -> Path:
    """A study of so many arms, the baseline among them, and seeds."""
    levels = ", ".join(map(str, range(arms)))
    path = folder / "many.toml"
    path.write_text(STUDY.format(plugin=PLUGIN, levels=levels, blocks=blocks))
    return path


def stubs(planned: Plan) -> Plan:
    """The trials that measure nothing: no network is looked at."""
    return replace(planned, trials=tuple(t for t in planned.trials if t.workload.kind == "many"))


def in_process(
    tasks: Iterable[Task],
    *,
    directory: Path,
    environment: str,
    jobs: int,
    notify: Notify,
    until: float | None = None,
) -> None:
    """Runs each task where it is called, with what a process of its own would write and its parent read."""
    for task in tasks:
        trial = task.trial
        found = probes.get(trial.workload.kind).run(trial)
        details: RecordDetails = {"threads": trial.threads, **found.details}
        record = make_record(
            trial, environment, task.attempt, found.outcomes, datetime.now(UTC), 0.01, details
        )
        notify(Event(read_record(write_record(directory, record)), (trial,)))


LAUNCHER = Launcher("in-process", "this process: what is left is the suite's own work", in_process)


def measure(arms: int, blocks: int, folder: Path) -> dict[str, float]:
    """Run a study of stub trials from its file to its report.

    Returns:
        How many trials and arms there were, wall and CPU seconds of each part, and the most resident bytes.
    """
    launchers.REGISTRY.register(LAUNCHER, Path(__file__))
    path, out = write_study(folder, arms, blocks), folder / "run"
    marks = [_clocks()]
    planned = stubs(plan(study.load(str(path))))
    marks.append(_clocks())
    options = Options(out, "cpu", 1, launcher=LAUNCHER.name)
    where = Console(file=StringIO(), force_terminal=False)
    execute(planned, options, lambda tasks, count: Display(where, tasks, count, 1))
    marks.append(_clocks())
    run = results.load(out)
    marks.append(_clocks())
    write_report(run.analysis)
    marks.append(_clocks())
    took: dict[str, float] = {"trials": len(run.analysis.records), "arms": arms}
    for name, (before, after) in zip(PARTS, itertools.pairwise(marks), strict=True):
        took |= {name: after[0] - before[0], f"{name}_cpu": after[1] - before[1]}
    return took | {"peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def _clocks() -> tuple[float, float]:
    """Wall and CPU seconds."""
    return time.perf_counter(), time.process_time()


def seconds_of_a_start(folder: Path) -> float:
    """What the local launcher takes for a stub trial, one after the other, once its server runs."""
    path, out = write_study(folder, 2, STARTS), folder / "run"
    planned = stubs(plan(study.load(str(path))))
    local = launchers.get("local")
    tasks = [Task(trial, 1) for trial in planned.trials]
    local.run(tasks[:2], directory=out, environment="here", jobs=1, notify=lambda event: None)
    start = time.perf_counter()
    local.run(tasks[2:], directory=out, environment="here", jobs=1, notify=lambda event: None)
    return (time.perf_counter() - start) / len(tasks[2:])


def shape(trials: int, arms: int) -> tuple[int, int]:
    """Arms and seeds of about so many trials; few seeds are six at least."""
    arms = min(arms, max(2, trials // 6))
    return arms, trials // arms


@theme.themed
def figure(rows: pd.DataFrame) -> Figure:
    """CPU seconds by the number of trials, a line a part, beside a line of slope 1."""
    drawn, (axis,) = theme.panels(1, 1, (6.0, 4.0))
    colours = list(theme.COLOURS.values())
    for colour, part in zip(colours, PARTS, strict=False):
        axis.plot(rows["trials"], rows[f"{part}_cpu"], marker="o", color=colour, label=part)
    ends = rows["trials"].iloc[[0, -1]]
    axis.plot(ends, ends * 1e-3, linestyle="--", color=theme.FAINT, label="1 ms a trial")
    axis.set(xscale="log", yscale="log", xlabel="trials", ylabel="CPU seconds")
    for one, ticks in ((axis.xaxis, (1e3, 1e4, 1e5)), (axis.yaxis, (0.1, 1, 10, 100))):
        one.set_major_locator(FixedLocator(ticks))
        one.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.legend(frameon=False)
    return drawn


def main() -> None:
    """Measure each size in a process of its own, print the table, draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--arms", type=int, default=50, help="the others are seeds")
    parser.add_argument("--one", type=int, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--starts", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--figure", type=Path, help=f"e.g. {FIGURE.name}")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scale-") as name:
        if given.one:
            print(json.dumps(measure(given.one[0], given.one[1], Path(name))))
            return
        if given.starts:
            print(json.dumps(seconds_of_a_start(Path(name))))
            return
    rows = []
    for size in given.sizes:
        rows.append(_apart("--one", *map(str, shape(size, given.arms))))
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    frame = pd.DataFrame(rows)
    each = 1e3 / frame["trials"]
    shown = frame.assign(
        ms_a_trial=each * (frame["plan"] + frame["run"]),
        cpu_ms_a_trial=each * (frame["plan_cpu"] + frame["run_cpu"]),
        peak_mib=frame["peak_bytes"] / 2**20,
    ).drop(columns="peak_bytes")
    print(shown.round(2).to_string(index=False))
    print(f"start of a trial's process: {1e3 * _apart('--starts'):.0f} ms")
    if given.figure:
        given.figure.write_bytes(theme.drawn(figure(frame))[1])


def _apart(*arguments: str) -> Any:
    command = [sys.executable, "-m", "tests.calibration.scale", *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    main()
