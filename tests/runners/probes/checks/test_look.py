"""Checks as a probe runs them."""

from ablations.claims import Check, Finding
from runners.probes.checks import look


def test_a_check_that_fails_takes_no_other_with_it() -> None:
    def fails() -> Finding:
        raise RuntimeError("planted")

    assert look._seen(Check("a", "b", "c", fails)) == {
        "holds": None,
        "measured": "the check failed: RuntimeError: planted",
    }
