"""Runs of factorial designs; their main effects and interactions are written here, and nowhere else."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from results.records.directory import write_record
from results.records.files import write_json
from results.records.record import Measurement, Outcome, Record
from results.records.resolved_study import Arm, FactorInfo, ResolvedStudy, Workload, write_study
from tests.results.planted import METRICS

NAMES = ("norm", "pool", "relu", "stem")
LEVELS = {"norm": "group", "pool": "average", "relu": "wide", "stem": "deep64"}
CHANGES = {name: f"{name}={LEVELS[name]}" for name in NAMES}
# Log ratios of time and memory, and points of accuracy, by the factors that are changed together.
TIME = {("stem",): 0.20, ("norm",): 0.10, ("pool",): -0.05, ("norm", "stem"): 0.08}
MEMORY = {("stem",): 0.30, ("relu",): 0.10, ("relu", "stem"): -0.06}
ACCURACY = {("stem",): 0.04, ("norm",): -0.05, ("norm", "stem"): 0.03}


@dataclass(frozen=True)
class Planted:
    """What a run is like; `arms` are the combinations that it holds, as the factors that are changed."""

    design: str
    arms: Sequence[tuple[str, ...]]
    names: tuple[str, ...] = NAMES
    processes: int = 8
    seeds: int = 8
    seed: int = 5
    lost: frozenset[tuple[str, ...]] = field(default_factory=frozenset)
    time: Mapping[tuple[str, ...], float] = field(default_factory=lambda: TIME)


def whole(names: Sequence[str] = NAMES) -> list[tuple[str, ...]]:
    """Every combination, the one with nothing changed first."""
    return [changed for count in range(len(names) + 1) for changed in itertools.combinations(names, count)]


def half() -> list[tuple[str, ...]]:
    """The half in which an even number of factors is changed: norm x pool x relu x stem is constant."""
    return [changed for changed in whole() if len(changed) % 2 == 0]


def total(truth: Mapping[tuple[str, ...], float], changed: Sequence[str]) -> float:
    """What a combination comes to: the sum of all effects whose factors are changed in it."""
    return sum(size for factors, size in truth.items() if set(factors) <= set(changed))


def name_of(changed: Sequence[str]) -> str:
    return ",".join(CHANGES[name] for name in sorted(changed)) or "baseline"


def study(plan: Planted) -> ResolvedStudy:
    arms = [Arm("baseline", "baseline", {}), Arm("(control)", "control", {})]
    arms += [
        Arm(name_of(changed), "arm", {name: LEVELS[name] for name in changed})
        for changed in plan.arms
        if changed
    ]

    def workload(name: str, kind: str, unit: str, count: int, *, paired: bool) -> Workload:
        specs = {arm.name: f"net:{arm.name}" for arm in arms}
        return Workload(
            *(name, kind, unit, count, specs, 32, 8, "fp32", "digits" if unit == "seed" else None),
            *("net, 32 px", {"threads": 1}),
            paired=paired,
        )

    factors = tuple(
        FactorInfo(name, "behavioural", f"What {name} is.", ("usual", LEVELS[name])) for name in plan.names
    )
    workloads = (
        workload("memory", "memory", "exact", 1, paired=True),
        workload("throughput", "throughput", "process", plan.processes, paired=True),
        workload("convergence", "convergence", "seed", plan.seeds, paired=False),
    )
    return ResolvedStudy(
        "factorial",
        "What do they do together?",
        "net",
        plan.design,
        7,
        factors,
        tuple(arms),
        workloads,
        METRICS,
    )


def write_run(path: Path, plan: Planted) -> Path:
    """Write a whole run directory and return it."""
    write_study(path, study(plan))
    write_json(path / "environment" / "laptop-1.json", {"cpu": "Example CPU, 2 cores"})
    rng = np.random.default_rng(plan.seed)
    everyone = [("baseline", ()), ("(control)", ()), *((name_of(c), c) for c in plan.arms if c)]
    for arm, changed in everyone:
        peak = 2.0**30 * math.exp(total(MEMORY, changed))
        value = Measurement("peak_bytes", (peak,), "simulated", "cuda", mode="train")
        _write(path, "memory", "exact", _outcome(arm, changed, plan, value))
    for process in range(plan.processes):
        speed = math.exp(rng.normal(0, 0.1))
        outcomes = []
        for arm, changed in everyone:
            log = total(plan.time, changed) + rng.normal(0, 0.01)
            samples = tuple(float(0.04 * speed * math.exp(log + w)) for w in rng.normal(0, 0.005, 6))
            value = Measurement("step_seconds", samples, "measured", "cpu", mode="train")
            outcomes.append(_outcome(arm, changed, plan, value))
        _write(path, "throughput", f"process-{process}", *outcomes)
    for seed in range(plan.seeds):
        for arm, changed in everyone:
            score = 0.8 + total(ACCURACY, changed) + rng.normal(0, 0.006)
            value = Measurement("test_accuracy", (float(score),), "observed", "cpu", split="test")
            _write(path, "convergence", f"seed-{seed}", _outcome(arm, changed, plan, value))
    return path


def _outcome(arm: str, changed: Sequence[str], plan: Planted, value: Measurement) -> Outcome:
    levels = {name: LEVELS[name] if name in changed else "usual" for name in plan.names}
    if tuple(changed) in plan.lost and arm != "(control)":
        return Outcome(arm, f"net:{arm}", {**levels}, "out_of_memory", "needs 96 GiB")
    return Outcome(arm, f"net:{arm}", {**levels}, measurements=(value,))


def _write(path: Path, workload: str, block: str, *outcomes: Outcome) -> None:
    who = "all" if len(outcomes) > 1 else "".join(c for c in outcomes[0].arm if c.isalnum())
    trial = f"{workload}-{who}-{block}"
    started = "2026-01-01T00:00:00+00:00"
    write_record(path, Record(trial, workload, block, "laptop-1", 1, started, 2.0, outcomes))
