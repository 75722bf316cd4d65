"""The noise floor: as far as the duplicate's own interval reaches, workload by workload and mode by mode."""

import math
import re
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from results.report import control_words
from results.report.headline import noise_line
from results.report.write import Report
from results.run import Run
from results.tables import format as text
from results.verdicts.noise import noise_floor
from results.verdicts.rows import frame

DESIGN = Path(__file__).parents[3] / "docs" / "design.md"


def floor(low: float, high: float, kind: str = "ratio", **told: Any) -> dict[Any, Any]:
    row = {"factor": "(control)", "effect_kind": kind, "n": 8, "sd": 0.1, "verdict": "inconclusive"}
    ends = {"ci_low_unadjusted": low, "ci_high_unadjusted": high}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (found,) = noise_floor(frame([row | ends | told])).to_dict("records")
    return found


@pytest.mark.parametrize(
    ("low", "high", "kind", "reach"),
    [
        (0.99, 1.004, "ratio", 1 / 0.99 - 1),
        (0.999, 1.012, "ratio", 0.012),
        (1.001, 1.011, "ratio", 0.011),
        (-0.02, 0.01, "difference", 0.02),
        (0.001, 0.03, "difference", 0.03),
    ],
)
def test_it_is_the_larger_end(low: float, high: float, kind: str, reach: float) -> None:
    assert floor(low, high, kind)["noise_floor"] == pytest.approx(reach)
    assert control_words.noise_floor(floor(low, high, kind)).startswith("±")


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.2), (-0.5, 1.2), (5e-324, 1.2), (0.9, math.inf)])
def test_what_knows_no_bound_is_no_number_and_no_warning_and_says_so(low: float, high: float) -> None:
    found = floor(low, high)
    assert math.isnan(found["noise_floor"])
    assert control_words.noise_floor(found) == "without bound"


def test_each_mode_is_told_its_own_and_none_stands_for_both(run: Run) -> None:
    noise = run.analysis.noise_floor.query("metric == 'step_seconds'").set_index("mode")["noise_floor"]
    assert noise["train"] != noise["inference"]
    said = noise_line(run.analysis, "laptop-1")
    for mode in ("train", "inference"):
        shown = text.either_way(noise[mode], "ratio", "seconds")
        assert f"step time, {mode} [throughput-64] {shown}" in said
        rows = run.effects(control=True).query(f"metric == 'step_seconds' and mode == '{mode}'")
        assert set(rows["noise_floor"]) == {noise[mode]}


def test_whether_it_leaves_out_no_difference_is_the_gates_finding() -> None:
    row = {"factor": "(control)", "effect_kind": "ratio", "n": 8, "sd": 0.1, "verdict": "inconclusive"}
    ends = {"ci_low_unadjusted": 1.001, "ci_high_unadjusted": 1.011}
    for differs in (False, True):
        found = noise_floor(frame([row | ends | {"control_differs": differs}]))
        assert list(found["control_differs"]) == [differs]


def test_the_table_reads_back_with_its_units_and_every_column_is_documented(run: Run, report: Report) -> None:
    table = pd.read_csv(report.index.parent / "tables" / "noise_floor.csv")
    said = DESIGN.read_text(encoding="utf-8").partition("`report/tables/noise_floor.csv` has a row")[2]
    lines = re.findall(r"^\| (`.*?) \|", said.split("\n\n")[1], flags=re.MULTILINE)
    documented = [name for line in lines for name in re.findall(r"`(\w+)`", line)]
    assert sorted(table.columns) == sorted(documented)
    control = run.effects(control=True).query("factor == '(control)' and n > 1 and sd.notna()")
    assert len(table) == len(control)
    for _, row in table.iterrows():
        (found,) = control[
            (control["workload"] == row["workload"])
            & (control["metric"] == row["metric"])
            & (control["mode"].fillna("") == ("" if pd.isna(row["mode"]) else row["mode"]))
        ].to_dict("records")
        ends = found["ci_low_unadjusted"], found["ci_high_unadjusted"]
        assert (row["ci_low"], row["ci_high"], row["n"]) == pytest.approx((*ends, found["n"]))
        if row["effect_kind"] == "ratio":
            reach = max(abs(math.log(end)) for end in ends)
            assert row["noise_floor"] == pytest.approx(math.exp(reach) - 1)
        else:
            reach = max(map(abs, ends))
            assert row["noise_floor"] == pytest.approx(reach)
        assert row["half_width"] == pytest.approx(reach)
