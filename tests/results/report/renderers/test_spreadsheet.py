"""The headline table as CSV."""

import csv
import io
import re
from pathlib import Path

import pandas as pd
import pytest

import results
from results.report.headline import headline
from results.report.renderers.spreadsheet import headline_csv
from results.run import Run
from tests.results.planted import HUGE, STEM, Plan, write_run


def test_a_row_for_each_change_and_metric_with_the_numbers_of_the_effects(run: Run) -> None:
    table = pd.read_csv(io.StringIO(headline_csv(headline(run.analysis, "laptop-1").shown)))
    effects = run.effects().query("headline and factor != '(control)'")
    keys = ["workload", "metric", "mode", "source", "arm"]
    assert not table.duplicated(["workload", "metric", "mode", "arm"]).any()
    both = table.merge(effects, on=keys, suffixes=("", "_there"))
    assert len(both) == len(table)
    for name in ("value", "effect", "ci_low", "ci_high", "margin", "baseline_value"):
        pd.testing.assert_series_equal(both[name], both[f"{name}_there"], check_names=False)
    assert set(table.query("exact")["metric"]) == {"macs", "peak_bytes"}
    stem = table.query(f"arm == '{STEM}' and metric == 'peak_bytes' and mode == 'train'")
    assert stem["effect"].item() == pytest.approx(1.31)
    assert stem["context"].item() == "resnet, 224 px, batch 256, fp32, simulated cuda"
    assert "needs 96 GiB" in " ".join(table.query(f"arm == '{HUGE}'")["note"])


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    plan = Plan(rename={STEM: "=1+1"}, reason="@SUM(1,1)", seeds=2, processes=2)
    run = results.load(write_run(tmp_path / "run", plan))
    source = headline_csv(headline(run.analysis, "laptop-1").shown)
    assert "'=1+1" in source
    for row in csv.reader(source.splitlines()):
        for cell in row:
            assert cell.lstrip()[:1] not in {*"=+-@"} or re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?", cell), cell


def test_nothing_has_heads_all_the_same() -> None:
    assert headline_csv([]).startswith("environment,arm,factor,level,")
