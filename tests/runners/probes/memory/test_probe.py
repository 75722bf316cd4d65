"""The memory probe on a small network: which figures it leaves, and which of them it does not believe."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import ablations
from results.records.directory import read_record, write_record
from results.records.profile_summary import ProfileSummary
from results.records.record import Outcome
from runners import study
from runners.execute import make_record
from runners.memory.measure import AllocatorMeasurement, measure_allocator
from runners.memory.settings import StepSettings
from runners.memory.simulate import simulate
from runners.outcomes import builder
from runners.plan import plan
from runners.probes import memory
from runners.probes.memory import measure
from runners.probes.memory.settings import MemorySettings
from runners.trial import Trial

STUDY = """
architecture = "resnet"
[factors]
relu = ["inplace", "out_of_place"]
[[workloads]]
kind = "memory"
levels = { depth = 18, width = 4 }
image_size = 32
batch_size = 4
"""
BOTH = 'simulate = ["cuda", "cpu"]\nmeasure = true\n'
TRAIN = 'modes = ["train"]\n'


def trials(folder: Path, more: str = "") -> list[Trial]:
    path = folder / "memory.toml"
    path.write_text(STUDY + more)
    return [trial for trial in plan(study.load(str(path))).trials if trial.workload.kind == "memory"]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Trial, Outcome]]:
    found = {}
    for trial in trials(tmp_path_factory.mktemp("study"), BOTH):
        (outcome,) = memory.run(trial).outcomes
        assert outcome.status == "ok", outcome.reason
        found[outcome.arm] = (trial, outcome)
    return found


def figures(outcome: Outcome) -> Iterator[tuple[tuple[str, str, str, str | None], float]]:
    for one in outcome.measurements:
        yield (one.metric, one.source, one.device, one.mode), one.values[0]


def test_reserved_memory_is_what_cudas_allocator_would_hold(
    outcomes: dict[str, tuple[Trial, Outcome]],
) -> None:
    found = dict(figures(outcomes["baseline"][1]))
    reserved = {key[1:]: value for key, value in found.items() if key[0] == "reserved_bytes"}
    assert reserved.keys() == {("simulated", "cuda", "train"), ("simulated", "cuda", "inference")}
    for (source, device, mode), value in reserved.items():
        assert value >= found["peak_bytes", source, device, mode], "segments hold more than tensors need"
        assert value % 2**21 == 0, "segments are multiples of 2 MiB"
    network = builder(ablations.variant("resnet:depth=18,width=4"))
    expected = simulate(network, StepSettings((4, 3, 32, 32), mode="train"), target="cuda").reserved_bytes
    assert reserved["simulated", "cuda", "train"] == expected


def test_profiles_are_kept_typed_and_come_back_as_they_were(
    outcomes: dict[str, tuple[Trial, Outcome]], tmp_path: Path
) -> None:
    trial, outcome = outcomes["relu=out_of_place"]
    profiles = outcome.details["profiles"]
    assert all(isinstance(profile, ProfileSummary) for profile in profiles)
    assert [(p.source, p.device, p.mode) for p in profiles] == [
        *(("simulated", "cuda", "train"), ("simulated", "cpu", "train"), ("measured", "cpu", "train")),
        *(
            ("simulated", "cuda", "inference"),
            ("simulated", "cpu", "inference"),
            ("measured", "cpu", "inference"),
        ),
    ]
    first = profiles[0]
    assert first.against_baseline is not None
    assert first.against_baseline.allocations_by_operator == {"aten.relu.default": 17}
    assert profiles[2].against_baseline is None, "what was measured is not set against what was not"
    record = make_record(trial, "here", 1, (outcome,), datetime.now(UTC), 1.0, {})
    again = read_record(write_record(tmp_path, record))
    assert again.outcomes[0] == outcome


def test_a_step_that_was_followed_rightly_is_believed(outcomes: dict[str, tuple[Trial, Outcome]]) -> None:
    for _, outcome in outcomes.values():
        assert "invalid" not in outcome.details
        assert dict(figures(outcome))["workspace_bytes", "measured", "cpu", "train"] >= 0


def test_where_tensors_outweigh_what_was_handed_out_their_figures_are_marked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def less_than_all(*given: Any, **named: Any) -> AllocatorMeasurement:
        true = measure_allocator(*given, **named)
        return replace(true, peak_by_phase=dict.fromkeys(true.peak_by_phase, 1000))

    monkeypatch.setattr(measure, "measure_allocator", less_than_all)
    trial = trials(tmp_path, TRAIN + "measure = true\nsimulate = []\n")[0]
    (outcome,) = memory.run(trial).outcomes
    invalid = outcome.details["invalid"]
    assert invalid.keys() == {
        *("peak_bytes", "static_bytes", "saved_bytes", "allocations", "workspace_bytes"),
    }
    assert all("more than the allocator handed out" in reason for reason in invalid.values())
    found = dict(figures(outcome))
    assert ("workspace_bytes", "measured", "cpu", "train") not in found, "no scratch is less than none"
    assert found["allocator_peak_bytes", "measured", "cpu", "train"] == 1000


def test_channels_last_reaches_the_step_and_the_context(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []

    def noting(build: Any, settings: StepSettings, **named: Any) -> Any:
        asked.append(settings.memory_format)
        return simulate(build, settings, **named)

    monkeypatch.setattr(measure, "simulate", noting)
    for more, format_, conditions in (
        ("", "contiguous", ""),
        (
            'channels_last = true\nprecision = "bf16-autocast"\n',
            "channels_last",
            "bf16-autocast, channels-last",
        ),
    ):
        asked.clear()
        trial = trials(tmp_path, TRAIN + more)[0]
        memory.run(trial)
        assert set(asked) == {format_}
        assert trial.workload.conditions == conditions
        assert trial.workload.context.endswith(f"SGD, momentum 0.9{', ' if conditions else ''}{conditions}")


def test_the_study_of_a_gpu_measures_what_it_says_it_does() -> None:
    (settings,) = (w for w in study.load("gpu").workloads if isinstance(w, MemorySettings))
    assert settings.measure
    assert settings.precision == "bf16-autocast"
    assert settings.channels_last
    for trial in plan(study.load("gpu")).trials:
        if trial.workload.kind in {"memory", "throughput"}:
            assert "bf16-autocast, channels-last" in trial.workload.conditions
