"""Whether the rules hold at the n at which they speak: coverage, family-wise error and false equivalence.

`nox -s calibrate -- simulation`: the suite's own sizes, spreads and intervals on drawn contrasts, of which
the truth is known. Processes are as many as the two stages ask for, in families of 1, 3 and 10 arms.
"""

import argparse
import math
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from results.records.resolved_study import Stopping
from results.verdicts import statistics as rules
from results.verdicts.families import mean_correlation
from results.verdicts.sizing import processes_needed
from results.verdicts.spread import moderated
from runners.probes.throughput.schedule import orders

Floats = NDArray[np.float64]
Noise = Callable[[np.random.Generator, int, int], Floats]
"""Noise of each process and arm, of mean 0 and standard deviation 1; shape (processes, arms)."""

FEWEST = 12
STOPPING = Stopping("step_seconds", math.expm1(1.0), 40)
"""Half-widths of 1 on the scale of the analysis: spreads are in units of what is aimed at."""
SPREADS = (0.5, 1.0, 1.6)
FAMILIES = (1, 3, 10)
ARM = 2
"""Column of the first arm: the baseline and its duplicate come before."""


def normal(generator: np.random.Generator, count: int, arms: int) -> Floats:
    return generator.standard_normal((count, arms))


def lognormal(generator: np.random.Generator, count: int, arms: int, sigma: float = 0.5) -> Floats:
    """Skewed to the right, as disturbances are: skewness 1.75."""
    mean, sd = math.exp(sigma**2 / 2), math.exp(sigma**2 / 2) * math.sqrt(math.expm1(sigma**2))
    return (np.exp(sigma * generator.standard_normal((count, arms))) - mean) / sd


def lognormal_arm(generator: np.random.Generator, count: int, arms: int) -> Floats:
    """The first arm alone is skewed, all others are normal."""
    noise = normal(generator, count, arms)
    noise[:, ARM] = lognormal(generator, count, 1)[:, 0]
    return noise


def wild_arm(generator: np.random.Generator, count: int, arms: int) -> Floats:
    """The first arm scatters three times as much as the others."""
    noise = normal(generator, count, arms)
    noise[:, ARM] *= 3
    return noise


def heavy(generator: np.random.Generator, count: int, arms: int) -> Floats:
    """Student's t with three degrees of freedom."""
    return generator.standard_t(3, (count, arms)) / math.sqrt(3)


def dependent(generator: np.random.Generator, count: int, arms: int) -> Floats:
    """Neighbouring processes are alike: autoregressive, 0.3."""
    noise = normal(generator, count, arms)
    for i in range(1, count):
        noise[i] = 0.3 * noise[i - 1] + math.sqrt(1 - 0.3**2) * noise[i]
    return noise


def drift(generator: np.random.Generator, count: int, arms: int, rounds: int = 16) -> Floats:
    """A machine that drifts and is loaded on and off; arms take turns in the suite's own order."""
    found = np.empty((count, arms))
    for i in range(count):
        taken = np.array(orders(generator, arms, rounds))
        turns = taken.size
        slow = np.cumsum(generator.normal(0, 0.05, turns)) + generator.normal(0, 1) * np.linspace(0, 1, turns)
        loaded = np.cumsum(generator.random(turns) < 0.02) % 2 * generator.uniform(0.5, 5)
        by_arm = np.empty(taken.shape)
        np.put_along_axis(by_arm, taken, (slow + loaded).reshape(taken.shape), axis=1)
        found[i] = np.median(by_arm - by_arm[:, :1], axis=0)
    return found + normal(generator, count, arms)


NOISES: dict[str, Noise] = {
    "normal": normal,
    "lognormal": lognormal,
    "lognormal in one arm": lognormal_arm,
    "t, three degrees": heavy,
    "drift and load": drift,
    "one arm wild": wild_arm,
    "neighbours alike": dependent,
}


@dataclass(frozen=True)
class Arm:
    """What one arm of one run came to: its processes, and whether its intervals hold none."""

    n: int
    alone: bool
    family: bool
    equivalent: bool
    half_width: float


