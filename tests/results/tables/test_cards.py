"""Cards stand in the order of what they hold."""

from results.tables.cards import capacity


def test_cards_sort_by_their_bytes_whatever_the_case_and_the_unit() -> None:
    cards = ["80GiB", "24gib", "8 GB", "8GiB", "1.5TiB", "16384MiB", "some card", "24GB"]
    in_order = ["8 GB", "8GiB", "16384MiB", "24GB", "24gib", "80GiB", "1.5TiB", "some card"]
    assert sorted(cards, key=capacity) == in_order
