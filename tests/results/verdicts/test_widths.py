"""How wide intervals are by their margins: the spread and the count decide, the effect has no say."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from results.records.directory import read_records
from results.records.record import Measurement, Outcome, Record
from results.records.resolved_study import read_study
from results.verdicts.widths import widths
from tests.results.planted import BASELINE, NORM, POOL, STEM, Plan, write_run

Change = Callable[[str, float], float]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("widths") / "run", Plan(processes=10))


def of_times(run: Path, change: Change = lambda _, value: value, blocks: int = 99) -> dict[str, float]:
    """Widths of the workload that is timed, its times changed by arm."""
    study, records = read_study(run), list(changed(read_records(run)[0], change, blocks))
    (timed,) = {r.workload for r in records if r.block.startswith("process-")}
    return {arm: width for (name, arm), width in widths(study, records).items() if name == timed}


def changed(records: list[Record], change: Change, blocks: int) -> Iterator[Record]:
    for record in records:
        if not record.block.startswith("process-"):
            yield record
        elif record.block_number < blocks:
            yield replace(record, outcomes=tuple(of_arm(outcome, change) for outcome in record.outcomes))


def of_arm(outcome: Outcome, change: Change) -> Outcome:
    def scaled(one: Measurement) -> Measurement:
        return replace(one, values=tuple(change(outcome.arm, value) for value in one.values))

    return replace(outcome, measurements=tuple(map(scaled, outcome.measurements)))


def test_no_width_depends_on_how_large_an_effect_is(planted: Path) -> None:
    before = of_times(planted)
    assert {STEM, NORM, POOL} <= before.keys()
    assert BASELINE not in before
    shifted = of_times(planted, lambda arm, value: value * {STEM: 3.0, NORM: 0.5}.get(arm, 1.0))
    assert shifted == pytest.approx(before)


def test_twice_the_noise_is_twice_as_wide_and_fewer_blocks_are_wider(planted: Path) -> None:
    """The square of each time doubles every logarithm."""
    before = of_times(planted)
    assert of_times(planted, lambda _, value: value**2) == pytest.approx(
        {a: 2 * w for a, w in before.items()}
    )
    fewer = of_times(planted, blocks=6)
    assert sum(fewer.values()) > sum(before.values())


def test_five_blocks_have_no_interval_to_look_at(planted: Path) -> None:
    assert of_times(planted, blocks=5) == {}
