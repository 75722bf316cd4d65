"""Looks summed up: what plain arithmetic over the rows of the frame says."""

from statistics import median

import pandas as pd
import pytest

import results
from results.run import Run
from results.tables import inside as tables
from tests.results.planted import BASELINE, BOTH, CONTROL, NORM, POOL, RELU, STEM
from tests.results.planted_inside import (
    CHANCE,
    CHANNELS,
    DEAD,
    DRIFT,
    GRADIENT,
    PLAIN,
    STEPS,
    spread,
    write_looked_at,
)

LOOKS = ("first", "middle", "last")


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return results.load(write_looked_at(tmp_path_factory.mktemp("runs") / "looked-at"))


@pytest.fixture(scope="module")
def rows(looked_at: Run) -> pd.DataFrame:
    return tables.summary(tables.by_training(tables.looks(looked_at.inside)))


def of(rows: pd.DataFrame, arm: str, figure: str, look: str) -> dict[str, float]:
    (row,) = rows.query("arm == @arm and figure == @figure and look == @look").to_dict("records")
    return {name: row[name] for name in ("step", "n", "median", "low", "high")}


@pytest.mark.parametrize(("place", "look"), list(enumerate(LOOKS)))
def test_gradients_are_the_first_layers_over_the_last_ones(rows: pd.DataFrame, place: int, look: str) -> None:
    seeds = range(8) if look == "first" else (0, 1, 3, 4, 6, 7)  # the others diverged meanwhile
    truths = [GRADIENT[NORM][place] * spread(seed) for seed in seeds]
    expected = {"n": len(truths), "median": median(truths), "low": min(truths), "high": max(truths)}
    for figure in ("gradient_ends", "relative_gradient_ends"):
        found = of(rows, NORM, figure, look)
        assert found.pop("step") == STEPS[place]
        assert found == pytest.approx(expected)


def test_drift_is_that_of_the_median_layer_and_its_first_look_is_a_step_later(rows: pd.DataFrame) -> None:
    found = of(rows, BASELINE, "drift", "first")
    assert found["step"] == 2
    assert found["median"] == pytest.approx(median(PLAIN["drift"][0] * spread(seed) for seed in range(8)))
    assert of(rows, BOTH, "drift", "last")["high"] == pytest.approx(DRIFT[BOTH][2] * spread(7))
    assert of(rows, BASELINE, "chance_drift", "middle")["low"] == CHANCE


def test_dead_units_are_counted_over_all_channels(rows: pd.DataFrame) -> None:
    found = of(rows, NORM, "dead", "last")
    assert found["median"] == pytest.approx(DEAD[NORM][2] * CHANNELS[1] / sum(CHANNELS))


def test_variance_is_that_before_the_first_activation_over_that_before_the_last(rows: pd.DataFrame) -> None:
    assert of(rows, STEM, "variance_ends", "last")["low"] == pytest.approx(1.5 * spread(0))


def test_a_missing_number_is_no_figure_and_makes_none(looked_at: Run) -> None:
    frame = looked_at.inside.query("arm == 'baseline' and block == 'seed-0'")
    for layer, left in (("conv1", False), ("conv2", True), ("fc", False)):
        holed = frame.assign(value=frame["value"].where(frame["layer"] != layer))
        found = tables.by_training(tables.looks(holed))
        assert ("gradient_ends" in set(found["figure"])) == left
        assert "dead" in set(found["figure"])


@pytest.mark.parametrize(
    ("steps", "marked"),
    [
        ([5], {"last": 5}),
        ([1, 5], {"first": 1, "last": 5}),
        ([1, 3, 5], {"first": 1, "middle": 3, "last": 5}),
        ([1, 2, 3, 4], {"first": 1, "middle": 3, "last": 4}),
    ],
)
def test_three_looks_are_told_or_as_many_as_there_are(
    looked_at: Run, steps: list[int], marked: dict[str, int]
) -> None:
    one = looked_at.inside.query("arm == 'baseline' and block == 'seed-0' and what == 'dead_share'")
    one = one[one["step"] == 1]
    frame = pd.concat([one.assign(step=step) for step in steps])
    found = tables.looks(frame)
    assert dict(zip(found["look"], found["step"], strict=True)) == marked


def test_arms_stand_by_how_much_they_differ_and_what_is_alike_does_not(looked_at: Run) -> None:
    trainings = tables.by_training(tables.looks(looked_at.inside))
    apart = tables.distances(trainings, BASELINE)
    assert apart.idxmax() == NORM
    assert apart[NORM] > apart[BOTH] > apart[STEM] > 0
    assert apart[RELU] == apart[POOL] == 0
    assert CONTROL not in apart


def test_an_arm_of_few_seeds_is_set_beside_the_baseline_at_the_same(looked_at: Run) -> None:
    """Else a placebo of two seeds would differ from the baseline of eight, though bit for bit the same."""
    frame = looked_at.inside
    few = frame[(frame["arm"] != RELU) | frame["block"].isin(["seed-0", "seed-1"])]
    trainings = tables.by_training(tables.looks(few))
    assert tables.distances(trainings, BASELINE)[RELU] == 0
    strange = trainings.assign(block=trainings["block"].where(trainings["arm"] != RELU, "seed-99"))
    assert tables.distances(strange, BASELINE)[RELU] > 0, "no seed is shared"


def test_without_a_baseline_nobody_knows_how_far_arms_are_from_it(looked_at: Run) -> None:
    trainings = tables.by_training(tables.looks(looked_at.inside))
    apart = tables.distances(trainings[trainings["arm"] != BASELINE], BASELINE)
    assert set(apart.index) == {NORM, STEM, BOTH, RELU, POOL}
    assert apart.isna().all()


def test_differences_in_the_last_bit_give_no_arm_a_place_before_another(looked_at: Run) -> None:
    trainings = tables.by_training(tables.looks(looked_at.inside))
    stems = trainings[trainings["arm"] == STEM]
    copies = [stems.assign(arm=f"arm-{i}", value=stems["value"] * (1 + i * 2**-52)) for i in range(5)]
    apart = tables.distances(pd.concat([trainings[trainings["arm"] == BASELINE], *copies]), BASELINE)
    assert apart.nunique() == 1
