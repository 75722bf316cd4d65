"""Benchmarks: read as pytest-benchmark writes them, compared file by file, judged from six files on."""

import json
import math
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import results
from results.frames.benchmarks import benchmarks as frame
from results.frames.benchmarks import contexts, newest, versions
from results.records.benchmarks import store
from results.records.files import RecordError
from results.records.pytest_benchmark import read as parse
from results.verdicts.building_block_changes import changes
from results.verdicts.building_blocks import levels
from tests.results import planted_benchmarks as planted
from tests.results.planted_benchmarks import FIRST, LATER, content, level, run_benchmarks, write

# Seconds of a baseline and of a level 30 % slower, as six processes saw them.
BASE = np.array([1.00, 1.04, 0.97, 1.10, 0.99, 1.02]) * 1e-3
SLOW = 1.3 * BASE * np.array([1.01, 0.99, 1.005, 0.995, 1.0, 1.002])
SAME = BASE * np.array([1.002, 0.998, 1.001, 0.999, 1.0, 1.0005])

TINY = """
import pytest

@pytest.mark.parametrize("n", [10, 2000])
def test_sum(benchmark, n):
    benchmark.group = "sums"
    benchmark.extra_info.update(block="sum", level=f"{n} terms", baseline=n == 10, mode="forward")
    benchmark.extra_info["batch_size"] = n
    benchmark.pedantic(sum, args=(range(n),), rounds=7, iterations=3)

def test_foreign(benchmark):
    benchmark(sum, range(10))
"""


def table(*contents: object, directory: Path) -> pd.DataFrame:
    paths = [write(directory / f"{index}.json", given) for index, given in enumerate(contents)]
    return frame(map(parse, paths))


def six(directory: Path, count: int = 6) -> pd.DataFrame:
    return table(
        *(
            content(level("batch", b, baseline=True), level("group", s), level("frozen", e))
            for b, s, e in zip(BASE[:count], SLOW[:count], SAME[:count], strict=True)
        ),
        directory=directory,
    )


def row(found: pd.DataFrame, name: str) -> dict[Hashable, Any]:
    (only,) = found[found["level"] == name].to_dict("records")
    return only


