"""The largest batch: what fits, fits, and one more does not."""

import pytest

from runners.memory.cuda_allocator import MIB, OutOfMemoryError, replay
from runners.memory.fit import Fit, _search, largest_batch
from runners.memory.settings import StepSettings, Target
from runners.memory.simulate import simulate
from tests.runners.memory.cases import VARIANTS, one_convolution, variant


def settings(batch: int) -> StepSettings:
    return StepSettings((batch, 3, 48, 48))


@pytest.mark.parametrize(
    ("specification", "capacity"),
    [
        (VARIANTS[0], 50 * MIB),
        pytest.param(VARIANTS[1], 20 * MIB, marks=pytest.mark.slow),
        pytest.param(VARIANTS[5], 333 * MIB, marks=pytest.mark.slow),
    ],
)
def test_on_cuda_the_modelled_allocator_has_room_for_it_and_not_for_one_more(
    specification: str, capacity: int
) -> None:
    fit = largest_batch(variant(specification), settings(8), capacity)
    assert fit.batch_size is not None
    assert fit.needed_bytes is not None
    usable = int(0.9 * capacity)
    assert fit.needed_bytes <= usable
    replay(simulate(variant(specification), settings(fit.batch_size)), usable)
    with pytest.raises(OutOfMemoryError):
        replay(simulate(variant(specification), settings(fit.batch_size + 1)), usable)


def test_on_the_cpu_it_is_what_division_gives() -> None:
    """One convolution at inference: weights, and for each image three channels in and eight out."""
    shape, image, weights = (1, 3, 16, 16), (3 + 8) * 16 * 16 * 4, 8 * 3 * 3 * 3 * 4
    step = StepSettings(shape, mode="inference")
    for batch in (1, 2, 1000):
        for spare, expected in ((0, batch), (image - 1, batch), (image, batch + 1), (-1, batch - 1 or None)):
            capacity = weights + batch * image + spare
            fit = largest_batch(one_convolution, step, capacity, target="cpu", safety_margin=0.0)
            assert fit.batch_size == expected


def test_where_no_image_fits_there_is_no_batch() -> None:
    fit = largest_batch(variant(VARIANTS[0]), settings(2), MIB)
    assert fit == Fit(MIB, 0.1, None, None)


@pytest.mark.parametrize("answer", [1, 2, 5, 63, 64, 1000])
@pytest.mark.parametrize("guess", [1, 2, 70, 5000])
def test_the_search_finds_it_from_any_guess(guess: int, answer: int) -> None:
    asked: list[int] = []

    def fits(batch: int) -> bool:
        asked.append(batch)
        assert batch >= 1
        return batch <= answer

    assert _search(fits, guess) == answer
    assert len(asked) <= 30


@pytest.mark.parametrize(("margin", "capacity"), [(1.0, MIB), (-0.1, MIB), (0.1, 0)])
def test_margins_and_capacities_that_make_no_sense_are_refused(margin: float, capacity: int) -> None:
    with pytest.raises(ValueError, match=r"^(safety margin|capacity of) .*: expected [^\n]+$"):
        largest_batch(variant(VARIANTS[0]), settings(2), capacity, safety_margin=margin)


@pytest.mark.parametrize("target", ["cuda", "cpu"])
def test_labels_grow_with_the_batch(target: Target) -> None:
    step = StepSettings((1, 3, 16, 16), target_shape=(1, 16, 16))
    fit = largest_batch(one_convolution, step, 100 * MIB, target=target)
    assert fit.batch_size is not None
    assert fit.batch_size > 1
