"""Sources of claims: names, levels and figures that there are, and checks that see what is documented."""

import pytest

import ablations
from ablations import operator_checks
from ablations.claims import Check, Claim
from runners import claims, probes

SOURCES = claims.sources()
CLAIMS = [(source.name, claim) for source in SOURCES.values() for claim in source.claims]
CHECKS = [check for source in SOURCES.values() for check in source.checks]
WALKTHROUGH = SOURCES["walkthrough"]


@pytest.mark.parametrize(("source", "claim"), CLAIMS, ids=[claim.name for _, claim in CLAIMS])
def test_every_claim_names_a_metric_a_factor_and_levels_that_there_are(source: str, claim: Claim) -> None:
    known = {metric.name for metric in probes.get(claim.kind).metrics}
    assert claim.metric in known
    factor = ablations.get(claim.architecture or "resnet").factor(claim.change[0])
    factor.parse(claim.change[1])
    factor.parse(claim.instead_of)
    assert claim.change[1] != claim.instead_of
    if source != "walkthrough":
        assert claim.original is not None, "a published figure has its context"
        assert claim.original.figures


def test_names_are_unique_and_plain() -> None:
    names = [c.name for _, c in CLAIMS] + [c.name for c in CHECKS]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalnum() for name in names)


def test_the_eleven_statements_of_the_walk_through_are_there() -> None:
    said = " ".join([*(c.statement for c in WALKTHROUGH.claims), *(c.statement for c in WALKTHROUGH.checks)])
    for words in (
        *("mean 0 and variance 1", "vanishing gradients", "does not change results", "overwrites its input"),
        *("saves GPU memory", "repeated allocation", "defaults to the kernel size", "stride pair"),
        *("filled with zeros", "Dilation defaults to 1", "is the network"),
    ):
        assert words in said


# What PyTorch's documentation and a look at its source say of each; written before the checks were run.
HOLDS = {
    "batchnorm-normalises-a-batch": True,
    "batchnorm-normalises-once-trained": False,
    "batchnorm-normalises-in-evaluation": False,
    "inplace-same-gradients": True,
    "inplace-overwrites": True,
    "pool-stride-default": True,
    "pool-stride-pair": True,
    "pool-padding-zeros": False,  # documented: "implicit negative infinity padding"
    "average-padding-zeros": True,  # documented: "implicit zero padding"
    "pool-padding-pair": True,
    "pool-dilation-default": True,
}


@pytest.mark.parametrize("check", [c for c in CHECKS if c.name in HOLDS], ids=lambda check: check.name)
def test_a_check_sees_what_is_documented_and_the_same_every_time(check: Check) -> None:
    first = check.look()
    assert first.holds is HOLDS[check.name]
    assert first.measured
    assert len(first.measured) < 200
    assert check.look() == first


@pytest.mark.parametrize(
    ("name", "holds"),
    [("batchnorm-keeps-gradients", True), ("batchnorm-keeps-gradients-from-kaiming", False)],
)
def test_gradients_of_deep_plain_networks_vanish_by_initialisation(name: str, holds: bool) -> None:
    """PyTorch's own halves a signal in each layer or more; Kaiming's keeps it (He et al. 2015)."""
    check = next(check for check in CHECKS if check.name == name)
    assert check.look().holds is holds


@pytest.mark.parametrize(
    ("with_", "without", "holds"), [(0.1, 0.3, True), (0.3, 0.1, False), (0.2, 0.2, None)]
)
def test_ranges_that_overlap_decide_nothing(
    monkeypatch: pytest.MonkeyPatch, with_: float, without: float, holds: bool | None
) -> None:
    def shift(norm: bool, seed: int, *, ahead: bool) -> float:
        return (with_ if norm else without) + 0.01 * seed

    monkeypatch.setattr(operator_checks, "_shift", shift)
    assert operator_checks.distributions_stop_shifting().holds is holds
    assert operator_checks.distributions_ahead_stop_shifting().holds is holds


def test_what_batchnorm_is_given_moves_more_than_what_it_puts_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operator_checks, "_STEPS", 4)
    before, behind = (operator_checks._shift(True, 0, ahead=ahead) for ahead in (True, False))
    assert before > 10 * behind, "its own output has a mean of zero by construction"
