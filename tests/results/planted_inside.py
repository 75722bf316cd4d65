"""Looks with planted truths, put into a planted run: what is true of each arm is written here."""

import math
from dataclasses import replace
from pathlib import Path

from results.records.directory import read_record, write_record
from results.records.inside import LayerCurves
from results.records.record import Outcome
from tests.results.planted import BOTH, CONTROL, NORM, STEM, Plan, write_run

WORKLOAD = "digits-32"
STEPS = (1, 60, 120)
WEIGHTED, RELUS = ("conv1", "conv2", "fc"), ("relu1", "relu2")
CHANNELS = (8, 24)
# By arm, at the first, the middle and the last look: the first layer's gradient over the last one's, the
# drift of a channel, the share of dead channels of the second ReLU (the first has none).
GRADIENT = {NORM: (0.02, 0.05, 0.1), STEM: (0.8, 0.9, 0.5), BOTH: (0.05, 0.1, 0.2)}
DRIFT = {NORM: (0.5, 0.3, 0.2), STEM: (0.01, 0.02, 0.001), BOTH: (0.3, 0.2, 0.1)}
DEAD = {NORM: (0.0, 0.1, 0.16), STEM: (0.0, 0.0, 0.0), BOTH: (0.0, 0.05, 0.08)}
PLAIN = {"gradient": (0.8, 0.8, 0.5), "drift": (0.01, 0.01, 0.001), "dead": (0.0, 0.0, 0.04)}
CHANCE = 0.12


def spread(seed: int) -> float:
    """A factor by seed, 1 at the median of eight seeds."""
    return math.exp(0.05 * (seed - 3.5))


def curves(arm: str, seed: int) -> list[LayerCurves]:
    """The looks of one training; the duplicate and arms without a truth of their own are as the baseline."""
    # Equal factors differ in nothing, not even by seed; the duplicate has seeds of its own.
    factor = spread(7 - seed if arm == CONTROL else seed)
    gradient, drift, dead = (
        truths.get(arm, PLAIN[name])
        for name, truths in (("gradient", GRADIENT), ("drift", DRIFT), ("dead", DEAD))
    )
    norms = tuple((2 * ends * factor, 7.0, 2.0) for ends in gradient)
    moved = tuple((0.5 * size * factor, 1.5 * size * factor) for size in drift)

    def of(what: str, values: tuple[tuple[float | None, ...], ...], *, first: int = 1) -> LayerCurves:
        weighted = "gradient" in what
        layers, channels = (WEIGHTED, (*CHANNELS, 10)) if weighted else (RELUS, CHANNELS)
        depth = tuple(range(1, len(layers) + 1))
        return LayerCurves(what, layers, depth, channels, (first, *STEPS[1:]), values)

    return [
        of("gradient_norm", norms),
        of("gradient_to_weight", tuple(tuple(norm / 4 for norm in row) for row in norms)),
        of("input_mean", ((-0.5, 0.25),) * 3),
        of("input_variance", ((3.0 * factor, 2.0),) * 3),
        of("dead_share", tuple((0.0, share) for share in dead)),
        of("input_drift", moved, first=2),
        of("chance_drift", ((CHANCE, CHANCE),) * 3, first=2),
    ]


def write_looked_at(path: Path, plan: Plan | None = None) -> Path:
    """A planted run whose trainings were looked at; those that diverged have their first look alone."""
    write_run(path, plan)
    for file in (path / "records").glob(f"{WORKLOAD}-*"):
        one = read_record(file)
        (outcome,) = one.outcomes
        if outcome.status in {"ok", "diverged"}:
            file.unlink()
            write_record(path, replace(one, outcomes=(_looked_at(outcome, one.block_number),)))
    return path


def _looked_at(outcome: Outcome, seed: int) -> Outcome:
    found = curves(outcome.arm, seed)
    if outcome.status == "diverged":
        found = [diverged(one) for one in found if one.step[0] == 1]
    return replace(outcome, details={**outcome.details, "inside": found})


def diverged(one: LayerCurves) -> LayerCurves:
    """Two looks, at the second of which nothing was finite any more; gradients were large before."""
    factor = 1e6 if one.what == "gradient_norm" else 1.0
    large = tuple(factor * value for value in one.values[0] if value is not None)
    return replace(one, step=one.step[:2], values=(large, tuple(None for _ in large)))
