"""What the rules for trainings are worth, on real trainings drawn again and again.

`nox -s calibrate -- trainings`: seeds are drawn with replacement from those of docs/data/trainings.csv, of
which the truth is known, for it is their mean. Coverage is of each arm's own effect; the family-wise error is
that of arms which are all the baseline; false equivalence is that of arms which are the baseline less the
margin. With `--collect RUN...` the file is made anew from run directories of docs/data/trainings.toml.
"""

import argparse
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import results
from results.verdicts import events, unpaired
from results.verdicts import statistics as rules
from results.verdicts.divergence import fisher
from results.verdicts.events import Events
from results.verdicts.statistics import ErrorShare, Estimate

Floats = NDArray[np.float64]
Spoil = Callable[[np.random.Generator, Floats], Floats]
"""What else may happen to the numbers of one arm: NaN for a training that diverged."""

DATA = Path(__file__).parents[2] / "docs" / "data" / "trainings.csv"
METRICS = {"test_accuracy": 0.01, "test_true_class_probability": 0.01, "test_cross_entropy": 0.1}
"""With the margins of the suite."""
SHARES = {"test_accuracy", "test_true_class_probability"}
BASELINE = "baseline"
DIVERGING = 0.05
CHANCE, FAILING = 0.1, 0.35
"""A heap at chance level, and how many of the first arm's seeds are in it."""


@dataclass(frozen=True)
class Design:
    """How many seeds: of the baseline, and of each of so many arms."""

    arms: int
    seeds: int
    baseline_seeds: int


DESIGNS = (Design(10, 7, 20), Design(10, 12, 36), Design(3, 8, 8), Design(1, 10, 10))


def as_they_are(_: np.random.Generator, values: Floats) -> Floats:
    """Nothing else happens."""
    return values


def diverging(generator: np.random.Generator, values: Floats) -> Floats:
    """One training in twenty diverges."""
    return np.where(generator.random(len(values)) < DIVERGING, np.nan, values)


CASES: dict[str, Spoil] = {"as they are": as_they_are, "5 % diverge": diverging}


def collect(runs: list[Path]) -> pd.DataFrame:
    """One row per training: arm, seed, outcomes on the test set, and the validation accuracy on its grid."""
    frames = []
    for number, path in enumerate(runs):
        run = results.load(path)
        values = run.measurements.query("split == 'test' and role != 'control'")
        wide = values.pivot_table(index=["arm", "block"], columns="metric", values="value")
        curves = run.analysis.curves.query("metric == 'validation_accuracy' and role != 'control'")
        course = (
            curves.sort_values("step")
            .groupby(["arm", "block"])
            .agg(
                steps=("step", lambda steps: " ".join(map(str, steps))),
                validation_accuracy=("value", lambda shares: " ".join(f"{share:.4f}" for share in shares)),
            )
        )
        found = wide.join(course).reset_index()
        found["block"] = [f"{number}-{block}" for block in found["block"]]
        frames.append(found)
    columns = ["arm", "block", *METRICS, "steps", "validation_accuracy"]
    return pd.concat(frames).sort_values(["arm", "block"])[columns]


def population(frame: pd.DataFrame, metric: str) -> dict[str, Floats]:
    """By arm, the numbers of all its seeds on the scale of the analysis."""
    found = {str(arm): group[metric].to_numpy(dtype=float) for arm, group in frame.groupby("arm")}
    return found if metric in SHARES else {arm: np.log(values) for arm, values in found.items()}


def margin(metric: str) -> float:
    """On the scale of the analysis."""
    return METRICS[metric] if metric in SHARES else float(np.log1p(METRICS[metric]))


def analysed(values: Mapping[str, Floats], metric: str) -> dict[str, Estimate]:
    """The suite's own analysis: an estimate per arm, simultaneous over all of them."""
    kept = {arm: numbers[~np.isnan(numbers)] for arm, numbers in values.items()}
    means = unpaired.means(kept, is_share=metric in SHARES)
    weights = {arm: {arm: 1.0, BASELINE: -1.0} for arm in values if arm != BASELINE}
    share = ErrorShare(len(weights), unpaired.correlation(list(weights.values()), means))
    return {arm: unpaired.estimate(pair, means, share) for arm, pair in weights.items()}


def drawn(
    generator: np.random.Generator, populations: Mapping[str, Floats], design: Design, spoil: Spoil
) -> dict[str, Floats]:
    """So many seeds of each arm, with replacement."""
    return {
        arm: spoil(
            generator,
            generator.choice(values, design.baseline_seeds if arm == BASELINE else design.seeds),
        )
        for arm, values in populations.items()
    }


