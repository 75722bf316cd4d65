"""Another occasion of what is timed: trials of their own, added to a finished run and resumed like any."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from results.records.directory import write_record
from results.records.record import Measurement, Outcome, Record
from results.records.resolved_study import Workload
from runners import sources, study, trial_id
from runners.backlog import Backlog
from runners.errors import BadInput
from runners.occasions import begun, on_occasion, wanted_on
from runners.plan import Plan, plan
from runners.shards import Shard
from runners.trial import Trial, TrialArm

HERE, PROCESSES = "here", 6
WIDE, NARROW = 0.2, 0.001
STUDY = """
architecture = "resnet"
[factors]
stem = ["shallow", "deep32", "deep64"]
[[workloads]]
kind = "throughput"
levels = { depth = 18, width = 4 }
image_size = 32
"""
OTHER = '\n[[workloads]]\nkind = "convergence"\nlevels = { depth = 18, width = 4 }\nepochs = 1\nseeds = 1\n'


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    path = tmp_path_factory.mktemp("occasions") / "fixed.toml"
    path.write_text(f"{STUDY}processes = {PROCESSES}\n{OTHER}")
    return plan(study.load(str(path)))


@pytest.fixture(scope="module")
def with_rule(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    path = tmp_path_factory.mktemp("occasions") / "precise.toml"
    path.write_text(f"{STUDY}processes = 12\nhalf_width = 0.02\nmax_processes = 16\n")
    return plan(study.load(str(path)))


def record(trial: Trial, spread: float) -> Record:
    """A trial as it would end: one sample a mode and arm, with a spread of its logarithm over processes."""
    outcomes = []
    for arm in trial.arms:
        values = []
        for mode in trial.workload.settings["modes"]:
            generator = np.random.default_rng([trial.index, len(arm.name), len(mode)])
            value = math.exp(spread * generator.standard_normal())
            values.append(Measurement("step_seconds", (value, value), "measured", "cpu", mode=mode))
        outcomes.append(Outcome(arm.name, arm.variant, {}, measurements=tuple(values)))
    started = datetime(2026, 1, 1, 0, trial.index, tzinfo=UTC).isoformat()
    return Record(trial.id, trial.workload.name, trial.block, HERE, 1, started, 10.0, tuple(outcomes))


def run_occasion(
    planned: Plan, occasion: int, spread: float = NARROW, before: Iterable[Record] = ()
) -> list[Record]:
    """All records of an occasion as it would run to its end."""
    records: dict[str, Record] = {}
    every = list(before)
    while True:
        trials = wanted_on(planned, [*every, *records.values()], HERE, occasion)
        new = [t for t in trials if t.id not in records and t.timed]
        if not new:
            return list(records.values())
        for trial in new:
            records[trial.id] = record(trial, spread)


@pytest.fixture
def unchanged_sources(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ids that do not follow the code, which changes every day."""
    monkeypatch.setattr(sources, "digest", lambda files: "unchanged")
    trial_id._sources.cache_clear()
    yield
    trial_id._sources.cache_clear()


@pytest.mark.parametrize(
    ("block", "expected"), [("process-3", "d4a607f7a9e4faed"), ("process-0", "bf516a0a8ec2f5fe")]
)
def test_ids_of_the_first_occasion_are_those_from_before_there_were_any(
    unchanged_sources: None, block: str, expected: str
) -> None:
    """The ids are those that the version of 112f422 gave."""
    variants = {"baseline": "resnet", "norm=none": "resnet:norm=none"}
    settings = {"threads": 1, "modes": ["train"], "processes": 6}
    workload = Workload(
        *("time", "throughput", "process", 6, variants, 32, 8, "fp32", None, "resnet, 32 px", settings)
    )
    arms = (
        TrialArm("baseline", "resnet", "resnet:norm=batch"),
        TrialArm("norm=none", "resnet:norm=none", "resnet:norm=none"),
    )
    trial = Trial("", workload, arms, block, 3, 7, "cpu", 1, timed=True, wave=1, estimated_seconds=2.0)
    first = trial_id.identified(trial)
    assert first.id == expected
    only = Plan(study=None, trials=(first,))  # type: ignore[arg-type]
    assert on_occasion(only, 0).trials == (first,)
    (second,) = on_occasion(only, 1).trials
    assert second.id != expected
    assert second.block == f"{block}@1"


def test_what_is_timed_and_nothing_else_is_repeated(planned: Plan) -> None:
    assert {t.workload.kind for t in planned.trials} == {"complexity", "throughput", "convergence"}
    timed = [trial for trial in planned.trials if trial.timed]
    ids = {trial.id for trial in planned.trials}
    for occasion in (1, 2):
        again = on_occasion(planned, occasion).trials
        assert [replace(t, id="", block="") for t in again] == [replace(t, id="", block="") for t in timed]
        assert {t.block for t in again} == {f"process-{i}@{occasion}" for i in range(PROCESSES)}
        assert not ids & {t.id for t in again}
        ids |= {t.id for t in again}


