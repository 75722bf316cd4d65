"""The schedule of the throughput probe."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from runners.probes.throughput import _orders


@given(count=st.integers(0, 12), rounds=st.integers(0, 30), seed=st.integers(0, 2**32))
def test_every_round_has_every_arm_once_and_pairs_of_rounds_cancel_a_drift(
    count: int, rounds: int, seed: int
) -> None:
    orders = _orders(np.random.default_rng(seed), count, rounds)
    assert len(orders) == rounds
    for order in orders:
        assert sorted(order) == list(range(count))
    for first, second in zip(orders[::2], orders[1::2], strict=False):
        # Whatever grows by a constant from block to block adds the same to every arm over the two rounds.
        positions = [first.index(arm) + second.index(arm) for arm in range(count)]
        assert positions == [count - 1] * count


def test_orders_are_drawn_anew_and_by_the_seed() -> None:
    one = _orders(np.random.default_rng(1), 4, 200)
    assert one == _orders(np.random.default_rng(1), 4, 200)
    assert one != _orders(np.random.default_rng(2), 4, 200)
    first_places = Counter(order[0] for order in one)
    # Binomial(200, 1/4): 50 expected, deviation 6.1.
    assert all(abs(first_places[arm] - 50) < 5 * 6.2 for arm in range(4))
