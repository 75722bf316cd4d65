"""What makes the difference between two steps, to the tensor."""

from dataclasses import replace
from itertools import combinations

import pytest

from runners.memory.difference import difference
from runners.memory.profile import MemoryProfile
from runners.memory.settings import Mode, StepSettings
from runners.memory.simulate import simulate
from tests.runners.memory.cases import VARIANTS, small, variant

BASELINE = "resnet:depth=18,width=8"


def at(specification: str, mode: Mode = "train") -> MemoryProfile:
    return simulate(variant(specification), StepSettings((8, 3, 64, 64), mode=mode), target="cpu")


@pytest.mark.parametrize("mode", ["train", "inference"])
def test_the_tensors_that_differ_sum_to_the_difference_of_the_peaks(mode: Mode) -> None:
    profiles = [at(specification, mode) for specification in VARIANTS[2:6]]
    for before, after in combinations(profiles, 2):
        found = difference(before, after)
        assert sum(tensor.nbytes for tensor in found.tensors) == found.peak_bytes
        assert found.peak_bytes == after.peak_bytes - before.peak_bytes
        assert sum(found.allocations_by_operator.values()) == found.allocations
        opposite = difference(after, before)
        assert opposite.peak_bytes == -found.peak_bytes
        assert {(t.module, t.shape, t.before, t.after) for t in found.tensors} == {
            (t.module, t.shape, t.after, t.before) for t in opposite.tensors
        }


def test_a_step_differs_from_itself_in_nothing() -> None:
    found = difference(at(BASELINE), at(BASELINE))
    assert (found.peak_bytes, found.allocations, found.tensors) == (0, 0, ())
    assert found.reason == "the same tensors are alive at the peak, and as many are made"


def test_relu_out_of_place_makes_more_tensors_and_keeps_no_more_for_the_backward_pass() -> None:
    """ReLU keeps its result, and BatchNorm its images, not its result, which is dropped: 17 more are made."""
    found = difference(at(BASELINE), at(f"{BASELINE},relu=out_of_place"))
    assert found.saved_bytes == 0
    assert found.allocations == 17
    assert found.allocations_by_operator == {"aten.relu.default": 17}
    assert "+17 allocations" in found.reason


def test_a_wider_stem_is_found_in_the_modules_that_it_widens() -> None:
    found = difference(at(BASELINE), at(f"{BASELINE},stem=deep64"))
    assert found.peak_bytes > 0
    assert {"conv2", "bn2", "conv3", "bn3"} <= {t.module for t in found.tensors if t.before == 0}
    assert found.reason.startswith(f"{found.peak_bytes:+,} bytes at the peak (at ")


def test_profiles_of_different_modes_or_targets_are_not_compared() -> None:
    train = at(BASELINE)
    with pytest.raises(
        ValueError, match=r"^mode 'train' and 'inference': profiles to compare must have the same$"
    ):
        difference(train, at(BASELINE, "inference"))
    with pytest.raises(ValueError, match=r"^target 'cpu' and 'cuda': profiles"):
        difference(train, replace(simulate(variant(BASELINE), small()), mode="train"))
