"""Stopping on precision: which processes are worth running is a pure function of those on record."""

import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from results.records.record import Measurement, Outcome, Record, Status
from results.verdicts import stopping
from results.verdicts.components import FEWEST_ROUNDS
from results.verdicts.stopping import Failures
from runners import study
from runners.plan import Plan, plan
from runners.stages import is_worth_asking, lost_arms, wanted
from runners.trial import Trial

HERE = "here"
STUDY = """
architecture = "resnet"
[factors]
stem = ["shallow", "deep32", "deep64"]
[[workloads]]
kind = "throughput"
levels = { depth = 18, width = 4 }
image_size = 32
processes = 10
half_width = 0.02
max_processes = 16
"""


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    path = tmp_path_factory.mktemp("stages") / "precise.toml"
    path.write_text(STUDY)
    found = plan(study.load(str(path)))
    # Complexity runs beside it and is no part of the question.
    return replace(found, trials=tuple(t for t in found.trials if t.workload.kind == "throughput"))


def record(
    trial: Trial, spread: dict[str, float], *, status: dict[str, Status] | None = None, seconds: float = 10.0
) -> Record:
    """A trial as it would end: one sample a mode and arm, with a spread of its logarithm over processes."""
    outcomes = []
    for arm in trial.arms:
        ended = (status or {}).get(arm.name, "ok")
        measurements = []
        for mode in trial.workload.settings["modes"]:
            generator = np.random.default_rng([trial.index, len(arm.name), len(mode)])
            value = math.exp(spread.get(arm.name, 0.001) * generator.standard_normal())
            measurements.append(Measurement("step_seconds", (value,), "measured", "cpu", mode=mode))
        outcomes.append(
            Outcome(
                arm.name, arm.variant, {}, ended, measurements=tuple(measurements if ended == "ok" else ())
            )
        )
    started = datetime(2026, 1, 1, 0, trial.index, tzinfo=UTC).isoformat()
    return Record(trial.id, trial.workload.name, trial.block, HERE, 1, started, seconds, tuple(outcomes))


def run_to_the_end(planned: Plan, spread: dict[str, float], **given: float) -> list[Record]:
    """As an undisturbed run would go: all that is wanted, until nothing new is."""
    records: dict[str, Record] = {}
    while new := [t for t in wanted(planned, records.values(), HERE) if t.id not in records]:
        for trial in new:
            records[trial.id] = record(trial, spread, **given)  # type: ignore[arg-type]
    return list(records.values())


def values_of(record: Record, mode: str) -> dict[str, float]:
    return {o.arm: m.values[0] for o in record.outcomes for m in o.measurements if m.mode == mode}


def arms_of(record: Record) -> set[str]:
    return {outcome.arm for outcome in record.outcomes}


def test_narrow_intervals_stop_after_the_fewest_processes(planned: Plan) -> None:
    assert len(planned.trials) == 16
    assert sum(trial.optional for trial in planned.trials) == 6
    assert len(run_to_the_end(planned, {})) == 10


def test_effort_goes_to_the_arm_that_is_not_known_well_enough(planned: Plan) -> None:
    records = run_to_the_end(planned, {"stem=deep64": 0.2})
    assert len(records) == 16, "an interval this wide never gets narrow enough"
    for one in records[10:]:
        assert arms_of(one) == {"baseline", "(control)", "stem=deep64"}
    (row,) = stopping.cost(planned.study, records).to_dict("records")
    assert row["reason"] == stopping.AT_MOST
    assert (row["processes"], row["at_least"], row["at_most"]) == (16, 10, 16)


def test_the_first_four_processes_alone_say_how_many_there_will_be(planned: Plan) -> None:
    """Whatever the later ones show: an interval whose spread stopped it would be too narrow."""
    calm = run_to_the_end(planned, {"stem=deep64": 0.016})
    assert 10 < len(calm) < 16
    lively: dict[str, Record] = {}
    while new := [t for t in wanted(planned, lively.values(), HERE) if t.id not in lively]:
        for trial in new:
            lively[trial.id] = record(trial, {"stem=deep64": 0.016 if trial.index < 4 else 0.4})
    assert [one.block for one in lively.values()] == [one.block for one in calm]
    (row,) = stopping.cost(planned.study, list(lively.values())).to_dict("records")
    assert row["reason"] == stopping.AS_ASKED
    assert row["reached"] > row["target"]


def test_as_many_as_the_spread_of_the_first_four_asks_for(planned: Plan) -> None:
    """By plain scipy: the spread at its upper quartile shall give the half-width."""
    records = run_to_the_end(planned, {"stem=deep32": 0.02, "stem=deep64": 0.02, "(control)": 0.02})
    variances = [
        np.var(
            [
                math.log(values[arm] / values["baseline"])
                for one in records
                if one.block_number < 4 and arm in (values := values_of(one, mode))
            ],
            ddof=1,
        )
        for mode in ("train", "inference")
        for arm in ("stem=deep32", "stem=deep64", "(control)")
    ]
    least, most = (
        extreme(variances) * 3 / stats.chi2.ppf(0.25, 3) * stats.norm.ppf(0.975) ** 2 / math.log(1.02) ** 2
        for extreme in (min, max)
    )
    assert min(16, max(10, math.floor(least))) <= len(records) <= min(16, max(10, math.ceil(3 * most)))
    (row,) = stopping.cost(planned.study, records).to_dict("records")
    assert row["reason"] in {stopping.PRECISE, stopping.AT_MOST, stopping.AS_ASKED}


