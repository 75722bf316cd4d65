"""The order of turns: balanced in place and in succession, blind to a drift, drawn from the seed."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.probes.throughput.schedule import orders


@given(count=st.integers(0, 12), rounds=st.integers(0, 40), seed=st.integers(0, 2**32))
def test_every_round_has_every_arm_once_and_pairs_of_rounds_cancel_a_drift(
    count: int, rounds: int, seed: int
) -> None:
    found = orders(np.random.default_rng(seed), count, rounds)
    assert len(found) == rounds
    for order in found:
        assert sorted(order) == list(range(count))
    for first, second in zip(found[::2], found[1::2], strict=False):
        # Whatever grows by a constant from turn to turn adds the same to every arm over the two rounds.
        positions = [first.index(arm) + second.index(arm) for arm in range(count)]
        assert positions == [count - 1] * count


@pytest.mark.parametrize("count", range(2, 10))
def test_a_whole_design_is_balanced_in_place_and_in_succession(count: int) -> None:
    # Williams (1949): n rounds for an even number of arms, 2 n for an odd one.
    rounds = count if count % 2 == 0 else 2 * count
    found = orders(np.random.default_rng(count), count, rounds)
    places = Counter((place, arm) for order in found for place, arm in enumerate(order))
    assert set(places.values()) == {rounds // count}
    assert len(places) == count * count
    follows = Counter(pair for order in found for pair in pairwise(order))
    assert set(follows.values()) == {rounds // count}
    assert len(follows) == count * (count - 1)


def test_orders_are_drawn_anew_and_by_the_seed() -> None:
    one = orders(np.random.default_rng(1), 4, 200)
    assert one == orders(np.random.default_rng(1), 4, 200)
    assert one != orders(np.random.default_rng(2), 4, 200)
    first_places = Counter(order[0] for order in one)
    # Balanced over each 4 rounds, so exactly 50 each; the order of the arms is not the same each time.
    assert all(first_places[arm] == 50 for arm in range(4))
    assert len({tuple(order) for order in one}) > 12
