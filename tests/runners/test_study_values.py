"""Any TOML value in any place of a study file ends in a plan or in clear lines, never in anything else."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from results.records.resolved_study import read_study
from results.records.resolved_study import write_study as write_resolved
from runners import probes, study
from runners.errors import BadInput
from runners.plan import Plan, plan
from runners.study_file import StudyFile
from tests.runners.study_files import write_study, write_tiny

ARCHITECTURE = "tiny_of_any_value"

WORDS = st.sampled_from(
    ["resnet", ARCHITECTURE, "digits", "train", "3x3", "1", "true", "24GiB", "memory", ""]
)
PLAIN = (
    st.booleans()
    | st.integers(-2, 40)
    | st.integers()
    | st.sampled_from([2**53, 2**53 + 1, -(2**63), 10**400])
    | st.floats()
    | WORDS
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    | st.dates()
    | st.times()
    | st.datetimes(timezones=st.just(datetime.UTC))
)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
)
KINDS = sorted(probes.probes())
KEYS = sorted({key for probe in probes.probes().values() for key in probe.settings.model_fields})
PLACES = (
    st.sampled_from(
        [
            *((key,) for key in StudyFile.model_fields),
            *(("factors", name) for name in ("kernel", "wide", "num_classes", "nonsense")),
            *(("factors", "kernel", index) for index in range(2)),
            *(("margins", name) for name in ("peak_bytes", "nonsense")),
            *(("plugins", index) for index in range(2)),
        ]
    )
    | st.tuples(st.just("workloads"), st.integers(0, len(KINDS)))
    | st.tuples(st.just("workloads"), st.integers(0, len(KINDS) - 1), st.sampled_from(KEYS))
    | st.tuples(
        st.just("workloads"),
        st.integers(0, len(KINDS) - 1),
        st.just("levels"),
        st.sampled_from(["kernel", "fault", "in_channels", "num_classes", "nonsense"]),
    )
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("studies")
    write_tiny(path, ARCHITECTURE)
    return path


def sound() -> dict[str, Any]:
    workloads: list[Any] = [{"kind": kind, "image_size": 8, "levels": {"in_channels": 1}} for kind in KINDS]
    return {
        "question": "What of this can be read?",
        "architecture": ARCHITECTURE,
        "design": "one-at-a-time",
        "seed": 1,
        "factors": {"kernel": [1, 3], "wide": [False, True]},
        "margins": {"peak_bytes": 0.1},
        "plugins": [f"{ARCHITECTURE}.py"],
        "workloads": workloads,
    }


def put(content: Any, place: tuple[str | int, ...], value: object) -> None:
    """The value in its place, where what other values left of the file has such a place."""
    for step in place[:-1]:
        if isinstance(content, dict):
            content = content.get(step)
        elif isinstance(content, list) and isinstance(step, int) and step < len(content):
            content = content[step]
        else:
            return
    last = place[-1]
    if isinstance(content, dict):
        content[last] = value
    elif isinstance(content, list) and isinstance(last, int):
        content[last : last + 1] = [value]


def planned(path: Path) -> Plan | BadInput:
    try:
        return plan(study.load(str(path)))
    except BadInput as error:
        return error


def test_the_study_into_which_values_are_put_is_sound(folder: Path) -> None:
    found = planned(write_study(folder / "sound.toml", sound()))
    assert isinstance(found, Plan), found
    assert {trial.workload.kind for trial in found.trials} == set(KINDS)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(values=st.lists(st.tuples(PLACES, VALUES), min_size=1, max_size=3))
def test_any_value_anywhere_ends_in_a_plan_or_in_clear_lines(
    folder: Path, values: list[tuple[tuple[str | int, ...], object]]
) -> None:
    content = sound()
    for place, value in values:
        put(content, place, value)
    found = planned(write_study(folder / "drawn.toml", content))
    if isinstance(found, BadInput):
        assert found.lines
        for line in found.lines:
            assert len(line.splitlines()) == 1, line
            assert len(line) < 1000, line
    else:
        write_resolved(folder, found.study)
        assert read_study(folder) == found.study, "what is kept of the study is what it was"
