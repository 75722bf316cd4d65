"""From what was timed to samples of metrics."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import cast

import numpy as np

from results.records.record import MachineStretches, Measurement, Timing
from runners.probes.throughput.contest import Contestant
from runners.probes.throughput.machine_state import MachineState, marks
from runners.probes.throughput.metrics import PERCENTILES
from runners.probes.throughput.steps import PHASES
from runners.workload_settings import Mode


@dataclass(frozen=True, slots=True)
class Setting:
    """Under what an arm was timed.

    Attributes:
        mode: What a step was.
        device: Where.
        batch_size: Images a step.
        macs: MACs of one image; 0 where they are not known.
        compiled: Whether the first step compiled.
        own_batch: Whether other arms have other batches, so that only rates compare.
    """

    mode: Mode
    device: str
    batch_size: int
    macs: int
    compiled: bool
    own_batch: bool


def measurements_of(contestant: Contestant, setting: Setting) -> list[Measurement]:
    """An arm's measurements in one mode."""
    samples = dict(_samples(contestant, setting))
    if setting.own_batch:
        rates = [setting.batch_size / turn.step_seconds for turn in contestant.turns]
        kept = {"step_seconds_per_gmac", "compile_seconds"} & samples.keys()
        samples = {"images_per_second": rates, **{name: samples[name] for name in kept}}
    return [
        Measurement(
            name,
            tuple(values),
            source="measured",
            device=setting.device,
            warmup=contestant.warm_up.step_seconds if name == "step_seconds" else (),
            mode=setting.mode,
        )
        for name, values in samples.items()
    ]


def timing_of(contestant: Contestant, warmed_up: int) -> Timing:
    """How an arm was timed, and as which it was warmed up; a record says `block` for a turn."""
    return {
        "steps_per_block": contestant.steps_per_turn,
        "steps": sum(turn.steps for turn in contestant.turns),
        "warmup_steps": contestant.warm_up.steps,
        "steady": contestant.warm_up.steady,
        "warmed_up": warmed_up,
    }


def stretches_of(states: Sequence[MachineState]) -> MachineStretches:
    """The machine's state by stretch of some rounds, a list a counter, and why a stretch is marked."""
    columns = [field.name for field in fields(MachineState) if field.name != "slack"]
    stretches: dict[str, object] = {name: [getattr(state, name) for state in states] for name in columns}
    return cast("MachineStretches", stretches | {"marks": marks(states)})


def _samples(contestant: Contestant, setting: Setting) -> Iterable[tuple[str, list[float]]]:
    """Samples by metric: one a turn, or one a process for latencies and compile time."""
    turns = contestant.turns
    yield "step_seconds", [turn.step_seconds for turn in turns]
    if setting.macs:
        gmacs = setting.batch_size * setting.macs / 1e9
        yield "step_seconds_per_gmac", [turn.step_seconds / gmacs for turn in turns]
    if setting.mode == "train":
        for i, phase in enumerate(PHASES[setting.mode]):
            yield f"{phase}_seconds", [turn.phase_seconds[i] for turn in turns]
    else:
        latencies = np.concatenate([turn.laps_seconds.sum(axis=1) for turn in turns])
        for percentile, fewest in PERCENTILES.items():
            if len(latencies) >= fewest:
                yield f"latency_p{percentile}_seconds", [float(np.percentile(latencies, percentile))]
    if setting.device != "cpu":
        yield "device_step_seconds", [turn.device_step_seconds for turn in turns]
    if setting.compiled:
        warm_up = contestant.warm_up
        yield "compile_seconds", [max(0.0, warm_up.step_seconds[0] - warm_up.best_seconds)]
