"""Shared spreads, against what R's limma says of the same variances, and by simulation.

limma's figures: `Rscript -e 'library(limma); squeezeVar(c(...), df)'`, limma 3.54.
"""

import math

import numpy as np
import pytest

from results.verdicts import statistics as rules
from results.verdicts.spread import Spread, moderated
from results.verdicts.statistics import ErrorShare

LIMMA = [
    (
        *([0.8, 1.9, 3.2, 0.3, 2.5, 3.6, 1.1, 0.5], [7.0] * 8, 4.999460645),
        [
            *(0.9672994513, 1.6089949598, 2.3673623790, 0.6756196748),
            *(1.9590106917, 2.6007062002, 1.1423073173, 0.7922915854),
        ],
    ),
    ([1.0, 1.1, 0.9, 1.05, 0.95], [8.0] * 5, math.inf, [1.0] * 5),
    (
        *([0.5, 1.5, 2.4, 0.4, 2.2], [7.0, 7.0, 15.0, 9.0, 11.0], 5.64285917),
        [0.7320325926, 1.2857048202, 2.0227326376, 0.6388769343, 1.7998701227],
    ),
]


@pytest.mark.parametrize(("variances", "freedoms", "prior", "expected"), LIMMA)
def test_variances_are_drawn_together_as_limma_does(
    variances: list[float], freedoms: list[float], prior: float, expected: list[float]
) -> None:
    found = moderated([Spread(v, f) for v, f in zip(variances, freedoms, strict=True)])
    assert [one.variance for one in found] == pytest.approx(expected, rel=1e-6)
    assert all(one.shared for one in found)
    most = sum(freedoms) / (1 + (len(variances) - 1) * 0.45)
    for one, own in zip(found, freedoms, strict=True):
        assert one.freedom == pytest.approx(max(own, min(most, own + prior)), abs=0.1), (
            "of what is independent"
        )


def test_two_variances_tell_nothing_of_each_other() -> None:
    own = [Spread(1.0, 5), Spread(2.0, 5)]
    assert moderated(own) == own


def test_what_does_not_vary_stays_as_it_is_and_counts_for_nothing() -> None:
    own = [Spread(0.0, 5), Spread(1.0, 5), Spread(2.0, 5), Spread(1.5, 5)]
    with_it, without = moderated(own), moderated(own[1:])
    assert with_it[0] == own[0]
    assert with_it[1:] == without


def test_one_wild_arm_neither_widens_the_others_nor_is_narrowed_by_them() -> None:
    rng = np.random.default_rng(1)
    widths, covered, others = [], [], []
    for _ in range(1_500):
        calm = rng.standard_normal((12, 7))
        wild = 6 * rng.standard_normal(12)
        spreads = [Spread(float(np.var(c, ddof=1)), 11) for c in (*calm.T, wild)]
        alone, together = moderated(spreads[:-1]), moderated(spreads)
        widths.append(together[0].variance / alone[0].variance)
        own = rules.interval(wild, together[-1])
        covered.append(own.low_alone is not None and own.low_alone <= 0 <= (own.high_alone or 0))
        calm_one = rules.interval(calm[:, 0], together[0])
        others.append(
            calm_one.low_alone is not None and calm_one.low_alone <= 0 <= (calm_one.high_alone or 0)
        )
    assert np.median(widths) == pytest.approx(1.0, abs=0.01)
    assert 0.93 < np.mean(covered) < 0.97
    assert 0.93 < np.mean(others) < 0.97


def test_what_is_shared_is_narrower_where_arms_are_alike() -> None:
    rng = np.random.default_rng(2)
    ratios = []
    for _ in range(300):
        noise = rng.standard_normal((12, 12))
        contrasts = noise[:, 1:] - noise[:, :1]
        own = [rules.own_spread(c) for c in contrasts.T]
        shared = moderated([s for s in own if s is not None])
        one = rules.interval(contrasts[:, 0], own[0], ErrorShare(11))
        other = rules.interval(contrasts[:, 0], shared[0], ErrorShare(11, 0.5))
        assert one.high is not None
        assert other.high is not None
        ratios.append((other.high - other.mean) / (one.high - one.mean))
    assert np.mean(ratios) < 0.88
