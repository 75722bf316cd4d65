"""A run of timed workloads with planted truths: what a block lasted, and what the machine did meanwhile."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from results.records.directory import write_record
from results.records.files import write_json
from results.records.metric import Metric
from results.records.record import (
    MachineStretches,
    Measurement,
    Outcome,
    OutcomeDetails,
    Record,
    RecordDetails,
    Timing,
)
from results.records.resolved_study import (
    Arm,
    FactorInfo,
    Relation,
    RelationKind,
    ResolvedStudy,
    Workload,
    write_study,
)
from tests.results.planted import BASELINE, CONTROL, ENVIRONMENT, HUGE, NORM, STEM, record

ARMS = (
    Arm(BASELINE, "baseline", {}),
    Arm(CONTROL, "control", {}),
    Arm(STEM, "arm", {"stem": "deep64"}),
    Arm(NORM, "arm", {"norm": "none"}),
    Arm(HUGE, "arm", {"width": "huge"}),
)
FACTORS = (
    FactorInfo("stem", "behavioural", "How the stem sees the image.", ("shallow", "deep64")),
    FactorInfo("norm", "behavioural", "Which layer normalises.", ("batch", "none")),
    FactorInfo("width", "behavioural", "Width of the first stage.", ("64", "huge")),
)
SECONDS = {
    "step_seconds": "time per step",
    "step_seconds_per_gmac": "time per step and 10^9 MACs",
    "forward_seconds": "forward pass",
    "backward_seconds": "backward pass",
    "optimizer_seconds": "optimizer step",
    "latency_p50_seconds": "median latency",
    "latency_p95_seconds": "95th percentile of latency",
    "latency_p99_seconds": "99th percentile of latency",
    "compile_seconds": "time to compile",
}
METRICS = (
    *(
        Metric(name, label, "seconds", "lower", "ratio", 0.05, "Time.", headline=name == "step_seconds")
        for name, label in SECONDS.items()
    ),
    Metric("images_per_second", "throughput", "images/s", "higher", "ratio", 0.05, "Rate.", headline=True),
)
RATIO = {BASELINE: 1.0, CONTROL: 1.0, STEM: 1.25, NORM: 0.9}
MACS = {BASELINE: 1_000_000_000, CONTROL: 1_000_000_000, STEM: 1_300_000_000, NORM: 1_000_000_000}
BATCH, STEPS, STRETCHES = 32, 4, 3
PHASES = {"forward_seconds": 0.3, "backward_seconds": 0.6, "optimizer_seconds": 0.1}
LATENCIES = {"latency_p50_seconds": 1.0, "latency_p95_seconds": 1.2, "latency_p99_seconds": 1.5}


@dataclass(frozen=True)
class TimingPlan:
    """What the timed run is like.

    Attributes:
        isolated_stem: Ratio of the deep stem where it is alone in its processes.
        isolated: Processes of each arm in the spot check.
        marks: Mark codes of every stretch of the second half of the processes.
        readings: What was read around these blocks, by name.
        unsteady: Arms whose warm-up never ended in a steady state.
        details: Whether records hold more than measurements.
    """

    processes: int = 6
    rounds: int = 5
    isolated: int = 5
    isolated_stem: float = RATIO[STEM]
    marks: tuple[str, ...] = ()
    readings: tuple[tuple[str, Any], ...] = ()
    unsteady: tuple[str, ...] = ()
    details: bool = True


def study(plan: TimingPlan) -> ResolvedStudy:
    def workload(
        name: str,
        batch: int | None,
        processes: int,
        relation: RelationKind | None = None,
        **settings: Any,
    ) -> Workload:
        specs = {
            arm.name: "resnet:" + ",".join(f"{name}={level}" for name, level in arm.changes.items())
            for arm in ARMS
        }
        context = f"resnet depth 18, 64 px{f', batch {batch}' if batch else ', largest batch on 4GiB'}"
        kept = {"threads": 2} | settings
        return Workload(
            *(name, "throughput", "process", processes, specs, 64, batch, "fp32", None, context, kept),
            relation=Relation(relation, "speed") if relation else None,
        )

    workloads = (
        workload("speed", BATCH, plan.processes),
        workload("speed-batch-8", 8, plan.processes, "sweep"),
        workload("speed-batch-128", 128, plan.processes, "sweep"),
        workload("speed-4GiB", None, plan.processes, "equal_memory", card="4GiB"),
        workload("speed-isolated", BATCH, plan.isolated, "spot_check", schedule="isolated"),
    )
    return ResolvedStudy(
        "timed", "What is fast?", "resnet", "one-at-a-time", 7, FACTORS, ARMS, workloads, METRICS
    )


def write_timed_run(path: Path, plan: TimingPlan | None = None) -> Path:
    """Write the run directory and return it."""
    plan = plan or TimingPlan()
    write_study(path, study(plan))
    write_json(path / "environment" / f"{ENVIRONMENT}.json", {"cpu": "Example CPU, 2 cores"})
    rng = np.random.default_rng(3)
    for workload in study(plan).workloads:
        for index in range(workload.replicates):
            for one in _records(plan, workload, index, rng):
                write_record(path, one)
    return path


def _records(plan: TimingPlan, workload: Workload, index: int, rng: np.random.Generator) -> Iterator[Record]:
    outcomes = [_outcome(plan, workload, arm.name, index, rng) for arm in ARMS]
    alone = workload.belongs_to("spot_check") is not None
    details: RecordDetails = {
        "threads": 2,
        "cores": [0, 1],
        "schedule": "isolated" if alone else "interleaved",
        "machine": {mode: _stretches(plan, index) for mode in ("train", "inference")},
    }
    for group in [[o] for o in outcomes] if alone else [outcomes]:
        one = record(workload.name, f"process-{index}", *group)
        yield replace(one, details=details if plan.details else RecordDetails())


def _outcome(plan: TimingPlan, workload: Workload, arm: str, index: int, rng: np.random.Generator) -> Outcome:
    spec = workload.variants[arm]
    if arm == HUGE:
        return Outcome(arm, spec, {}, "out_of_memory", "needs 96 GiB")
    alone = workload.belongs_to("spot_check") is not None
    ratio = plan.isolated_stem if alone and arm == STEM else RATIO[arm]
    batch = workload.batch_size or {STEM: 48, NORM: 96}.get(arm, 64)
    own = math.exp(rng.normal(0, 0.01))
    found: list[Measurement] = []
    timing: dict[str, Timing] = {}
    for mode, base in (("train", 0.0030), ("inference", 0.0009)):
        wobble = np.exp(rng.normal(0, 0.004, plan.rounds))
        steps = (base * (1 + 4 / batch) * batch * ratio * own * wobble).tolist()
        values = _values(workload, arm, mode, batch, steps)
        found += [Measurement(name, v, "measured", "cpu", mode=mode) for name, v in values.items()]
        timing[mode] = {
            "steps_per_block": STEPS,
            "warmup_steps": 6,
            "steps": STEPS * plan.rounds,
            "steady": arm not in plan.unsteady,
        }
    known = OutcomeDetails(batch_size=batch, macs=MACS[arm], timing=timing)
    details = known if plan.details else OutcomeDetails()
    return Outcome(arm, spec, {}, measurements=tuple(found), details=details)


def _values(
    workload: Workload, arm: str, mode: str, batch: int, steps: list[float]
) -> dict[str, tuple[float, ...]]:
    if workload.batch_size is None:
        return {"images_per_second": tuple(batch / step for step in steps)}
    work = batch * MACS[arm] / 1e9
    found = {"step_seconds": tuple(steps), "step_seconds_per_gmac": tuple(step / work for step in steps)}
    if mode == "train":
        return found | {name: tuple(part * step for step in steps) for name, part in PHASES.items()}
    return found | {name: (float(np.median(steps)) * factor,) for name, factor in LATENCIES.items()}


def _stretches(plan: TimingPlan, index: int) -> MachineStretches:
    """What the details say: quiet in the first half of the processes, disturbed in the second."""
    n, disturbed = STRETCHES, index >= plan.processes // 2
    quiet: dict[str, Any] = {
        "others_cores": 0.1,
        "steal_share": 0.0,
        "throttled_share": 0.0,
        "clock_mhz": 3000.0,
        "device_throttling": None,
        "energy_joules": 2.0 + index,
    }
    state = quiet | (dict(plan.readings) if disturbed else {})
    marks = list(plan.marks) if disturbed else []
    readings = {name: [value] * n for name, value in state.items()}
    found = {"seconds": [0.25] * n, "marks": [marks] * n, **readings}
    return cast("MachineStretches", found)
