"""The order in which arms take their turns."""

import numpy as np


def orders(generator: np.random.Generator, count: int, rounds: int) -> list[list[int]]:
    """An order of `count` arms for each round, balanced and randomised.

    The rows of a Williams design (E. J. Williams, 1949): over a whole design each arm stands in each place
    equally often and follows each other arm equally often, so that what one arm leaves behind in caches
    and allocators falls on all alike. Rows come in pairs, one the reverse of the other, so that a drift in
    time cancels within two rounds. Which arm has which place, and the order of the pairs, are drawn.
    """
    found: list[list[int]] = []
    while len(found) < rounds:
        pairs, labels = _mirrored_rows(count), generator.permutation(count)
        for position in generator.permutation(len(pairs)):
            pair = [labels[row].tolist() for row in pairs[position]]
            found += pair if generator.random() < 0.5 else pair[::-1]
    return found[:rounds]


def _mirrored_rows(count: int) -> list[tuple[list[int], list[int]]]:
    """Each row of a Williams design beside its reverse, which is a row of it too."""
    first = [(place + 1) // 2 if place % 2 else (count - place // 2) % count for place in range(count)]
    # With an even number of arms the reverse of a row is the row half the number further.
    shifts = range(count // 2 if count % 2 == 0 else count)
    rows = [[(arm + shift) % count for arm in first] for shift in shifts]
    return [(row, row[::-1]) for row in rows] or [([], [])]
