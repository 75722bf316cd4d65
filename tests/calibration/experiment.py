"""How often the throughput procedure calls equal networks different, and finds 1 % where it is.

`nox -s calibrate -- experiment`: each experiment is a study of its own with its own seed, run as every study
is, while another process loads the machine on and off. It goes on where it stopped.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

import results
from runners import study as studies
from runners.launchers import Event, Notify, Task
from runners.plan import plan
from runners.run import Options, execute
from tests.calibration.slow_copies import REPORTED, RUN, slow_copy

HERE = Path(__file__).parent
STUDY = """question = "Are copies equal?"
architecture = "{architecture}"
seed = {seed}
plugins = [{plugin!r}]

[factors]
{factors}

[[workloads]]
kind = "throughput"
image_size = {image_size}
batch_size = {batch_size}
modes = {modes}
threads = 1
half_width = {half_width}
max_processes = {max_processes}
"""
COLUMNS = [
    *("series", "experiment", "mode", "arm", "planted", "truth", "n", "effect", "low", "high"),
    *("family_low", "family_high", "verdict", "seconds"),
]


@dataclass(frozen=True)
class Series:
    """Experiments of one kind.

    Attributes:
        name: As it stands in the table.
        architecture: Of `sabotage`.
        factors: Levels, as TOML; the first is the baseline's.
        experiments: How many, unless told otherwise.
        image_size: Of the square images.
        batch_size: Images a step.
        modes: What is timed.
        half_width: What the intervals aim at.
        max_processes: Where they give up.
    """

    name: str
    architecture: str
    factors: str
    experiments: int
    image_size: int = 16
    batch_size: int = 8
    modes: tuple[str, ...] = ("inference", "train")
    half_width: float = 0.01
    max_processes: int = 14


SERIES = (
    Series("chain +1 %", "chain", 'layers = [100, 101]\ncopy = ["a", "b", "c"]', 34, modes=("inference",)),
    Series("small", "small", 'copy = ["a", "b", "c", "d", "e", "f", "g"]', 9, batch_size=4),
    Series("chain", "chain", 'layers = [100, 101]\ncopy = ["a", "b", "c", "d", "e", "f"]', 6),
    Series("ResNet-50", "resnet50", 'copy = ["a", "b", "c", "d", "e", "f", "g"]', 2, 64, 2),
)
LAYERS = Series("one layer", "chain", "layers = [100, 200]", 1, modes=("inference", "train"))
"""What the second hundred layers take is what the truth about one more of them is taken from."""


def run_experiments(out: Path, series: Series, count: int) -> None:
    """Run what is left of so many experiments, each into a directory of its own."""
    for seed in range(count):
        directory = out / f"{series.name.replace(' ', '-').replace('%', 'percent')}-{seed:03}"
        directory.mkdir(parents=True, exist_ok=True)
        file = directory / "calibration.toml"
        known = {**vars(series), "modes": list(series.modes)}
        file.write_text(STUDY.format(seed=seed, plugin=str(HERE / "sabotage.py"), **known))
        planned = plan(studies.load(str(file)), device="cpu", cores=1)
        execute(planned, Options(directory / "run", "cpu", 1), quiet)
        print(f"{series.name}: {seed + 1} of {count}", flush=True)


@contextmanager
def quiet(tasks: list[Task], count: int) -> Iterator[Notify]:
    def notify(event: Event) -> None:
        pass

    yield notify


def effects_of(directory: Path) -> pd.DataFrame:
    """The effects on the time per step of one experiment, with what its timed processes took."""
    run = results.load(directory / "run")
    effects = run.effects()
    seconds = sum(record.seconds for record in run.analysis.records if record.block.startswith("process"))
    return effects[effects["metric"] == "step_seconds"].assign(seconds=seconds, seed=run.analysis.study.seed)


def layer_share(out: Path) -> dict[str, float]:
    """By mode, what one more layer of a hundred takes, from a chain of two hundred."""
    rows = pd.concat([effects_of(d) for d in sorted(out.glob("one-layer-*"))])
    one = rows[rows["factor"] == "layers"]
    return {
        str(mode): 1 + (float(effect) - 1) / 100
        for mode, effect in zip(one["mode"], one["effect"], strict=True)
    }


def comparisons(out: Path, every: tuple[Series, ...] = SERIES) -> pd.DataFrame:
    """One row per comparison with the baseline: its own 95 % interval, and the truth."""
    rows = []
    layers = layer_share(out) if any(one.architecture == "chain" for one in every) else {}
    for series in every:
        for directory in sorted(out.glob(f"{series.name.replace(' ', '-').replace('%', 'percent')}-[0-9]*")):
            for row in effects_of(directory).to_dict("records"):
                slow = series.architecture == "small" and row["arm"] == f"copy={slow_copy(row['seed'])}"
                planted = slow or row["factor"] == "layers"
                truth = RUN / REPORTED if slow else layers[row["mode"]] if planted else 1.0
                given = (series.name, directory.name, row["mode"], row["arm"], planted, truth, row["n"])
                own = (row["effect"], row["ci_low_unadjusted"], row["ci_high_unadjusted"])
                family = (row["ci_low"], row["ci_high"], row["verdict"], row["seconds"])
                rows.append(dict(zip(COLUMNS, (*given, *own, *family), strict=True)))
    return pd.DataFrame(rows, columns=COLUMNS)


def summary(found: pd.DataFrame) -> str:
    """What was found, in Markdown: counts, and what a 5 % procedure explains."""
    lines = [
        "| networks | mode | comparisons | called different | intervals that hold the truth "
        "| a 5 % procedure explains | mean | half-width | verdicts |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    groups = [
        (f"{series}, {'planted' if planted else 'equal'}", mode, group)
        for (planted, series, mode), group in found.groupby(["planted", "series", "mode"], sort=False)
    ]
    equal = found[~found["planted"]]
    groups += [("all equal ones", str(mode), group) for mode, group in equal.groupby("mode", sort=False)]
    lines += [_line(name, str(mode), group) for name, mode, group in groups]
    return "\n".join(lines)


def _line(name: str, mode: str, group: pd.DataFrame) -> str:
    count = len(group)
    different = int(((group["low"] > 1) | (group["high"] < 1)).sum())
    holds = int(((group["low"] <= group["truth"]) & (group["truth"] <= group["high"])).sum())
    least, most = stats.binom.interval(0.99, count, 0.95)
    logs = np.log(group["effect"])
    half = float(np.median(np.log(group["high"] / group["low"]))) / 2
    verdicts = ", ".join(f"{number} {verdict}" for verdict, number in group["verdict"].value_counts().items())
    return (
        f"| {name} | {mode} | {count} | {different} ({different / count:.0%}) "
        f"| {holds} ({holds / count:.0%}) | {least:.0f} to {most:.0f} hold "
        f"| {np.expm1(logs.mean()):+.2%} | ±{half:.2%} | {verdicts} |"
    )


def main() -> None:
    """Run, then print the summary and write the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, help="of each series, instead of its own number")
    parser.add_argument("--series", choices=[one.name for one in SERIES], action="append")
    parser.add_argument("--out", type=Path, default=Path("runs/calibration"))
    given = parser.parse_args()
    chosen = tuple(one for one in SERIES if given.series is None or one.name in given.series)
    loader = subprocess.Popen([sys.executable, str(HERE / "load.py"), "1"])
    try:
        if any(one.architecture == "chain" for one in chosen):
            run_experiments(given.out, LAYERS, LAYERS.experiments)
        for series in chosen:
            run_experiments(given.out, series, given.experiments or series.experiments)
    finally:
        loader.kill()
        loader.wait()
    found = comparisons(given.out, chosen)
    found.to_csv(given.out / "comparisons.csv", index=False)
    print(summary(found))


if __name__ == "__main__":
    main()
