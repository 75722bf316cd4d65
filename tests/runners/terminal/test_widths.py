"""Widths of columns: they fit, none has more than it needs, and short ones stay whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.terminal.widths import widths


@given(natural=st.lists(st.integers(0, 300), min_size=1, max_size=12), available=st.integers(0, 200))
def test_columns_fit_and_take_no_more_than_they_need(natural: list[int], available: int) -> None:
    found = widths(natural, available)
    if found is None:
        assert sum(natural) > available
        return
    assert sum(found) <= available
    assert all(
        width == need if need <= 16 else 14 <= width <= need
        for width, need in zip(found, natural, strict=True)
    )


@pytest.mark.parametrize(
    ("natural", "available", "found"),
    [
        ([5, 100], 105, [5, 100]),
        ([5, 100], 104, [5, 99]),
        ([24, 50, 200], 124, [24, 50, 50]),
        ([24, 50, 50], 60, [24, 18, 18]),
        ([24, 50, 50], 45, [15, 15, 15]),
        ([24, 50, 50], 41, None),
        ([9, 9, 9], 26, None),
    ],
)
def test_long_columns_share_what_short_ones_leave(
    natural: list[int], available: int, found: list[int] | None
) -> None:
    assert widths(natural, available) == found
