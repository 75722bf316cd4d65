"""Steps to the target by the time of a step: joined in one context only, with intervals that hold."""

import numpy as np
import pandas as pd
import pytest

from results.run import Run
from results.verdicts.target_cost import COLUMNS, target_cost

ROW: dict[str, object] = {
    "environment": "e",
    "arm": "stem=deep64",
    "variant": "a:stem=deep64",
    "baseline_variant": "a",
    "input_size": 32,
    "batch_size": 64,
    "precision": "fp32",
    "mode": "train",
    "factor": "stem",
    "margin": 0.1,
    "verdict": "worse",
    "cause": "",
    "source": "measured",
    "workload": "trained",
}
STEPS = {"metric": "steps_to_target", "baseline_value": 500.0, "value": 400.0, "effect": 0.8}
TIME = {"metric": "step_seconds", "baseline_value": 0.02, "value": 0.03, "effect": 1.5, "workload": "timed"}
PEAK = {"metric": "peak_bytes", "baseline_value": 1e9, "value": 2e9, "effect": 2.0, "workload": "memory"}


def row(facts: dict[str, object], half_width: float = 0.0, /, **changes: object) -> dict[str, object]:
    """Of an effect that is known to a factor of exp(±half_width)."""
    reach = float(np.exp(half_width))
    effect = facts["effect"]
    assert isinstance(effect, float)
    return ROW | facts | {"ci_low": effect / reach, "ci_high": effect * reach} | changes


def test_seconds_are_steps_by_the_time_of_one_and_errors_add_in_quadrature() -> None:
    found = target_cost(pd.DataFrame([row(STEPS, 0.3), row(TIME, 0.4), row(PEAK)]))
    (cost,) = found.to_dict("records")
    assert cost["seconds"] == pytest.approx(12)
    assert cost["baseline_seconds"] == pytest.approx(10)
    assert cost["images"] == 400 * 64
    assert cost["effect"] == pytest.approx(1.2)
    # sqrt(0.3² + 0.4²) = 0.5
    assert [cost["ci_low"], cost["ci_high"]] == pytest.approx([1.2 / np.exp(0.5), 1.2 * np.exp(0.5)])
    assert cost["verdict"] == "inconclusive"
    assert (cost["peak_bytes"], cost["peak_source"]) == (2e9, "measured")
    assert tuple(found) == COLUMNS


@pytest.mark.parametrize(
    ("half_width", "steps", "verdict", "beyond"),
    [
        (0.001, 0.8, "worse", True),
        (0.001, 0.7, "equivalent", False),
        (0.06, 0.75, "worse", False),
        (0.01, 0.3, "better", True),
    ],
)
def test_verdicts_go_by_the_margin_of_the_steps(
    half_width: float, steps: float, verdict: str, beyond: bool
) -> None:
    told = STEPS | {"effect": steps}
    (cost,) = target_cost(pd.DataFrame([row(told, half_width), row(TIME, half_width)])).to_dict("records")
    assert (cost["verdict"], cost["beyond_margin"]) == (verdict, beyond)


@pytest.mark.parametrize(
    "other",
    [{"batch_size": 32}, {"input_size": 64}, {"precision": "bf16"}, {"variant": "a"}, {"mode": "inference"}],
    ids=lambda other: next(iter(other)),
)
def test_another_context_is_not_joined(other: dict[str, object]) -> None:
    assert target_cost(pd.DataFrame([row(STEPS), row(TIME, 0.0, **other)])).empty


def test_an_arm_that_did_not_get_there_and_the_duplicate_are_left_out_and_a_fault_is_passed_on() -> None:
    lost = row(STEPS, ci_low=np.nan, ci_high=np.nan)
    assert target_cost(pd.DataFrame([lost, row(TIME)])).empty
    duplicate = {"factor": "(control)"}
    assert target_cost(pd.DataFrame([row(STEPS, 0.0, **duplicate), row(TIME, 0.0, **duplicate)])).empty
    (cost,) = target_cost(pd.DataFrame([row(STEPS), row(TIME, verdict="invalid")])).to_dict("records")
    assert cost["verdict"] == "invalid"


@pytest.mark.parametrize(("cause", "verdict"), [("imprecise", "worse"), ("tied", "inconclusive")])
def test_what_decides_nothing_by_itself_decides_nothing_here(cause: str, verdict: str) -> None:
    open_ = row(STEPS, 0.001, verdict="inconclusive", cause=cause)
    (cost,) = target_cost(pd.DataFrame([open_, row(TIME, 0.001)])).to_dict("records")
    assert cost["verdict"] == verdict


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    rows, held, runs = 1.96, 0, 1000
    for steps, time in generator.normal(0, (0.1, 0.03), (runs, 2)):
        told = [
            row(STEPS | {"effect": float(0.8 * np.exp(steps))}, rows * 0.1),
            row(TIME | {"effect": float(1.5 * np.exp(time))}, rows * 0.03),
        ]
        (cost,) = target_cost(pd.DataFrame(told)).to_dict("records")
        held += cost["ci_low"] <= 1.2 <= cost["ci_high"]
    assert 0.93 <= held / runs <= 0.97


def test_a_run_whose_contexts_differ_has_none_and_one_whose_contexts_agree_has_each_arm(run: Run) -> None:
    effects = run.analysis.effects
    assert target_cost(effects).empty
    assert run.analysis.target_cost.empty
    together = target_cost(effects.assign(input_size=32, batch_size=32))
    planted = effects[(effects["metric"] == "steps_to_target") & effects["ci_low"].notna()]
    assert set(together["arm"]) == set(planted["arm"]) - {"(control)"}
    assert len(together) > 0
