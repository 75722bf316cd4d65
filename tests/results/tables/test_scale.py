"""Where effects stand on the scale of their column."""

import math
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.tables.scale import Scale


def rows(effects: list[float], kind: str = "ratio", margin: float = 0.05, half: float = 0.01) -> pd.DataFrame:
    spread = [(e / (1 + half), e * (1 + half)) if kind == "ratio" else (e - half, e + half) for e in effects]
    unit = "seconds" if kind == "ratio" else "fraction"
    ends = {"ci_low": [low for low, _ in spread], "ci_high": [high for _, high in spread]}
    return pd.DataFrame({"effect": effects, **ends, "effect_kind": kind, "unit": unit, "margin": margin})


def test_a_ratio_and_its_inverse_stand_equally_far_from_no_change() -> None:
    scale = Scale.of(rows([0.5, 1.0, 2.0]))
    low, high = scale.place(0.5), scale.place(2.0)
    assert low is not None
    assert high is not None
    assert scale.none - low == pytest.approx(high - scale.none)
    assert low < scale.band[0] < scale.none < scale.band[1] < high
    quarter = scale.place(math.sqrt(2))
    assert quarter == pytest.approx((scale.none + high) / 2), "logarithmic"


def test_a_difference_is_placed_linearly_and_no_number_nowhere() -> None:
    scale = Scale.of(rows([-0.02, 0.0, 0.04], "difference", 0.01))
    places = [scale.place(number) for number in (-0.02, 0.01, 0.04)]
    assert places[1] == pytest.approx((places[0] or 0) / 2 + (places[2] or 0) / 2)
    assert scale.place(None) is None
    assert scale.place(math.nan) is None
    assert Scale.of(rows([0.5])).place(0.0) is None, "no logarithm"


def test_one_catastrophe_stands_at_the_edge_and_the_others_keep_their_room() -> None:
    few = [-0.01, 0.01, 0.02, -0.02, 0.015, 0.005, -0.015]
    calm, wild = (Scale.of(rows(found, "difference", 0.01)) for found in (few, [*few, -0.9]))
    assert (wild.outside(-0.9), wild.outside(0.02), wild.outside(0.9)) == (-1, 0, 1)
    assert wild.place(-0.9) == 0
    assert wild.high - wild.low < 3 * (calm.high - calm.low)


def test_a_wide_interval_does_not_squeeze_the_effects() -> None:
    wide = rows([-0.01, 0.02, 0.03], "difference", 0.01, half=5.0)
    scale = Scale.of(wide)
    assert scale.high - scale.low < 0.1
    assert scale.place(5.0) == 1


def test_ticks_are_round_and_say_no_change_as_nothing() -> None:
    ticks = Scale.of(rows([0.8, 1.0, 2.1])).ticks()
    assert [label for _, label in ticks] == ["−20 %", "0", "+20 %", "+50 %", "+100 %"]
    labels = [label for _, label in Scale.of(rows([-0.08, 0.004], "difference", 0.01)).ticks()]
    assert "0" in labels
    assert labels[0].startswith("−")
    assert all(label == "0" or label.endswith("points") for label in labels)


@given(
    st.lists(st.floats(0.01, 100.0), min_size=1, max_size=12),
    st.floats(0.001, 0.2),
    st.sampled_from(["ratio", "difference"]),
)
def test_whatever_the_effects_places_are_shares_in_order_and_ticks_apart(
    effects: list[float], margin: float, kind: str
) -> None:
    scale = Scale.of(rows(effects, kind, margin))
    places = [place for effect in sorted(effects) if (place := scale.place(effect)) is not None]
    assert places == sorted(places)
    assert all(0 <= place <= 1 for place in (*places, *scale.band, scale.none))
    ticks = scale.ticks()
    assert "0" in [label for _, label in ticks]
    assert all(after - before > 0.1 for (before, _), (after, _) in pairwise(ticks))
