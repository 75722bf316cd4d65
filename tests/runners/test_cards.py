"""Sizes of cards: one spelling each, in order of size."""

import pytest

from runners.cards import card_name, cards_by_size


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("24GiB", "24GiB"),
        ("24gib", "24GiB"),
        (" 24.0 GIB ", "24GiB"),
        ("024GiB", "24GiB"),
        ("1.50 gb", "1.5GB"),
        ("100kb", "100kB"),
        ("100KiB", "100KiB"),
    ],
)
def test_a_card_has_one_spelling(text: str, name: str) -> None:
    assert card_name(text) == name
    assert card_name(name) == name


def test_sizes_are_binary_or_decimal_as_written_and_come_in_order() -> None:
    assert list(cards_by_size(["0.5GiB", "2 kB", "1KiB", "1kib"]).items()) == [
        ("1KiB", 1024),
        ("2kB", 2000),
        ("0.5GiB", 2**29),
    ]


@pytest.mark.parametrize("text", ["", "many", "3XB", "0GiB", "-1GiB", "1e3GiB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|no unit"):
        cards_by_size(["8GiB", text])
