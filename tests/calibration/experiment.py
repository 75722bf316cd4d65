"""How often the throughput procedure calls equal networks different, and finds a planted slowdown of 3 %.

`nox -s calibrate -- experiment --experiments 50`: each experiment is a study of its own with its own seed,
run as every study is, while another process loads the machine on and off. It goes on where it stopped.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from scipy import stats

import results
from runners import study as studies
from runners.launchers import Event, Notify, Task
from runners.plan import plan
from runners.run import Options, execute
from tests.calibration.sabotage import REPORTED, RUN, slow_copy

HERE = Path(__file__).parent
TRUTH = RUN / REPORTED
STUDY = """question = "Are copies equal?"
architecture = "calibration"
seed = {seed}
plugins = [{plugin!r}]

[factors]
copy = ["a", "b", "c"]

[[workloads]]
kind = "throughput"
image_size = 16
batch_size = 4
modes = ["inference"]
threads = 1
arm_seconds = 0.8
processes = 6
half_width = 0.02
max_processes = 16
"""
COLUMNS = [
    "experiment",
    "mode",
    "arm",
    "planted",
    "n",
    "effect",
    "low",
    "high",
    "different",
    "covers",
    "verdict",
]


def run_experiments(out: Path, count: int) -> None:
    """Run what is left of so many experiments, each into a directory of its own."""
    for seed in range(count):
        directory = out / f"experiment-{seed:03}"
        directory.mkdir(parents=True, exist_ok=True)
        file = directory / "calibration.toml"
        file.write_text(STUDY.format(seed=seed, plugin=str(HERE / "sabotage.py")))
        planned = plan(studies.load(str(file)), device="cpu", cores=1)
        execute(planned, Options(directory / "run", "cpu", 1), quiet)
        print(f"experiment {seed + 1} of {count}", flush=True)


@contextmanager
def quiet(tasks: list[Task], count: int) -> Iterator[Notify]:
    def notify(event: Event) -> None:
        pass

    yield notify


def comparisons(out: Path) -> pd.DataFrame:
    """One row per comparison with the baseline: its own 95 % interval, and whether it holds the truth."""
    rows = []
    for directory in sorted(out.glob("experiment-*")):
        run = results.load(directory / "run")
        effects = run.effects()
        for row in effects[effects["metric"] == "step_seconds"].to_dict("records"):
            planted = row["arm"] == f"copy={slow_copy(run.analysis.study.seed)}"
            truth = TRUTH if planted else 1.0
            low, high = row["ci_low_unadjusted"], row["ci_high_unadjusted"]
            given = (directory.name, row["mode"], row["arm"], planted, row["n"], row["effect"], low, high)
            different = not low <= 1 <= high
            rows.append(
                dict(zip(COLUMNS, (*given, different, low <= truth <= high, row["verdict"]), strict=True))
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def summary(found: pd.DataFrame) -> str:
    """What was found, in a Markdown table: counts, and what a 5 % procedure explains."""
    same, planted = found[~found["planted"]], found[found["planted"]]
    lines = ["| what | of | observed | a 5 % procedure explains |", "| --- | --- | --- | --- |"]
    for name, group, column, expected in (
        ("equal networks called different", same, "different", 0.05),
        ("intervals that hold 0 % where there is none", same, "covers", 0.95),
        ("planted +3 % found", planted, "different", None),
        ("intervals that hold the planted 3 %", planted, "covers", 0.95),
    ):
        count, hits = len(group), int(group[column].sum())
        explained = "—"
        if expected is not None:
            low, high = stats.binom.interval(0.99, count, expected)
            explained = f"{low:.0f} to {high:.0f} (99 %)"
        lines.append(f"| {name} | {count} | {hits} ({hits / max(1, count):.1%}) | {explained} |")
    return "\n".join(lines)


def main() -> None:
    """Run, then print the summary and write the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=50)
    parser.add_argument("--out", type=Path, default=Path("runs/calibration"))
    given = parser.parse_args()
    loader = subprocess.Popen([sys.executable, str(HERE / "load.py"), "1"])
    try:
        run_experiments(given.out, given.experiments)
    finally:
        loader.kill()
        loader.wait()
    found = comparisons(given.out)
    found.to_csv(given.out / "comparisons.csv", index=False)
    print(summary(found))


if __name__ == "__main__":
    main()