def holds(low: float | None, value: float, high: float | None) -> bool:
    """Whether an interval holds a value."""
    assert low is not None
    assert high is not None
    return low <= value <= high


@dataclass(frozen=True)
class Cell:
    """What is drawn: a metric, a design, and what else happens."""

    metric: str
    design: Design
    case: str


def simulate(cell: Cell, runs: int, seed: int = 0) -> dict[str, object]:
    """Coverage, family-wise error and false equivalence over so many runs."""
    frame = pd.read_csv(DATA)
    everything, spoil, bound = population(frame, cell.metric), CASES[cell.case], margin(cell.metric)
    generator = np.random.default_rng(seed)
    baseline = everything[BASELINE]
    others = [arm for arm in everything if arm != BASELINE]
    covered, together, family_errors, equivalent, half_widths, decided = [], [], [], [], [], []
    for _ in range(runs):
        names = [others[i] for i in generator.permutation(len(others))][: cell.design.arms]
        names += list(generator.choice(others, max(0, cell.design.arms - len(names))))
        real = {f"{i} {name}": everything[name] for i, name in enumerate(names)} | {BASELINE: baseline}
        found = analysed(drawn(generator, real, cell.design, spoil), cell.metric)
        truth = {arm: float(real[arm].mean() - baseline.mean()) for arm in found}
        covered += [holds(one.low_alone, truth[arm], one.high_alone) for arm, one in found.items()]
        together.append(all(holds(one.low, truth[arm], one.high) for arm, one in found.items()))
        half_widths += [((one.high or 0.0) - (one.low or 0.0)) / 2 for one in found.values()]
        decided += [
            not (holds(one.low, 0.0, one.high) and max(abs(one.low or 0.0), abs(one.high or 0.0)) > bound)
            for one in found.values()
        ]
        null = {f"{i}": baseline for i in range(cell.design.arms)} | {BASELINE: baseline}
        found = analysed(drawn(generator, null, cell.design, spoil), cell.metric)
        family_errors.append(any(not holds(one.low, 0.0, one.high) for one in found.values()))
        shift = -bound if cell.metric in SHARES else bound
        moved = {arm: values + (shift if arm != BASELINE else 0.0) for arm, values in null.items()}
        found = analysed(drawn(generator, moved, cell.design, spoil), cell.metric)
        equivalent += [-bound <= (one.low or 0.0) and (one.high or 0.0) <= bound for one in found.values()]
    return {
        "metric": cell.metric,
        "case": cell.case,
        "arms": cell.design.arms,
        "seeds": cell.design.seeds,
        "baseline_seeds": cell.design.baseline_seeds,
        "runs": runs,
        "coverage": float(np.mean(covered)),
        "coverage_together": float(np.mean(together)),
        "family_error": float(np.mean(family_errors)),
        "false_equivalence": float(np.mean(equivalent)),
        "half_width": float(np.median(half_widths)),
        "decided": float(np.mean(decided)),
    }


def heaps(design: Design, runs: int, seed: int = 0) -> dict[str, object]:
    """One arm's seeds fail to learn one time in three: what its rows say, and what its neighbours' do."""
    frame = pd.read_csv(DATA)
    baseline = population(frame, "test_accuracy")[BASELINE]
    generator = np.random.default_rng(seed)
    covered, beside, found_failing, false_failing = [], [], [], []
    for _ in range(runs):
        arms = {f"{i}": baseline for i in range(design.arms)} | {BASELINE: baseline}
        values = drawn(generator, arms, design, as_they_are)
        failed = generator.random(design.seeds) < FAILING
        values["0"] = np.where(failed, CHANCE + 0.01 * generator.standard_normal(design.seeds), values["0"])
        found = analysed(values, "test_accuracy")
        truth = FAILING * (CHANCE - float(baseline.mean()))
        covered.append(holds(found["0"].low_alone, truth, found["0"].high_alone))
        beside.append(any(not holds(one.low, 0.0, one.high) for arm, one in found.items() if arm != "0"))
        p = fisher(int(failed.sum()), design.seeds, 0, design.baseline_seeds)
        found_failing.append(design.arms * p < rules.ALPHA)
        none = fisher(
            int((generator.random(design.seeds) < 0.02).sum()), design.seeds, 0, design.baseline_seeds
        )
        false_failing.append(design.arms * none < rules.ALPHA)
    return {
        "case": "two heaps in one arm",
        "arms": design.arms,
        "seeds": design.seeds,
        "baseline_seeds": design.baseline_seeds,
        "runs": runs,
        "coverage": float(np.mean(covered)),
        "family_error": float(np.mean(beside)),
        "found": float(np.mean(found_failing)),
        "found_falsely": float(np.mean(false_failing)),
    }