def in_rounds(one: Record, count: int) -> Record:
    """The same process, in which so many rounds differ by next to nothing."""
    wobble = np.exp(np.random.default_rng(one.block_number).normal(0, 1e-4, count))

    def sampled(outcome: Outcome) -> Outcome:
        more = (
            replace(m, values=tuple(float(m.values[0] * w) for w in wobble)) for m in outcome.measurements
        )
        return replace(outcome, measurements=tuple(more))

    return replace(one, outcomes=tuple(map(sampled, one.outcomes)))


def test_where_more_rounds_tell_nothing_more_later_processes_have_fewer(planned: Plan) -> None:
    first = wanted(planned, [], HERE)
    rounds = first[0].workload.settings["rounds"]
    (later,) = wanted(planned, [in_rounds(record(t, {"stem=deep64": 0.2}), rounds) for t in first], HERE)[4:]
    of_first, of_later = (trial.workload.settings for trial in (first[0], later))
    assert (later.index, of_later["rounds"]) == (4, FEWEST_ROUNDS)
    assert FEWEST_ROUNDS < rounds == of_first["rounds"]
    as_long_a_turn = of_first["arm_seconds"] / of_first["rounds"]
    assert of_later["arm_seconds"] / of_later["rounds"] == pytest.approx(as_long_a_turn)


def test_an_arm_that_fails_is_not_waited_for(planned: Plan) -> None:
    records: dict[str, Record] = {}
    while new := [t for t in wanted(planned, records.values(), HERE) if t.id not in records]:
        for trial in new:
            records[trial.id] = record(trial, {}, status={"stem=deep64": "timed_out"})
    assert len(records) == 10
    (row,) = stopping.cost(planned.study, list(records.values())).to_dict("records")
    assert row["reason"] == stopping.GIVEN_UP


def test_significance_plays_no_part(planned: Plan) -> None:
    """A large effect, known badly, goes on; no effect at all, known well, stops."""
    by_effect = {}
    for shift in (0.0, 1.0):
        records: dict[str, Record] = {}
        while new := [t for t in wanted(planned, records.values(), HERE) if t.id not in records]:
            for trial in new:
                made = record(trial, {"stem=deep64": 0.02})
                outcomes = tuple(
                    replace(
                        o,
                        measurements=tuple(
                            replace(m, values=(m.values[0] * math.exp(shift * (o.arm == "stem=deep64")),))
                            for m in o.measurements
                        ),
                    )
                    for o in made.outcomes
                )
                records[trial.id] = replace(made, outcomes=outcomes)
        by_effect[shift] = len(records)
    assert by_effect[0.0] == by_effect[1.0]


@settings(max_examples=10, deadline=None)
@given(data=st.data(), spread=st.floats(0.001, 0.1))
def test_whatever_part_is_on_record_a_resumed_run_ends_where_an_undisturbed_one_does(
    planned: Plan, data: st.DataObject, spread: float
) -> None:
    whole = {one.trial: one for one in run_to_the_end(planned, {"stem=deep32": spread})}
    kept = data.draw(st.integers(0, len(whole)))
    records = dict(list(whole.items())[:kept])
    order = data.draw(st.permutations(list(records)))
    resumed = {trial: records[trial] for trial in order}
    while new := [t for t in wanted(planned, resumed.values(), HERE) if t.id not in resumed]:
        for trial in new:
            assert trial.id in whole, "a trial that the undisturbed run did not have"
            resumed[trial.id] = record(trial, {"stem=deep32": spread})
    assert resumed == whole


def test_records_of_another_environment_do_not_count(planned: Plan) -> None:
    records = [replace(one, environment="elsewhere") for one in run_to_the_end(planned, {"stem=deep64": 0.2})]
    assert len(records) == 16, "there, precision asked for more"
    assert [trial.index for trial in wanted(planned, records, HERE)] == list(range(4))


def failed(trial: Trial, reason: str, status: Status = "failed") -> Record:
    outcomes = tuple(Outcome(arm.name, arm.variant, {}, status, reason) for arm in trial.arms)
    return replace(record(trial, {}), outcomes=outcomes)


@pytest.fixture(scope="module")
def alone(planned: Plan) -> list[Trial]:
    """The first arm beside the baseline, by itself in each block."""
    arm = next(arm for trial in planned.trials for arm in trial.arms if arm.name == "stem=deep32")
    return [replace(trial, arms=(arm,)) for trial in sorted(planned.trials, key=lambda trial: trial.index)]


def test_an_arm_that_failed_twice_in_the_same_way_is_not_asked_again_where_it_is_alone(
    planned: Plan, alone: list[Trial]
) -> None:
    once = [failed(alone[0], "the same")]
    twice = [*once, failed(alone[1], "the same")]
    assert lost_arms(Failures(once), HERE) == frozenset()
    assert lost_arms(Failures(twice), HERE) == {("throughput", "stem=deep32")}
    assert lost_arms(Failures(twice), "elsewhere") == frozenset()
    lost = lost_arms(Failures(twice), HERE)
    assert not is_worth_asking(alone[2], lost)
    assert all(is_worth_asking(trial, lost) for trial in planned.trials), "others share its process"
    other = replace(alone[2], workload=replace(alone[2].workload, name="other"))
    assert is_worth_asking(other, lost)

    split = replace(planned, trials=tuple(alone))
    assert [trial.index for trial in wanted(split, twice, HERE, lost)] == [0, 1], "what it left stays wanted"
    assert [trial.index for trial in wanted(split, twice, HERE)] == list(range(4))


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [("one", "another", "failed"), ("one", "one", "killed"), ("one", "one", "diverged")],
)
def test_other_ways_to_end_give_no_arm_up(
    alone: list[Trial], first: str, second: str, status: Status
) -> None:
    told = Failures([failed(alone[0], first, status), failed(alone[1], second, status)])
    assert lost_arms(told, HERE) == frozenset()
