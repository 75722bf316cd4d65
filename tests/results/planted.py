"""A run directory with planted truths: what is true of each arm is written here, and nowhere in `results`."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from results.records.directory import write_record
from results.records.files import write_json
from results.records.metric import Metric
from results.records.profile_summary import ProfileSummary
from results.records.record import Curve, Measurement, Outcome, OutcomeDetails, Record, Status
from results.records.resolved_study import Arm, FactorInfo, ResolvedStudy, Workload, write_study
from tests.results import planted_memory

BASELINE, CONTROL = "baseline", "(control)"
STEM, NORM, RELU, POOL, BOTH, HUGE = (
    *("stem=deep64", "norm=none", "relu=out_of_place", "pool_kernel=2x2", "norm=none,stem=deep64"),
    "width=huge",
)
ENVIRONMENT = "laptop-1"

FACTORS = (
    FactorInfo("stem", "behavioural", "How the stem sees the image.", ("shallow", "deep64")),
    FactorInfo("norm", "behavioural", "Which layer normalises.", ("batch", "none")),
    FactorInfo("relu", "equivalent", "Whether the ReLU overwrites its input.", ("inplace", "out_of_place")),
    FactorInfo("pool_kernel", "behavioural", "Window of the stem's pool.", ("3", "2x2")),
    FactorInfo("width", "behavioural", "Width of the first stage.", ("64", "huge")),
)
ARMS = (
    Arm(BASELINE, "baseline", {}),
    Arm(CONTROL, "control", {}),
    Arm(STEM, "arm", {"stem": "deep64"}),
    Arm(NORM, "arm", {"norm": "none"}),
    Arm(RELU, "arm", {"relu": "out_of_place"}),
    Arm(POOL, "arm", {"pool_kernel": "2x2"}),
    Arm(BOTH, "arm", {"stem": "deep64", "norm": "none"}),
    Arm(HUGE, "arm", {"width": "huge"}),
)
METRICS = (
    Metric("parameters", "parameters", "count", "lower", "ratio", 0.0, "Learnt numbers.", exact=True),
    Metric(
        "macs", "multiply-accumulates", "count", "lower", "ratio", 0.0, "Cost.", exact=True, headline=True
    ),
    Metric("peak_bytes", "peak memory", "bytes", "lower", "ratio", 0.01, "Most bytes alive.", True, True),
    Metric(
        *("saved_bytes", "saved for backward", "bytes", "lower", "ratio", 0.01, "Kept for backward.", True),
        can_be_zero=True,
    ),
    Metric("step_seconds", "step time", "seconds", "lower", "ratio", 0.05, "Time of a step.", False, True),
    Metric(
        "validation_accuracy", "validation accuracy", "fraction", "higher", "difference", 0.01, "Share right."
    ),
    Metric(
        "test_accuracy",
        "test accuracy",
        "fraction",
        "higher",
        "difference",
        0.01,
        "Share right.",
        False,
        True,
    ),
    Metric("train_loss", "training loss", "nats", "lower", "difference", 0.02, "Cross-entropy."),
    Metric("steps_to_target", "steps to target", "steps", "lower", "ratio", 0.05, "Steps to 80 %."),
)

# Truths. Memory and complexity are ratios to the baseline, exact.
MEMORY = {STEM: 1.31, NORM: 0.72, RELU: 1.15, POOL: 1.0, BOTH: 1.02}
MACS = {STEM: 1.33, NORM: 1.0, RELU: 1.0, POOL: 1.0, BOTH: 1.33}
# Step time: ratio to the baseline, and the spread of its logarithm between processes.
TIME = {CONTROL: (1, 0.01), STEM: (1.25, 0.01), NORM: (1 / 1.1, 0.01), RELU: (1, 0.01), POOL: (1.04, 0.06)}
TIME |= {BOTH: (1.25 / 1.1 * 1.2, 0.01)}
# Accuracy: difference from the baseline, and the spread of the difference between seeds.
ACCURACY = {CONTROL: (0, 0.006), STEM: (0.03, 0.004), NORM: (-0.03, 0.006), RELU: (0, 0), POOL: (0, 0.03)}
ACCURACY |= {BOTH: (0.0, 0.004)}


@dataclass(frozen=True)
class Plan:
    """What a planted run is like."""

    processes: int = 6
    rounds: int = 5
    seeds: int = 8
    seed: int = 1
    control_time: float = 1.0
    relu_slip: float = 0.0
    diverged: tuple[int, ...] = (2, 5)
    missing_convergence: int = 0
    environments: tuple[str, ...] = (ENVIRONMENT,)
    rename: dict[str, str] = field(default_factory=dict)
    reason: str = "needs 96 GiB, 24 GiB are free"
    profiles: bool = False
    module: str = "layer1.0.relu"
    occasions: int = 1
    occasion_sd: float = 0.0
    hours_apart: int = 24


def study(plan: Plan) -> ResolvedStudy:
    def workload(name: str, kind: str, unit: str, replicates: int, **given: Any) -> Workload:
        context: dict[str, Any] = {
            "input_size": 224,
            "batch_size": 32,
            "precision": "fp32",
            "dataset": None,
            "context": f"resnet depth 18, {given.get('input_size', 224)} px",
            "settings": {"threads": 1},
        }
        specs = {arm.name: f"resnet:depth=18{',' if arm.changes else ''}{_spec(arm)}" for arm in ARMS}
        return Workload(name, kind, unit, replicates, specs, **context | given)

    arms = tuple(replace(arm, name=plan.rename.get(arm.name, arm.name)) for arm in ARMS)
    workloads = (
        workload("complexity", "complexity", "exact", 1, input_size=32),
        workload("memory-224", "memory", "exact", 1, batch_size=256),
        workload("throughput-64", "throughput", "process", plan.processes, input_size=64),
        workload("digits-32", "convergence", "seed", plan.seeds, input_size=32, dataset="digits"),
    )
    renamed = tuple(
        replace(w, variants={plan.rename.get(arm, arm): spec for arm, spec in w.variants.items()})
        for w in workloads
    )
    question = "Which details of a small residual network earn their keep?"
    return ResolvedStudy("planted", question, "resnet", "one-at-a-time", 7, FACTORS, arms, renamed, METRICS)


def _spec(arm: Arm) -> str:
    return ",".join(f"{name}={level}" for name, level in sorted(arm.changes.items()))


def write_run(path: Path, plan: Plan | None = None) -> Path:
    """Write a whole run directory and return it."""
    plan = plan or Plan()
    write_study(path, study(plan))
    for environment in plan.environments:
        facts = {"cpu": "Example CPU, 2 cores", "torch": "2.9.1", "python": "3.11.7", "os": "Linux"}
        write_json(path / "environment" / f"{environment}.json", facts)
        rng = np.random.default_rng((plan.seed, len(environment), ord(environment[-1])))
        for record in (*_complexity(), *_memory(plan), *_timed(plan, rng), *_convergence(plan, rng)):
            outcomes = tuple(replace(o, arm=plan.rename.get(o.arm, o.arm)) for o in record.outcomes)
            write_record(path, replace(record, environment=environment, outcomes=outcomes))
    return path


def record(workload: str, block: str, *outcomes: Outcome) -> Record:
    arm = "all" if len(outcomes) > 1 else "".join(c for c in outcomes[0].arm if c.isalnum())
    name = f"{workload}-{arm}-{block}"
    return Record(name, workload, block, ENVIRONMENT, 1, "2026-01-01T00:00:00+00:00", 2.5, outcomes)


def outcome(arm: str, status: Status = "ok", reason: str | None = None, **fields: Any) -> Outcome:
    changes = next(a.changes for a in ARMS if a.name == arm)
    spec = "resnet:depth=18" + ("," if changes else "") + _spec(Arm(arm, "arm", changes))
    return Outcome(arm, spec, {"depth": 18, **changes}, status, reason, **fields)


def _complexity() -> Iterator[Record]:
    for arm in (a.name for a in ARMS):
        print_of = "same" if arm in {BASELINE, CONTROL, POOL} else arm
        macs = round(1.814e9 * MACS.get(arm, 1.0))
        values = tuple(
            Measurement(metric, (float(value),), "observed", "any")
            for metric, value in (("parameters", 11_689_512), ("macs", macs))
        )
        yield record(
            "complexity",
            "exact",
            outcome(arm, measurements=values, details={"fingerprint": print_of}),
        )


def _memory(plan: Plan) -> Iterator[Record]:
    for arm in (a.name for a in ARMS):
        if arm == HUGE:
            yield record("memory-224", "exact", outcome(arm, "out_of_memory", plan.reason))
            continue
        values = []
        for mode, size in (("train", 6 * 2**30), ("inference", 2**30)):
            for source, device, factor in (("simulated", "cuda", 1.0), ("measured", "cpu", 1.1)):
                peak = float(round(size * factor * MEMORY.get(arm, 1.0)))
                values.append(Measurement("peak_bytes", (peak,), source, device, mode=mode))
        saved = 0.0  # nothing is saved at inference: a ratio of zeros is no change
        values.append(Measurement("saved_bytes", (saved,), "simulated", "cuda", mode="inference"))
        details = OutcomeDetails(profiles=list(_profiles(plan, arm))) if plan.profiles else OutcomeDetails()
        yield record("memory-224", "exact", outcome(arm, measurements=tuple(values), details=details))


def _profiles(plan: Plan, arm: str) -> Iterator[ProfileSummary]:
    """Memory profiles that differ from the baseline as `MEMORY` says, in activations alone."""
    for mode, source, device in (
        *(("inference", "simulated", "cuda"), ("train", "measured", "cpu")),
        ("train", "simulated", "cuda"),
    ):
        size = (800 if mode == "train" else 80) * planted_memory.MIB
        saved = round(size * MEMORY.get(arm, 1.0))
        change = saved - size
        less = planted_memory.against(change, change, 3, f"{mode}: {plan.reason}", plan.module)
        yield planted_memory.profile(
            *(mode, source, device),
            saved=saved,
            transient=30 * planted_memory.MIB,
            against=None if arm == BASELINE else less,
            module=plan.module,
            cards=planted_memory.CARDS if source == "simulated" else None,
        )


def _timed(plan: Plan, rng: np.random.Generator) -> Iterator[Record]:
    """The timed trials of every occasion; each has an effect of its own on every arm."""
    for occasion in range(plan.occasions):
        day = {arm.name: math.exp(rng.normal(0, sd)) if (sd := plan.occasion_sd) else 1.0 for arm in ARMS}
        started = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=plan.hours_apart * occasion)
        for one in _throughput(plan, rng):
            outcomes = tuple(
                replace(o, measurements=tuple(_scaled(m, day[o.arm]) for m in o.measurements))
                for o in one.outcomes
            )
            yield replace(
                one,
                trial=one.trial + (f"-occasion-{occasion}" if occasion else ""),
                block=one.block + (f"@{occasion}" if occasion else ""),
                started_at=started.isoformat(),
                outcomes=outcomes,
            )


def _scaled(measurement: Measurement, factor: float) -> Measurement:
    return replace(measurement, values=tuple(value * factor for value in measurement.values))


def _throughput(plan: Plan, rng: np.random.Generator) -> Iterator[Record]:
    for process in range(plan.processes):
        speed = math.exp(rng.normal(0, 0.07))
        rounds = {mode: np.exp(rng.normal(0, 0.05, plan.rounds)) for mode in ("train", "inference")}
        outcomes = []
        for arm in (a.name for a in ARMS):
            if arm == HUGE:
                outcomes.append(outcome(arm, "out_of_memory", plan.reason))
                continue
            ratio, sd = TIME.get(arm, (1.0, 0.0))
            ratio = plan.control_time if arm == CONTROL else ratio
            values = []
            for mode, base in (("train", 0.040), ("inference", 0.012)):
                own = math.exp(rng.normal(0, sd))
                wobble = np.exp(rng.normal(0, 0.004, plan.rounds))
                samples = tuple(float(v) for v in base * speed * rounds[mode] * ratio * own * wobble)
                values.append(Measurement("step_seconds", samples, "measured", "cpu", (9.9,), mode))
            outcomes.append(outcome(arm, measurements=tuple(values)))
        yield record("throughput-64", f"process-{process}", *outcomes)


def _convergence(plan: Plan, rng: np.random.Generator) -> Iterator[Record]:
    for seed in range(plan.seeds - plan.missing_convergence):
        level = 0.85 + rng.normal(0, 0.02)
        bits = rng.normal(0, 0.005, 6)
        for arm in (a.name for a in ARMS):
            mean, sd = ACCURACY.get(arm, (0, 0))
            score = level + mean + (rng.normal(0, sd) if sd else 0.0)
            if arm == HUGE:
                yield record(
                    "digits-32", f"seed-{seed}", outcome(arm, "not_applicable", "32 px is too small")
                )
            elif arm == NORM and seed in plan.diverged:
                lost = replace(_trained(arm, 0.1, 0.0, bits), status="diverged")
                lost = replace(lost, reason="loss is not finite at step 40")
                yield record("digits-32", f"seed-{seed}", lost)
            else:
                slip = plan.relu_slip if arm == RELU and seed == 3 else 0.0
                yield record("digits-32", f"seed-{seed}", _trained(arm, score, slip, bits))


def _trained(arm: str, score: float, slip: float, bits: np.ndarray[Any, Any]) -> Outcome:
    steps = tuple(range(20, 140, 20))
    shape = [1 - math.exp(-step / 40) for step in steps]
    accuracy = tuple(float(score * s + b) for s, b in zip(shape, bits, strict=True))
    loss = tuple(float(2.3 * (1 - score * s) + b) for s, b in zip(shape, bits, strict=True))
    values = [
        Measurement("validation_accuracy", (score,), "observed", "cpu", split="validation"),
        Measurement("test_accuracy", (score - 0.01 + slip,), "observed", "cpu", split="test"),
        Measurement("train_loss", (2 - 2 * score,), "observed", "cpu", split="train"),
    ]
    details = OutcomeDetails()
    if arm == NORM:
        details["censored"] = {"steps_to_target": "80 % not reached in 120 steps"}
    else:
        steps_needed = 60 + 20 * round(4 * (0.9 - score) / 0.1)
        values.append(
            Measurement("steps_to_target", (float(steps_needed),), "observed", "cpu", split="validation")
        )
    curves = (
        Curve("validation_accuracy", "validation", steps, accuracy),
        Curve("validation_loss", "validation", steps, loss),
        Curve("train_loss", "train", steps, loss),
    )
    return outcome(arm, measurements=tuple(values), curves=curves, details=details)
