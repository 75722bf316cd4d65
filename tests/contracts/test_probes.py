"""What every registered probe keeps to, newcomers included."""

import re

import pytest

from results.records.metric import Metric
from results.records.resolved_study import EXACT
from runners import probes
from runners.probes import Probe
from runners.workload_settings import WorkloadSettings

PROBES = probes.probes()
METRICS = [(kind, metric) for kind, probe in PROBES.items() for metric in probe.metrics]

each_probe = pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES)
each_metric = pytest.mark.parametrize("metric", [m for _, m in METRICS], ids=[m.name for _, m in METRICS])


def defaults(probe: Probe) -> WorkloadSettings:
    return probe.settings.model_validate({"kind": probe.kind, "name": probe.kind})


@each_probe
def test_a_probe_says_what_it_is(probe: Probe) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_-]*", probe.kind)
    assert probe.summary
    assert len(probe.summary.splitlines()) == 1
    assert probe.metrics
    assert re.fullmatch(r"[a-z_]{1,40}", probe.block_unit), "it names blocks in records: seed-3"


@each_probe
def test_every_key_of_a_workload_is_described_and_has_a_default_but_for_its_kind(probe: Probe) -> None:
    for name, field in probe.settings.model_fields.items():
        assert field.description, f"{name} needs a description"
        assert field.is_required() == (name == "kind"), name
    assert defaults(probe).kind == probe.kind


@each_probe
def test_keys_that_only_say_how_many_are_keys(probe: Probe) -> None:
    assert probe.settings.model_fields.keys() >= probe.settings.ONLY_HOW_MANY


@each_probe
def test_settings_are_strict_frozen_and_survive_the_way_through_json(probe: Probe) -> None:
    settings = defaults(probe)
    with pytest.raises(ValueError, match="frozen"):
        settings.image_size = 1  # type: ignore[misc]
    with pytest.raises(ValueError, match="no_such_key"):
        probe.settings.model_validate({"kind": probe.kind, "no_such_key": 1})
    assert probe.settings.model_validate(settings.model_dump(mode="json")) == settings


@each_probe
def test_the_words_of_a_workload_are_short_and_in_one_line(probe: Probe) -> None:
    settings = defaults(probe)
    for words in (settings.context, settings.conditions):
        assert len(words) <= 60
        assert len(words.splitlines()) <= 1
    assert settings.conditions == "", "the defaults are what is usual"
    assert settings.replicates >= 1


@each_probe
def test_one_trial_decides_exactly_where_all_metrics_are_exact(probe: Probe) -> None:
    assert (probe.block_unit == EXACT) == all(metric.exact for metric in probe.metrics)
    assert not (probe.block_unit == EXACT and probe.control), "a duplicate would be the same"


@each_probe
def test_a_forecast_is_above_zero_and_grows_with_the_work(probe: Probe) -> None:
    settings = defaults(probe)
    nothing, little, much = (
        probe.estimate_seconds(settings, [macs] * 2, 20e9) for macs in (0, 10**9, 10**12)
    )
    assert 0 < nothing <= little <= much
    assert probe.estimate_seconds(settings, [10**12], 40e9) <= probe.estimate_seconds(
        settings, [10**12], 20e9
    )


@each_metric
def test_a_metric_says_what_it_is(metric: Metric) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", metric.name)
    assert metric.label
    assert metric.description.endswith(".")
    assert metric.margin > 0, "no difference would be too small to count"
    assert metric.better in {"lower", "higher"}


@each_metric
def test_a_name_that_names_a_unit_names_its_own(metric: Metric) -> None:
    for ending in ("bytes", "seconds"):
        if metric.name.endswith(f"_{ending}"):
            assert metric.unit == ending


def test_no_two_metrics_share_a_name() -> None:
    names = [metric.name for _, metric in METRICS]
    assert len(names) == len(set(names))
