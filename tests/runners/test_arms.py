"""From factors to arms."""

from dataclasses import replace

import pytest

from results.records.resolved_study import CONTROL_FACTOR
from runners import study
from runners.arms import arms_of

FACTORS = {"pool": ("max", "average", "none"), "norm": ("batch", "group")}


def names(design: str) -> list[str]:
    given = replace(study.load("stem"), design=design, factors=FACTORS)
    return [arm.name for arm in arms_of(given)]


def test_one_at_a_time_has_an_arm_for_each_level_but_the_baselines() -> None:
    expected = ["baseline", CONTROL_FACTOR, "pool=average", "pool=none", "norm=group"]
    assert names("one-at-a-time") == expected


def test_a_full_factorial_has_every_combination_named_by_what_it_changes() -> None:
    found = names("full-factorial")
    assert len(found) == 3 * 2 + 1, "the control beside every combination"
    assert found[:2] == ["baseline", CONTROL_FACTOR]
    assert set(found[2:]) == {
        *("norm=group", "pool=average", "pool=none"),
        *("norm=group,pool=average", "norm=group,pool=none"),
    }


def test_a_design_that_nobody_wrote_is_our_fault() -> None:
    with pytest.raises(AssertionError):
        names("latin-square")
