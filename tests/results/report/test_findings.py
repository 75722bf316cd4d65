"""A metric's finding in a sentence: what raises it, what lowers it, and how many do neither."""

import pandas as pd
import pytest

from results.report.findings import clauses, findings, listed
from results.run import Run


def rows(*told: tuple[str, float, str]) -> pd.DataFrame:
    common = {"effect_kind": "ratio", "unit": "seconds", "margin": 0.05}
    return pd.DataFrame([{"arm": a, "effect": e, "verdict": v, **common} for a, e, v in told])


def test_the_farthest_are_named_first_and_the_others_counted() -> None:
    found = rows(
        *(("a", 1.1, "worse"), ("b", 2.0, "worse"), ("c", 1.5, "worse"), ("d", 1.2, "worse")),
        *(("e", 0.8, "better"), ("f", 1.01, "equivalent"), ("g", 1.02, "equivalent")),
        *(("h", 1.1, "inconclusive"), ("i", float("nan"), "inconclusive"), ("j", 3.0, "invalid")),
    )
    assert clauses(found) == [
        "higher with b (+100 %), c (+50 %), d (+20 %) and 1 more",
        "lower with e (−20 %)",
        "no difference that counts (±5.0 %) with 2 changes",
        "not decided for 1 change",
        "not to be trusted for 1 change",
        "no number for 1 change",
    ]
    assert clauses(found, ("later", "earlier"))[:2] == [
        "later with b (+100 %), c (+50 %), d (+20 %) and 1 more",
        "earlier with e (−20 %)",
    ]


def test_a_difference_is_beyond_none_and_not_beyond_one() -> None:
    accuracy = rows(("a", 0.02, "better"), ("b", -0.03, "worse")).assign(
        effect_kind="difference", unit="fraction", margin=0.01
    )
    assert clauses(accuracy) == ["higher with a (+2.0 points)", "lower with b (−3.0 points)"]


@pytest.mark.parametrize(
    ("names", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_names_are_listed(names: list[str], said: str) -> None:
    assert listed(names) == said


def test_each_workload_has_one_sentence_with_its_context(run: Run) -> None:
    effects = run.analysis.effects
    memory, time = (findings(run.analysis, effects[effects["kind"] == k]) for k in ("memory", "throughput"))
    (told,) = memory
    assert told.lead == "Peak memory, train:"
    # As planted: 31 % and 15 % more, 28 % less, and the others the same; the width fits nowhere.
    assert told.text == (
        "6.00 GiB in the baseline; higher with stem=deep64 (+31 %), relu=out_of_place (+15 %) and "
        "norm=none,stem=deep64 (+2.0 %); lower with norm=none (−28 %); no difference that counts (±1.0 %) "
        "with 1 change; no number for 1 change [resnet, 224 px, batch 256, fp32, simulated cuda]."
    )
    assert [sentence.lead for sentence in time] == ["Step time, train:"]
