"""The throughput probe on a small network: which figures it leaves, and how they hang together."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from results.records.record import Measurement, Outcome
from results.records.resolved_study import Workload
from runners import probes, study
from runners.plan import Plan, plan
from runners.probes import Result, throughput
from runners.probes.throughput.metrics import PERCENTILES

STUDY = """
architecture = "resnet"
[factors]
stem = ["shallow", "deep32"]
[[workloads]]
kind = "throughput"
levels = { depth = 18, width = 4 }
image_size = 32
batch_size = 4
threads = 1
arm_seconds = 0.1
"""


def planned(tmp_path: Path, more: str = "") -> Plan:
    path = tmp_path / "speed.toml"
    path.write_text(STUDY + more)
    return plan(study.load(str(path)))


def timed(tmp_path: Path, more: str = "") -> Result:
    return throughput.run(next(trial for trial in planned(tmp_path, more).trials if trial.timed))


def figures(outcome: Outcome, mode: str) -> dict[str, Measurement]:
    return {m.metric: m for m in outcome.measurements if m.mode == mode}


def test_figures_of_a_step_hang_together(tmp_path: Path) -> None:
    result = timed(tmp_path)
    assert [outcome.status for outcome in result.outcomes] == ["ok"] * 3
    declared = {metric.name for metric in throughput.PROBE.metrics}
    for outcome in result.outcomes:
        train, infer = figures(outcome, "train"), figures(outcome, "inference")
        assert {*train, *infer} <= declared
        assert set(train) == {
            *("step_seconds", "step_seconds_per_gmac"),
            *("forward_seconds", "backward_seconds", "optimizer_seconds"),
        }
        steps = train["step_seconds"].values
        phases = zip(
            *(train[f"{p}_seconds"].values for p in ("forward", "backward", "optimizer")), strict=True
        )
        shares = sorted(sum(parts) / step for step, parts in zip(steps, phases, strict=True))
        assert shares[-1] <= 1.05
        # Now and then the machine does something else between two phases.
        assert shares[len(shares) // 2] == pytest.approx(1, rel=0.05)
        gmacs = 4 * outcome.details["macs"] / 1e9
        assert [value * gmacs for value in train["step_seconds_per_gmac"].values] == pytest.approx(steps)
        turns = infer["step_seconds"].values  # of a step or more each
        known = {p: infer.get(f"latency_p{p}_seconds") for p in PERCENTILES}
        told = {p: measured.values[0] for p, measured in known.items() if measured is not None}
        assert {p for p, fewest in PERCENTILES.items() if len(turns) >= fewest} <= told.keys()
        assert list(told.values()) == sorted(told.values())
        assert min(turns) <= told[50]
        timing = outcome.details["timing"]["train"]
        assert timing["steps"] == timing["steps_per_block"] * len(steps)
    lengths = {len(figures(outcome, "train")["step_seconds"].values) for outcome in result.outcomes}
    assert len(lengths) == 1, "arms share their rounds"
    baseline, other = (result.outcomes[i].details["macs"] for i in (0, 2))
    assert baseline != other, "each arm has the MACs of its own variant"


def test_what_a_process_says_of_itself(tmp_path: Path) -> None:
    details = timed(tmp_path).details
    assert details["schedule"] == "interleaved"
    spent = details["seconds_by_phase"]
    assert set(spent) == {"start", "build", "warmup", "timed", "between"}
    # Three arms, two modes, a tenth of a second each.
    assert spent["timed"] > 0.3
    assert 0 < details["timer"]["overhead_seconds"] < details["timer"]["turn_overhead_seconds"]
    for mode in ("train", "inference"):
        stretches: Any = details["machine"][mode]
        assert len({len(column) for column in stretches.values()}) == 1
        assert stretches["seconds"]


def test_at_equal_memory_each_arm_has_the_largest_batch_that_the_card_has_room_for(tmp_path: Path) -> None:
    result = timed(tmp_path, 'card = "8MiB"\nmodes = ["train"]\n')
    batches = {outcome.arm: outcome.details["batch_size"] for outcome in result.outcomes}
    assert batches["baseline"] == batches["(control)"] > 1
    assert batches["stem=deep32"] != batches["baseline"]
    for outcome in result.outcomes:
        found = figures(outcome, "train")
        assert set(found) == {"images_per_second", "step_seconds_per_gmac"}
        steps = [
            value * batches[outcome.arm] * outcome.details["macs"] / 1e9
            for value in found["step_seconds_per_gmac"].values
        ]
        rates = [batches[outcome.arm] / step for step in steps]
        assert found["images_per_second"].values == pytest.approx(rates)


def test_a_card_without_room_for_one_image_is_a_row_with_its_reason(tmp_path: Path) -> None:
    result = timed(tmp_path, 'card = "1KiB"\nmodes = ["inference"]\n')
    assert {outcome.status for outcome in result.outcomes} == {"not_applicable"}
    assert {outcome.reason for outcome in result.outcomes} == {"a card of 1KiB has no room for one image"}


def test_companions_are_planned_with_what_they_belong_to(tmp_path: Path) -> None:
    found = planned(tmp_path, 'batch_sizes = [8]\ncards = ["1GiB"]\nspot_check = 2\n')
    workloads: dict[str, Workload] = {w.name: w for w in found.study.workloads if w.kind == "throughput"}
    assert workloads["throughput-batch-8"].belongs_to("sweep") == "throughput"
    assert workloads["throughput-batch-8"].batch_size == 8
    assert workloads["throughput-1GiB"].belongs_to("equal_memory") == "throughput"
    assert workloads["throughput-1GiB"].batch_size is None
    assert workloads["throughput-isolated"].belongs_to("spot_check") == "throughput"
    alone = [trial for trial in found.trials if trial.workload.name == "throughput-isolated"]
    assert [len(trial.arms) for trial in alone] == [1] * 6
    # No arm is always the first of its block.
    assert len({tuple(t.arms[0].name for t in alone if t.index == i) for i in (0, 1)}) == 2


@pytest.mark.parametrize("kind", sorted(probes.probes()))
def test_a_faster_machine_has_a_shorter_forecast(kind: str, tmp_path: Path) -> None:
    probe = probes.get(kind)
    settings = probe.settings.model_validate({"kind": kind})
    if "measure" in type(settings).model_fields:
        settings = settings.model_copy(update={"measure": True})
    slow, fast = (probe.estimate_seconds(settings, [10**9, 10**9], rate) for rate in (1e9, 1e11))
    assert slow > 1.5 * fast > 0


def test_no_id_depends_on_the_machines_speed(tmp_path: Path) -> None:
    path = tmp_path / "speed.toml"
    path.write_text(STUDY)
    slow, fast = (plan(study.load(str(path)), macs_per_second=rate) for rate in (1e9, 1e11))
    assert [t.id for t in slow.trials] == [t.id for t in fast.trials]
    assert replace(slow.trials[-1], estimated_seconds=0.0) == replace(fast.trials[-1], estimated_seconds=0.0)
