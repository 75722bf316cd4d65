"""What it takes to know a ratio to ±2 %: this suite, torch.utils.benchmark in sequence, and timm's way.

`nox -s calibrate -- side-by-side`: the three take turns, each answer from a fresh process,
importing, building and warm-up included. From the spread of the answers follows how many it takes
until their mean is known to ±2 % (a t interval of 95 %), and so what that costs. Beside it: how often
each calls a network different from itself.
"""

import argparse
import contextlib
import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from results.records.directory import read_records
from runners import environment
from runners import study as studies
from runners.launchers import Task, local
from runners.plan import plan

HERE = Path(__file__).parent
HALF_WIDTH = math.log(1.02)
PROCESSES = 6
STUDY = """question = "What does a deep stem cost?"
architecture = "resnet"

[factors]
stem = ["shallow", "deep32"]

[[workloads]]
kind = "throughput"
levels = { depth = 18, width = 16 }
modes = ["inference"]
image_size = 64
batch_size = 8
threads = 1
arm_seconds = 0.6
processes = 1000
"""
OURS, TIMER, TIMM = "this suite", "torch.utils.benchmark", "timm's benchmark.py"


def ours(out: Path, answers: int) -> Iterator[dict[str, Any]]:
    """One process after the other, as the suite's launcher runs them."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "pair.toml").write_text(STUDY)
    planned = plan(studies.load(str(out / "pair.toml")), device="cpu", cores=1)
    timed = [trial for trial in planned.trials if trial.timed][:answers]
    name = environment.identify(environment.capture("cpu"))
    for trial in timed:
        start = time.perf_counter()
        local.run([Task(trial, 1)], directory=out, environment=name, jobs=1, notify=lambda _: None)
        seconds = time.perf_counter() - start
        record = next(r for r in read_records(out)[0] if r.trial == trial.id)
        samples = {o.arm: np.array(o.measurements[0].values) for o in record.outcomes}
        yield {
            "method": OURS,
            "log_ratio": float(np.median(np.log(samples["stem=deep32"] / samples["baseline"]))),
            "log_ratio_same": float(np.median(np.log(samples["(control)"] / samples["baseline"]))),
            # The duplicate is part of what every run of the suite costs.
            "seconds": seconds,
        }


def theirs(method: str, answers: int) -> Iterator[dict[str, Any]]:
    """A fresh interpreter for each answer, as whoever runs such a script has."""
    script = str(HERE / "in_sequence.py")
    for _ in range(answers):
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, script, method], capture_output=True, text=True, check=True, cwd=HERE.parents[1]
        )
        seconds = time.perf_counter() - start
        found = json.loads(done.stdout.splitlines()[-1])
        first, other, same = (np.array(found[name]) for name in ("first", "other", "same"))
        yield {
            "method": method,
            "log_ratio": float(np.log(np.median(other) / np.median(first))),
            "log_ratio_same": float(np.log(np.median(same) / np.median(first))),
            # Timing the first network once more is for the share of false differences only.
            "seconds": seconds - found["same_seconds"],
            "called_different": bool(stats.mannwhitneyu(first, same).pvalue < 0.05),
        }


def answers_needed(sd: float, fewest: int) -> int:
    """Smallest n, from `fewest` on, with t(n - 1) sd / sqrt(n) <= log 1.02."""
    n = np.arange(fewest, 100_000)
    half = stats.t.ppf(0.975, n - 1) * sd / np.sqrt(n)
    return int(n[np.argmax(half <= HALF_WIDTH)])


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """One row per method: spread of its answers, how many it takes, what that costs, how often it errs."""
    rows = []
    for method, group in found.groupby("method", sort=False):
        sd = float(group["log_ratio"].std(ddof=1))
        fewest = PROCESSES if method == OURS else 2
        needed = answers_needed(sd, fewest)
        each = float(group["seconds"].iloc[1:].median())
        once = max(0.0, float(group["seconds"].iloc[0]) - each) if method == OURS else 0.0
        rows.append(
            {
                "method": method,
                "answers": len(group),
                "ratio": float(np.exp(group["log_ratio"].mean())),
                "sd_percent": 100 * sd,
                "sd_same_percent": 100 * float(group["log_ratio_same"].std(ddof=1)),
                "seconds_each": each,
                "needed": needed,
                "half_width_percent": 100 * _resampled_half_width(group["log_ratio"], needed),
                "seconds_to_2_percent": once + needed * each,
                "false_differences": _false_differences(str(method), group),
            }
        )
    table = pd.DataFrame(rows)
    own = table.set_index("method")["seconds_to_2_percent"][OURS]
    return table.assign(times_ours=table["seconds_to_2_percent"] / own)


def _resampled_half_width(answers: "pd.Series[float]", count: int) -> float:
    """Half the range of 95 in 100 means of so many answers, drawn from these: no normal law assumed."""
    drawn = np.random.default_rng(0).choice(answers.to_numpy(), (10_000, count)).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(high - low) / 2


def _false_differences(method: str, group: pd.DataFrame) -> str:
    """How often a network was called different from itself: ours by six processes, theirs by one answer."""
    if method != OURS:
        return f"{int(group['called_different'].sum())} of {len(group)}"
    values = group["log_ratio_same"].to_numpy()
    tests = [
        stats.ttest_1samp(values[i : i + PROCESSES], 0.0).pvalue < 0.05
        for i in range(0, len(values) - PROCESSES + 1, PROCESSES)
    ]
    return f"{sum(tests)} of {len(tests)}"


def main() -> None:
    """Let the methods take turns, then print the table and write the answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=24, help="of each method; twice as many of ours")
    parser.add_argument("--out", type=Path, default=Path("runs/side-by-side"))
    parser.add_argument("--load", action="store_true", help="another process loads the machine on and off")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    loader = [sys.executable, str(HERE / "load.py"), "1"]
    with subprocess.Popen(loader) if given.load else contextlib.nullcontext() as load:
        turns = [
            ours(given.out / f"ours-{time.time_ns()}", 2 * given.answers),
            theirs(TIMER, given.answers),
            theirs(TIMM, given.answers),
        ]
        rows = []
        for turn in range(given.answers):
            rows += [next(turns[0]), next(turns[0]), next(turns[1]), next(turns[2])]
            print(f"turn {turn + 1} of {given.answers}", flush=True)
        if load is not None:
            load.kill()
    found = pd.DataFrame(rows)
    found.to_csv(given.out / "answers.csv", index=False)
    table = summary(found)
    table.to_csv(given.out / "summary.csv", index=False)
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