def run(generator: np.random.Generator, noise: Noise, family: int, spread: float) -> list[Arm]:
    """One run: a first stage, the processes it asks for, intervals."""
    drawn = spread / math.sqrt(2) * noise(generator, STOPPING.at_most, family + ARM)
    contrasts = drawn[:, 1:] - drawn[:, :1]
    first = moderated([s for c in contrasts[: STOPPING.first_stage].T if (s := rules.own_spread(c))])
    counts = [min(STOPPING.at_most, max(FEWEST, processes_needed(s, family, STOPPING))) for s in first[1:]]
    counts = [max(counts), *counts]
    later = [contrasts[STOPPING.first_stage : n, i] for i, n in enumerate(counts)]
    spreads = moderated([s for c in later if (s := rules.own_spread(c))])
    shared = min(map(len, later[1:]))
    alike = mean_correlation(np.array([c[:shared] for c in later[1:]]).T) if family > 1 else 0.0
    arms = []
    for i in range(1, family + 1):
        found = rules.interval(contrasts[: counts[i], i], spreads[i], rules.ErrorShare(family, alike))
        assert found.low is not None
        assert found.high is not None
        alone = (found.low_alone or 0.0) <= 0 <= (found.high_alone or 0.0)
        half = (found.high - found.low) / 2
        arms.append(Arm(found.n, alone, found.low <= 0 <= found.high, found.high <= 0, half))
    return arms


def cell(runs: int, name: str, family: int, spread: float) -> dict[str, object]:
    """One row of the table."""
    generator = np.random.default_rng([family, round(100 * spread), *name.encode()])
    found = [run(generator, NOISES[name], family, spread) for _ in range(runs)]
    every = pd.DataFrame([vars(arm) | {"place": i} for arms in found for i, arm in enumerate(arms)])
    by_n = every.groupby("n")["alone"].agg(["mean", "size"])
    spoken = by_n[by_n["size"] >= 0.05 * len(every)]["mean"]
    return {
        "noise": name,
        "arms": family,
        "spread": spread,
        "n": every["n"].mean(),
        "half_width": every["half_width"].median(),
        "coverage": every["alone"].mean(),
        "coverage_first_arm": every.loc[every["place"] == 0, "alone"].mean(),
        "lowest_at_an_n": spoken.min(),
        "highest_at_an_n": spoken.max(),
        "family_wise_error": np.mean([not all(arm.family for arm in arms) for arms in found]),
        "false_equivalence": every["equivalent"].mean(),
    }


def _row(runs: int, given: tuple[str, int, float]) -> dict[str, object]:
    return cell(runs, *given)


def table(runs: int, names: tuple[str, ...] = tuple(NOISES)) -> pd.DataFrame:
    """All cells."""
    given = [(name, family, spread) for name in names for family in FAMILIES for spread in SPREADS]
    with ProcessPoolExecutor() as pool:
        return pd.DataFrame(pool.map(partial(_row, runs), given))


def markdown(found: pd.DataFrame) -> str:
    """One line a noise and family, over all spreads."""
    lines = [
        "| noise | arms | coverage | at each n | family-wise error | false equivalence |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for (name, arms), group in found.groupby(["noise", "arms"], sort=False):
        low, high = group["lowest_at_an_n"].min(), group["highest_at_an_n"].max()
        lines.append(
            f"| {name} | {arms} | {group['coverage'].min():.1%} to {group['coverage'].max():.1%} "
            f"| {low:.1%} to {high:.1%} | {group['family_wise_error'].max():.1%} "
            f"| {group['false_equivalence'].max():.1%} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Simulate, print the table and write all cells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=4_000, help="of each cell")
    parser.add_argument("--out", type=Path, default=Path("runs/simulation"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    found = table(given.runs)
    found.to_csv(given.out / "cells.csv", index=False)
    print(markdown(found))


if __name__ == "__main__":
    main()
