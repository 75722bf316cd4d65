"""What measuring costs: the parent's share of a core meanwhile, and the harness's share of a turn.

`nox -s calibrate -- overhead`: one timed process of two small networks, followed by the display that a
terminal shows. All figures are CPU time or wall time over what was timed in the same run.
"""

import argparse
import io
import time
from pathlib import Path

import pandas as pd
from rich.console import Console

from results.records.directory import read_records
from runners import environment
from runners import study as studies
from runners.launchers import Task, local
from runners.plan import plan
from runners.terminal.progress import Display

STUDY = """question = "What does measuring cost?"
architecture = "resnet"

[factors]
relu = ["inplace", "out_of_place"]

[[workloads]]
kind = "throughput"
levels = {{ depth = 18, width = {width} }}
image_size = 32
batch_size = {batch_size}
threads = 1
arm_seconds = {arm_seconds}
processes = 2
"""


def measure(out: Path, *, width: int, batch_size: int, arm_seconds: float) -> dict[str, float]:
    """Run two processes, the first to have PyTorch imported, and look at the second."""
    out.mkdir(parents=True, exist_ok=True)
    file = out / "overhead.toml"
    file.write_text(STUDY.format(width=width, batch_size=batch_size, arm_seconds=arm_seconds))
    planned = plan(studies.load(str(file)), device="cpu", cores=1)
    tasks = [Task(trial, 1) for trial in planned.trials if trial.timed]
    name = environment.identify(environment.capture("cpu"))
    display = Display(Console(file=io.StringIO(), force_terminal=True), tasks, len(tasks), 1)
    with display as notify:
        local.run(tasks[:1], directory=out, environment=name, jobs=1, notify=notify)
        cpu, wall = time.process_time(), time.perf_counter()
        local.run(tasks[1:], directory=out, environment=name, jobs=1, notify=notify)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    record = next(r for r in read_records(out)[0] if r.trial == tasks[1].trial.id)
    spent, timer = record.details["seconds_by_phase"], record.details["timer"]
    measurements = [m for o in record.outcomes for m in o.measurements if m.metric == "step_seconds"]
    steps = record.outcomes[0].details["timing"]
    turn = min(min(m.values) * steps[m.mode or ""]["steps_per_block"] for m in measurements)
    return {
        "turn_ms": 1e3 * turn,
        "parent_percent_of_a_core": 100 * cpu / wall,
        "clock_percent_of_a_turn": 100 * timer["overhead_seconds"] / turn,
        "all_percent_of_a_turn": 100 * timer["turn_overhead_seconds"] / turn,
        "between_percent_of_timed": 100 * spent["between"] / spent["timed"],
    }


def main() -> None:
    """Measure for a very small and a small network, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/overhead"))
    parser.add_argument("--arm-seconds", type=float, default=4.0)
    given = parser.parse_args()
    stamp = time.time_ns()
    rows = {
        f"width {width}, batch {batch_size}": measure(
            given.out / f"{stamp}-{width}", width=width, batch_size=batch_size, arm_seconds=given.arm_seconds
        )
        for width, batch_size in ((4, 2), (16, 32))
    }
    print(pd.DataFrame(rows).T.round(3).to_string())


if __name__ == "__main__":
    main()