TARGETS, SLOWER = (0.9, 0.95, 0.96, 0.97, 0.98, 0.99), 1.25
"""Validation accuracies; how many times as many steps the slower arm takes."""


def courses(frame: pd.DataFrame) -> tuple[Floats, Floats]:
    """Steps of the evaluations, and the accuracies of the baseline's trainings; shape (trainings, steps)."""
    mine = frame[frame["arm"] == BASELINE]
    steps = np.array(mine["steps"].iloc[0].split(), dtype=float)
    return steps, np.array([row.split() for row in mine["validation_accuracy"]], dtype=float)


def times(steps: Floats, accuracies: Floats, end: float, target: float) -> Events:
    """When each training reached the target, as far as it is known at `end`."""
    looks = steps[steps <= end]
    reached = accuracies[:, : len(looks)] >= target - 1e-9
    first = np.where(reached.any(1), reached.argmax(1), len(looks))
    edges = np.concatenate([[0.0], looks, [np.inf]])
    return Events(edges[first], edges[first + 1])


def to_target(censored: float, design: Design, runs: int, seed: int = 0) -> dict[str, object]:
    """Steps to a target that so many trainings miss: arms that are the baseline, and one that is slower."""
    steps, accuracies = courses(pd.read_csv(DATA))
    generator = np.random.default_rng(seed)
    end = float(steps[-1])
    missed = {
        target: float(np.isinf(times(steps, accuracies, end, target).until).mean()) for target in TARGETS
    }
    target = min(missed, key=lambda one: abs(missed[one] - censored))
    covered, slower, family_errors, censorings = [], [], [], []
    for _ in range(runs):
        arms = {f"{i}": design.seeds for i in range(design.arms)} | {BASELINE: design.baseline_seeds}
        chosen = {arm: accuracies[generator.integers(len(accuracies), size=n)] for arm, n in arms.items()}
        known = {
            arm: times(steps * (SLOWER if arm == "0" else 1.0), those, end, target)
            for arm, those in chosen.items()
        }
        censorings.append(1 - sum(one.reached for one in known.values()) / sum(arms.values()))
        means = events.means(known)
        weights = {arm: {arm: 1.0, BASELINE: -1.0} for arm in arms if arm != BASELINE}
        share = ErrorShare(len(weights), unpaired.correlation(list(weights.values()), means))
        found = {arm: unpaired.estimate(pair, means, share) for arm, pair in weights.items()}
        told = {arm: one for arm, one in found.items() if one.low is not None}
        covered += [holds(one.low_alone, 0.0, one.high_alone) for arm, one in told.items() if arm != "0"]
        slower += (
            [holds(told["0"].low_alone, float(np.log(SLOWER)), told["0"].high_alone)] if "0" in told else []
        )
        family_errors.append(
            any(not holds(one.low, 0.0, one.high) for arm, one in told.items() if arm != "0")
        )
    return {
        "arms": design.arms,
        "seeds": design.seeds,
        "baseline_seeds": design.baseline_seeds,
        "runs": runs,
        "target": target,
        "censored": float(np.mean(censorings)),
        "coverage": float(np.mean(covered)) if covered else np.nan,
        "coverage_slower": float(np.mean(slower)) if slower else np.nan,
        "slower_told": len(slower) / runs,
        "family_error": float(np.mean(family_errors)),
    }


def markdown(rows: list[dict[str, object]]) -> str:
    """A line a row; what is a share in percent."""
    names = list(rows[0])
    lines = [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
    for row in rows:
        cells = (
            f"{v:.3g}" if n in NUMBERS else f"{v:.1%}" if isinstance(v, float) else str(v)
            for n, v in row.items()
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


NUMBERS = {"half_width", "target"}


def main() -> None:
    """Collect, or simulate and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=1000, help="draws per line (default: 1000)")
    parser.add_argument(
        "--collect", nargs="+", type=Path, metavar="RUN", help="make the file anew from these"
    )
    options = parser.parse_args()
    if options.collect:
        collect(options.collect).to_csv(DATA, index=False, float_format="%.6g")
        return
    cells = [Cell(m, design, case) for m in METRICS for design in DESIGNS for case in CASES]
    runs = options.runs
    censorings = [(share, design) for share in (0.0, 0.3) for design in DESIGNS[:3]]
    with ProcessPoolExecutor() as pool:
        rows = list(pool.map(partial(simulate, runs=runs), cells))
        two = list(pool.map(partial(heaps, runs=runs), DESIGNS))
        timed = list(pool.map(partial(to_target, runs=runs // 4), *zip(*censorings, strict=True)))
    print(*map(markdown, (rows, two, timed)), sep="\n\n")


if __name__ == "__main__":
    main()
