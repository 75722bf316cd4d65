"""What an interval says of a claim, by rules that are written here, and what planted runs come to."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import results
from results.records.declared_claim import DeclaredClaim, Prediction
from results.records.resolved_study import read_study, write_study
from results.run import Run
from results.verdicts.claims import decided
from tests.results.planted import ACCURACY, NORM, RELU, STEM, TIME, Plan, write_run


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


def tied(name: str, prediction: Prediction, arm: str, **given: Any) -> DeclaredClaim:
    fields: dict[str, Any] = {"workload": "throughput-64", "metric": "step_seconds", "mode": "train"}
    return DeclaredClaim(name, "s", "it is so", prediction, "it is so", arm=arm, **fields | given)


TRAINED = {"workload": "digits-32", "metric": "test_accuracy", "mode": None}
CLAIMS = (
    tied("slower", "higher", STEM),
    tied("faster-without", "lower", STEM, turned=True),
    tied("much-slower", "higher", STEM, smallest=0.5),
    tied("hardly", "higher", STEM, smallest=0.26),
    tied("gains", "higher", STEM, **TRAINED),
    tied("loses-without", "lower", STEM, turned=True, **TRAINED),
    tied("bits", "the same bits", RELU, **TRAINED),
    tied("other-bits", "the same bits", NORM, **TRAINED),
    tied("same-time", "unchanged", RELU),
)


def claiming(path: Path, plan: Plan) -> Run:
    write_study(write_run(path, plan), replace(read_study(path), claims=CLAIMS))
    return results.load(path)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return claiming(tmp_path_factory.mktemp("claims") / "run", Plan()).claims().set_index("claim")


def test_claims_of_a_planted_run_come_out_as_planted(found: pd.DataFrame) -> None:
    """The stem is 1.25 times slower and gains 3 points; of ReLUs no bit differs."""
    assert found["verdict"].to_dict() == {
        "slower": "supported",
        "faster-without": "supported",
        "much-slower": "contradicted",
        "hardly": "inconclusive",
        "gains": "supported",
        "loses-without": "supported",
        "bits": "supported",
        "other-bits": "inconclusive",
        "same-time": "supported",
    }


def test_what_is_taken_back_is_told_the_way_the_claim_has_it(found: pd.DataFrame) -> None:
    rows: dict[str, dict[str, Any]] = found.to_dict("index")  # type: ignore[assignment]
    one, other = rows["slower"], rows["faster-without"]
    assert math.log(one["effect"]) == pytest.approx(math.log(TIME[STEM][0]), abs=0.02)
    assert other["effect"] == pytest.approx(1 / one["effect"])
    assert [other["ci_low"], other["ci_high"]] == pytest.approx([1 / one["ci_high"], 1 / one["ci_low"]])
    one, other = rows["gains"], rows["loses-without"]
    assert one["effect"] == pytest.approx(ACCURACY[STEM][0], abs=0.01)
    assert other["effect"] == pytest.approx(-one["effect"])
    assert [other["ci_low"], other["ci_high"]] == pytest.approx([-one["ci_high"], -one["ci_low"]])


def test_reasons_hold_for_the_claims_own_threshold(found: pd.DataFrame) -> None:
    reasons = found["reason"].to_dict()
    assert reasons["hardly"].startswith("the interval reaches to both sides of what the claim says [")
    assert found["measured"].to_dict()["bits"] == "the same in 8 seeds, bit for bit"


def test_one_seed_proves_no_bits_and_a_slip_contradicts_them(tmp_path: Path) -> None:
    for name, plan, verdict in (
        ("one", Plan(seeds=1), "inconclusive"),
        ("slip", Plan(relu_slip=1e-16), "contradicted"),
    ):
        rows = claiming(tmp_path / name, plan).claims()
        assert dict(zip(rows["claim"], rows["verdict"], strict=True))["bits"] == verdict
