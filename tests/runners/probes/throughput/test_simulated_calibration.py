"""The whole procedure on a simulated machine that drifts and has bursts, where the truth is known.

Schedule, median over rounds, stopping rule and interval are the suite's own; the times are drawn. What holds
here for 2,000 experiments is what `nox -s calibrate` looks for on a real machine.
"""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from results.verdicts import statistics as rules
from runners.probes.throughput.schedule import orders

EXPERIMENTS = 2_000
ARMS, ROUNDS = 4, 40
BASELINE, DUPLICATE, OTHER, PLANTED = range(ARMS)
EFFECT = math.log(1.03)
HALF_WIDTH, FEWEST, MOST = math.log1p(0.02), 6, 16

Floats = NDArray[np.float64]


def process(generator: np.random.Generator) -> Floats:
    """Log-ratio of each arm to the baseline by one process: the median over rounds."""
    taken = np.array(orders(generator, ARMS, ROUNDS))
    turns = taken.size
    drift = np.cumsum(generator.normal(0, 0.004, turns)) + generator.normal(0, 0.05) * np.linspace(
        0, 1, turns
    )
    loaded = np.cumsum(generator.random(turns) < 0.02) % 2  # on and off, some 50 turns each
    bursts = loaded * generator.uniform(0.05, 0.6) + (generator.random(turns) < 0.03) * generator.exponential(
        0.7, turns
    )
    # Addresses and caches: what a process is born with, for each arm.
    born = generator.normal(0, 0.012, ARMS)
    effect = np.array([0.0, 0.0, 0.0, EFFECT])
    logs = (drift + bursts + generator.normal(0, 0.02, turns)).reshape(taken.shape)
    by_arm = np.empty_like(logs)
    np.put_along_axis(by_arm, taken, logs, axis=1)
    by_arm += born + effect
    ratios: Floats = np.median(by_arm - by_arm[:, [BASELINE]], axis=0)
    return ratios


@dataclass
class Experiment:
    """Contrasts of all processes that the stopping rule asked for, by arm."""

    contrasts: Floats

    def interval(self, arm: int) -> tuple[float, float]:
        found = rules.estimate(self.contrasts[:, arm])
        assert found.low is not None
        assert found.high is not None
        return found.low, found.high


def experiment(seed: int) -> Experiment:
    """Processes until both arms' simultaneous intervals are narrow enough, six at least."""
    generator = np.random.default_rng(seed)
    contrasts = np.array([process(generator) for _ in range(FEWEST)])
    while len(contrasts) < MOST and any(
        stats.t.ppf(1 - rules.ALPHA / 2 / 2, len(contrasts) - 1)
        * np.std(contrasts[:, arm], ddof=1)
        / math.sqrt(len(contrasts))
        > HALF_WIDTH
        for arm in (OTHER, PLANTED)
    ):
        contrasts = np.vstack([contrasts, process(generator)])
    return Experiment(contrasts)


@pytest.fixture(scope="module")
def experiments() -> list[Experiment]:
    return [experiment(seed) for seed in range(EXPERIMENTS)]


def share(hits: list[bool]) -> float:
    return sum(hits) / len(hits)


def test_equal_arms_are_called_different_as_often_as_a_five_percent_procedure_explains(
    experiments: list[Experiment],
) -> None:
    for arm in (DUPLICATE, OTHER):
        intervals = [one.interval(arm) for one in experiments]
        different = share([not low <= 0 <= high for low, high in intervals])
        # Stopping on precision costs up to two points; three standard errors over 2,000 are 1.5.
        assert different < 0.05 + 0.02 + 0.015


def test_a_planted_slowdown_is_found_and_its_interval_holds_it(experiments: list[Experiment]) -> None:
    intervals = [one.interval(PLANTED) for one in experiments]
    assert share([low > 0 for low, _ in intervals]) > 0.9
    covered = share([low <= EFFECT <= high for low, high in intervals])
    assert covered > 0.95 - 0.02 - 0.015
    assert abs(np.mean([one.contrasts[:, PLANTED].mean() for one in experiments]) - EFFECT) < 0.001


def test_one_after_the_other_the_same_machine_makes_equal_arms_look_different() -> None:
    """Why the schedule matters: the same times, but each arm's turns in a row, and a rank test on them."""
    generator = np.random.default_rng(1)
    wrong = []
    for _ in range(200):
        turns = 2 * ROUNDS
        drift = np.cumsum(generator.normal(0, 0.004, turns))
        loaded = np.cumsum(generator.random(turns) < 0.02) % 2
        logs = drift + loaded * generator.uniform(0.05, 0.6) + generator.normal(0, 0.02, turns)
        wrong.append(bool(stats.mannwhitneyu(logs[:ROUNDS], logs[ROUNDS:]).pvalue < 0.05))
    assert share(wrong) > 0.4
