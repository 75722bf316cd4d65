"""Sources of claims: names, levels and figures that there are, and checks that see what is documented."""

import pytest

import ablations
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