def test_each_occasion_stops_by_its_own_records(with_rule: Plan) -> None:
    first = run_occasion(with_rule, 0)
    second = run_occasion(with_rule, 1, WIDE, before=first)
    third = run_occasion(with_rule, 2, before=[*first, *second])
    as_first = [len(run_occasion(with_rule, 0, spread)) for spread in (NARROW, WIDE)]
    assert as_first[0] < as_first[1], "what is known badly takes more"
    assert [len(records) for records in (first, second, third)] == [as_first[0], as_first[1], as_first[0]]


def test_an_occasion_is_there_once_a_trial_of_it_is_on_record(planned: Plan) -> None:
    first = run_occasion(planned, 0)
    second = run_occasion(planned, 1)
    assert begun(planned, first, HERE) == 1
    assert begun(planned, [*first, second[3]], HERE) == 2
    assert begun(planned, [*first, *run_occasion(planned, 4)[:1]], HERE) == 5
    elsewhere = replace(second[0], environment="elsewhere")
    of_older_code = replace(second[0], trial="0" * 16)
    assert begun(planned, [*first, elsewhere, of_older_code], HERE) == 1


def written(out: Path, records: Iterable[Record]) -> None:
    for one in records:
        write_record(out, one)


@pytest.fixture
def backlog(planned: Plan, tmp_path: Path) -> Callable[..., Backlog]:
    (tmp_path / "records").mkdir()
    (tmp_path / "plan").mkdir()

    def made(*, again: bool = False) -> Backlog:
        return Backlog(planned, tmp_path, HERE, retry_failed=False, again=again)

    return made


def timed(backlog: Backlog) -> list[str]:
    return sorted(task.trial.block for task in backlog.left()[0] if task.trial.timed)


def test_another_occasion_is_added_to_a_complete_one_alone(
    planned: Plan, tmp_path: Path, backlog: Callable[..., Backlog]
) -> None:
    first = run_occasion(planned, 0)
    written(tmp_path, first[:5])
    with pytest.raises(BadInput, match="1 of 6 timed trials to run; finish them first"):
        backlog(again=True)
    assert timed(backlog()) == ["process-5"]
    written(tmp_path, first[5:])
    assert timed(backlog()) == []
    fewest = [f"process-{i}@1" for i in range(6)]
    assert timed(backlog(again=True)) == fewest
    assert timed(backlog()) == [], "nothing of it is on record yet: it was not begun"

    second = run_occasion(planned, 1, before=first)
    written(tmp_path, second[:2])
    assert timed(backlog()) == fewest[2:]
    with pytest.raises(BadInput, match="4 of 6 timed trials"):
        backlog(again=True)
    written(tmp_path, second[2:])
    assert timed(backlog(again=True)) == [f"process-{i}@2" for i in range(6)]


def test_a_shard_has_occasions_of_its_own_blocks(planned: Plan, tmp_path: Path) -> None:
    """Six processes and one training, dealt to two: three of the processes are here."""

    def blocks(again: bool = False) -> list[str]:
        return timed(Backlog(planned, tmp_path, HERE, retry_failed=False, again=again, shard=Shard(2, 2)))

    mine = blocks()
    assert len(mine) == 3
    with pytest.raises(BadInput, match="3 of 3 timed trials"):
        blocks(again=True)
    written(tmp_path, [one for one in run_occasion(planned, 0) if one.block in mine])
    assert blocks() == []
    assert blocks(again=True) == [f"{block}@1" for block in mine]


def test_an_earlier_occasion_is_over_once_the_next_has_begun(
    planned: Plan, tmp_path: Path, backlog: Callable[..., Backlog]
) -> None:
    lost, *well = run_occasion(planned, 0)
    outcomes = tuple(replace(o, status="killed", measurements=()) for o in lost.outcomes)
    killed = replace(lost, outcomes=outcomes)
    written(tmp_path, [killed, *well])
    assert timed(backlog()) == [killed.block]
    assert timed(backlog(again=True)) == [f"process-{i}@1" for i in range(6)]


def test_a_study_that_times_nothing_has_one_occasion(planned: Plan, tmp_path: Path) -> None:
    untimed = replace(planned, trials=tuple(t for t in planned.trials if not t.timed))
    with pytest.raises(BadInput, match="times nothing"):
        Backlog(untimed, tmp_path, HERE, retry_failed=False, again=True)
