"""What an interval says of a claim, by rules that are written here."""

from hypothesis import given
from hypothesis import strategies as st

from results.records.declared_claim import DeclaredClaim, Prediction
from results.verdicts.claims import decided


def claim(prediction: Prediction) -> DeclaredClaim:
    return DeclaredClaim("c", "s", "it is so", prediction, "it is so")


def test_verdicts_by_where_the_interval_lies() -> None:
    """Margin 0.05: predicted higher, then lower (mirrored), then unchanged."""
    places = {(0.06, 0.2): "supported", (0.02, 0.2): "supported", (-0.2, -0.06): "contradicted"}
    places |= {(-0.04, 0.04): "equivalent", (0.01, 0.04): "equivalent", (-0.1, 0.1): "inconclusive"}
    for (low, high), verdict in places.items():
        assert decided(claim("higher"), low, high, 0.05, at_least=None) == verdict
        assert decided(claim("lower"), -high, -low, 0.05, at_least=None) == verdict
    unchanged = {(-0.04, 0.04): "supported", (0.06, 0.2): "contradicted", (0.02, 0.2): "inconclusive"}
    for (low, high), verdict in unchanged.items():
        assert decided(claim("unchanged"), low, high, 0.05, at_least=None) == verdict


def test_a_claim_that_names_a_size_is_contradicted_by_less() -> None:
    sizes = {(0.6, 0.7): "supported", (0.2, 0.3): "contradicted", (0.4, 0.6): "inconclusive"}
    for (low, high), verdict in sizes.items():
        assert decided(claim("higher"), low, high, 0.5, at_least=0.5) == verdict
    assert decided(claim("higher"), 0.0, 0.0, 0.0, at_least=0.0) == "contradicted", "no difference is none"


@given(
    st.floats(-1, 1), st.floats(0, 1), st.floats(0, 0.5), st.sampled_from(["lower", "higher", "unchanged"])
)
def test_no_claim_is_supported_and_contradicted_by_nested_intervals(
    middle: float, half: float, smallest: float, prediction: Prediction
) -> None:
    """A narrower interval around the same value never turns a verdict into its opposite."""
    seen = {
        decided(claim(prediction), middle - half * share, middle + half * share, smallest, at_least=None)
        for share in (1.0, 0.5, 0.1)
    }
    assert not {"supported", "contradicted"} <= seen