def test_what_pytest_benchmark_writes_today_is_read(tmp_path: Path) -> None:
    (tmp_path / "test_tiny.py").write_text(TINY)
    done = run_benchmarks(tmp_path / "tiny.json", "--benchmark-max-time=0.01", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    found = frame([parse(tmp_path / "tiny.json")])
    raw = json.loads((tmp_path / "tiny.json").read_text())
    written = {entry["name"]: entry["stats"] for entry in raw["benchmarks"]}
    assert found["level"].tolist() == ["10 terms", "2000 terms", "test_foreign"]
    assert found["block"].tolist() == ["sum", "sum", ""]
    assert found["is_baseline"].tolist() == [True, False, False]
    assert found["rounds"].tolist()[:2] == [7, 7]
    assert found["iterations"].tolist()[:2] == [3, 3]
    assert found["batch_size"].tolist()[:2] == [10, 2000]
    assert found["image_size"].isna().all()
    for name, shown in (("test_sum[10]", "10 terms"), ("test_foreign", "test_foreign")):
        # From the raw times of the rounds, not from what the file sums up.
        assert row(found, shown)["median_seconds"] == pytest.approx(np.median(written[name]["data"]))
        assert row(found, shown)["min_seconds"] == min(written[name]["data"])
    assert found["commit"].tolist() == [""] * 3
    assert set(found["machine"]) == {raw["machine_info"]["machine"]}
    assert found["cpu"].iloc[0]


def test_six_files_decide_what_was_planted(tmp_path: Path) -> None:
    found = levels(six(tmp_path))
    slow = row(found, "group")
    test = stats.ttest_1samp(np.log(SLOW / BASE), 0)
    interval = test.confidence_interval(1 - 0.05 / 2)  # two levels beside the baseline
    assert slow["verdict"] == "worse"
    assert slow["n"] == 6
    assert slow["effect"] == pytest.approx(stats.gmean(SLOW) / stats.gmean(BASE))
    assert slow["ci_low"] == pytest.approx(math.exp(interval.low))
    assert slow["ci_high"] == pytest.approx(math.exp(interval.high))
    assert slow["p_adjusted"] == pytest.approx(2 * test.pvalue)
    assert slow["value"] == pytest.approx(stats.gmean(SLOW))
    assert row(found, "frozen")["verdict"] == "equivalent"
    assert row(found, "batch")["verdict"] == ""
    assert row(found, "batch")["value"] == pytest.approx(stats.gmean(BASE))


def test_five_files_decide_nothing_and_say_how_many_are_missing(tmp_path: Path) -> None:
    slow = row(levels(six(tmp_path, 5)), "group")
    assert slow["verdict"] == "inconclusive"
    assert (slow["cause"], slow["n_needed"]) == ("too_few", 6)


def test_levels_are_paired_within_a_file(tmp_path: Path) -> None:
    # Processes differ tenfold, the level by a tenth: only pairs can tell.
    speeds = np.array([1, 2, 4, 6, 8, 10]) * 1e-3
    off = 1.1 * speeds * np.array([1.001, 0.999, 1.002, 0.998, 1, 1])
    found = levels(
        table(
            *(
                content(level("batch", b, baseline=True), level("group", s))
                for b, s in zip(speeds, off, strict=True)
            ),
            directory=tmp_path,
        )
    )
    assert row(found, "group")["verdict"] == "worse"


def test_a_file_without_the_baseline_is_no_pair(tmp_path: Path) -> None:
    files = [content(level("batch", 1.0, baseline=True), level("group", 1.3)), content(level("group", 9.0))]
    slow = row(levels(table(*files, directory=tmp_path)), "group")
    assert (slow["n"], slow["effect"]) == (1, pytest.approx(1.3))


def test_rounds_are_no_replicates(tmp_path: Path) -> None:
    one = content(level("batch", 1.0, baseline=True), level("group", 1.3))
    assert row(levels(table(one, directory=tmp_path)), "group")["verdict"] == "inconclusive"


def test_machines_and_versions_of_the_code_are_never_pooled(tmp_path: Path) -> None:
    def file(median: float, **given: str | bool) -> object:
        return content(level("batch", median, baseline=True), level("group", 1.3 * median), **given)  # type: ignore[arg-type]

    contents = [
        file(1.0, commit=LATER),
        file(1.1),
        file(1.2, dirty=True),
        file(1.3, cpu="Another CPU"),
        file(1.4, commit="unversioned"),
    ]
    benchmarks = table(*contents, directory=tmp_path)
    found = levels(benchmarks)
    assert found["n"].tolist() == [1] * 10
    assert versions(benchmarks) == ["a" * 10, "a" * 10 + " with changes", "b" * 10, "no commit"]
    assert set(newest(found)["version"]) == {"no commit", "a" * 10}


def test_a_group_with_no_or_two_baselines_is_not_compared(tmp_path: Path) -> None:
    none = [planted.benchmark(name, 1.0, group="theirs") for name in "xy"]
    two = [level(name, 1.0, baseline=True, group="ours") for name in "xy"]
    found = levels(table(content(*none, *two), directory=tmp_path))
    assert found.groupby("group")["baselines"].unique().map(list).to_dict() == {"theirs": [0], "ours": [2]}
    assert found["effect"].isna().all()
    assert set(found["verdict"]) == {""}


def test_a_later_commit_is_set_against_the_first(tmp_path: Path) -> None:
    after = 0.8 * BASE[::-1] * np.array([1.01, 0.99, 1.02, 0.98, 1, 1])
    files = [content(level("batch", s, baseline=True), commit=LATER) for s in after]
    files += [content(level("batch", s, baseline=True), level("new", s)) for s in BASE]
    change = row(changes(table(*files, directory=tmp_path)), "batch")
    test = stats.ttest_ind(np.log(after), np.log(BASE), equal_var=False)
    interval = test.confidence_interval(0.95)
    assert (change["version"], change["first_version"]) == ("b" * 10, "a" * 10)
    assert change["effect"] == pytest.approx(stats.gmean(after) / stats.gmean(BASE))
    assert change["ci_low"] == pytest.approx(math.exp(interval.low))
    assert change["ci_high"] == pytest.approx(math.exp(interval.high))
    assert (change["n"], change["n_first"], change["verdict"]) == (6, 6, "better")


def test_changes_have_no_interval_below_six_files_and_hold_for_all_benchmarks_at_once(tmp_path: Path) -> None:
    def file(seconds: float, commit: str) -> object:
        return content(level("batch", seconds), level("group", 2 * seconds), commit=commit)

    files = [file(s, FIRST) for s in BASE] + [file(1.2 * s, LATER) for s in BASE]
    found = changes(table(*files, directory=tmp_path))
    assert found["comparisons"].tolist() == [2, 2]
    test = stats.ttest_ind(np.log(1.2 * BASE), np.log(BASE), equal_var=False)
    assert found["p_adjusted"].tolist() == pytest.approx([2 * test.pvalue] * 2)
    assert found["ci_low"].tolist() == pytest.approx([math.exp(test.confidence_interval(0.975).low)] * 2)
    few = changes(table(*files[1:], directory=tmp_path))
    assert few["ci_low"].isna().all()
    assert set(few["verdict"]) == {"inconclusive"}
    assert set(few["cause"]) == {"too_few"}
    assert changes(table(*files[:6], directory=tmp_path)).empty


def test_contexts_name_what_varies_within_a_block(tmp_path: Path) -> None:
    given = [level("a", 1.0, baseline=True, image_size=size, group=f"{size}") for size in (64, 128)] + [
        planted.benchmark("b", 1.0, group="<theirs>")
    ]
    found = levels(table(content(*given), directory=tmp_path))
    assert set(contexts(found)) == {"64 px, forward", "128 px, forward", "<theirs>"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not readable JSON"),
        ("[" * 100_000, "not readable JSON"),
        ("[1, 2]", "not benchmarks: expected an object"),
        ('{"benchmarks": []}', "benchmarks is []; expected"),
        ('{"benchmarks": [{}], "commit_info": {}, "machine_info": {}}', "no field benchmarks[0].name"),
        ('{"benchmarks": 7}', "benchmarks is 7; expected a valid array"),
        (json.dumps(content(level("batch", -1.0))), "benchmarks[0].median_seconds is -1.0; expected"),
        (
            json.dumps(content(level("batch", math.nan))),
            "benchmarks[0].stats.median is nan; expected a finite number",
        ),
        (json.dumps(content(level("a", 1.0), level("a", 1.0))), "stands in it 2 times"),
        (json.dumps(content(level("a", 1.0), at="yesterday")), "Invalid isoformat string"),
        (
            json.dumps(content(level("a", 1.0)) | {"machine_info": []}),
            "expected the JSON of pytest-benchmark",
        ),
        (
            json.dumps(content(level("a", 1.0)) | {"commit_info": None}),
            "expected the JSON of pytest-benchmark",
        ),
    ],
)
def test_nonsense_is_refused_in_one_line_that_says_what_was_expected(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "nonsense.json"
    path.write_text(text)
    with pytest.raises(RecordError) as refused:
        parse(path)
    line = str(refused.value)
    assert line.startswith(f"{path}: ")
    assert said in line
    assert "expected the JSON of pytest-benchmark" in line
    assert "\n" not in line


def test_a_run_of_benchmarks_alone_loads_and_reports(tmp_path: Path) -> None:
    files = [
        write(tmp_path / f"{i}.json", content(level("batch", b, baseline=True), level("group", s)))
        for i, (b, s) in enumerate(zip(BASE, SLOW, strict=True))
    ]
    run_path = tmp_path / "run"
    assert len(store(run_path, map(parse, files))) == 6
    assert store(run_path, [parse(files[0])]) == []
    run = results.load(run_path)
    pd.testing.assert_frame_equal(run.analysis.benchmarks, frame(map(parse, files)))
    report = results.load(run_path).report()
    assert run.analysis.building_blocks["verdict"].tolist() == ["", "worse"]
    folder = report.index.parent
    assert pd.read_csv(folder / "tables" / "building_blocks.csv")["effect"].iloc[1] == pytest.approx(
        stats.gmean(SLOW / BASE)
    )
    assert (folder / "figures" / "building-blocks.png").is_file()
    assert "×1.30 (+30 %)" in report.index.read_text()
    assert "×1.30 (+30 %)" in (folder / "details.md").read_text()
    assert run.effects().empty


def test_one_process_that_wrote_two_files_counts_once(tmp_path: Path) -> None:
    given = [content(level("batch", 1.0), at=f"2026-03-01T12:00:0{second}+00:00") for second in (0, 1)]
    first, second = (parse(write(tmp_path / f"{i}.json", one)) for i, one in enumerate(given))
    assert len(store(tmp_path / "run", [first, second])) == 1


def test_a_stored_file_that_was_changed_is_left_out_and_named(tmp_path: Path) -> None:
    store(tmp_path / "run", [parse(write(tmp_path / "a.json", content(level("batch", 1.0))))])
    (path,) = (tmp_path / "run" / "benchmarks").iterdir()
    path.write_text(path.read_text().replace('"median_seconds": 1.0', '"median_seconds": 0.5'))
    (left,) = results.load(tmp_path / "run").analysis.left_out
    assert (left.path, left.reason.partition(";")[0]) == (path, "changed after it was imported")


@pytest.mark.usefixtures("quick")
def test_hostile_names_come_out_as_text(tmp_path: Path) -> None:
    evil = '<script>alert("x")</script>|[a](b)'
    benchmarks = [
        level(f"{evil}0", 1.0, baseline=True, group=f"{evil}g", block=f"{evil}b"),
        level(f"{evil}1", 1.3, group=f"{evil}g", block=f"{evil}b"),
        planted.benchmark(f"{evil}2", 1.0, group=f"{evil}h"),
    ]
    files = [content(*benchmarks, commit=commit, cpu=evil) for commit in (FIRST, "<b>later</b>")]
    store(tmp_path / "run", [parse(write(tmp_path / f"{i}.json", one)) for i, one in enumerate(files)])
    report = results.load(tmp_path / "run").report()
    page = report.index.read_text()
    assert page.count("<script>") == 1, "the page's own"
    assert "<b>" not in page
    assert "&lt;script&gt;" in page
    markdown = (report.index.parent / "details.md").read_text()
    assert "<script>" not in markdown
    assert "[a](b)" not in markdown


def test_a_report_without_benchmarks_says_nothing_of_them(tmp_path: Path) -> None:
    from tests.results.planted import Plan, write_run

    report = results.load(write_run(tmp_path / "run", Plan(processes=2, seeds=2))).report()
    assert "building-blocks" not in report.index.read_text()
    assert not (report.index.parent / "tables" / "building_blocks.csv").exists()
