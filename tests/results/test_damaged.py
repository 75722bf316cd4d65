"""Damaged run directories: whatever a file is turned into, the others stand, and nothing crashes."""

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import results
from results.records.benchmarks import store
from results.records.directory import read_record, write_plan, write_record
from results.records.files import RecordError
from results.records.pytest_benchmark import read
from results.records.resolved_study import read_study, write_study
from results.report.document import document
from results.report.renderers.markdown import markdown
from results.report.renderers.page import page
from results.run import Run
from runners.__main__ import _main
from tests.results.damage import damaged
from tests.results.planted import BASELINE, CONTROL, ENVIRONMENT, HUGE, NORM, Plan, write_run
from tests.results.planted_benchmarks import content, level, write

PARTS, EXAMPLES_EACH = 4, 125
"""Of 500 cases; each builds the whole report, without its figures."""
IMPORT = content(level("batch", 1e-3, baseline=True), level("group", 1.3e-3))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run with every kind of file."""
    folder = tmp_path_factory.mktemp("damaged")
    run = write_run(folder / "run", Plan(processes=2, rounds=2, seeds=2, diverged=(1,), profiles=True))
    keep_arms(run, {BASELINE, CONTROL, NORM, HUGE})
    blocks = content(level("batch", 1e-3, baseline=True), level("group", 1.3e-3))
    store(run, [read(write(folder / "blocks.json", blocks))])
    trials = {path.name.rsplit(f"-{ENVIRONMENT}", 1)[0] for path in (run / "records").iterdir()}
    write_plan(run, ENVIRONMENT, trials)
    return run


@pytest.fixture(scope="module")
def whole(sound: Path) -> dict[str, dict[str, pd.DataFrame]]:
    """The rows of the undamaged run, by the workload whose own are left out."""
    run = results.load(sound)
    return {workload.name: rows(run, workload.name) for workload in run.analysis.study.workloads}


def keep_arms(run: Path, names: set[str]) -> None:
    """Few arms, so that thousands of reports take no hours."""
    one = read_study(run)
    workloads = (
        replace(w, variants={k: v for k, v in w.variants.items() if k in names}) for w in one.workloads
    )
    arms = tuple(arm for arm in one.arms if arm.name in names)
    write_study(run, replace(one, arms=arms, workloads=tuple(workloads)))
    for file in (run / "records").glob("*"):
        found = read_record(file)
        kept = tuple(outcome for outcome in found.outcomes if outcome.arm in names)
        file.unlink()
        if kept:
            write_record(run, replace(found, outcomes=kept))


def rows(run: Run, but: str = "") -> dict[str, pd.DataFrame]:
    """Trials and effects, but for those of one workload.

    The A/A rows are left out: how wide they are depends on how many of them there are in the whole study.
    """
    columns = ["trial", "workload", "arm", "status", "reason", "seconds"]
    numbers = ["workload", "metric", "arm", "value", "baseline_value", "effect", "ci_low", "n", "verdict"]
    effects = run.analysis.effects
    found = {"trials": run.analysis.trials[columns], "effects": effects[effects["arm"] != CONTROL][numbers]}
    return {name: frame[frame["workload"] != but].reset_index(drop=True) for name, frame in found.items()}


def loaded(path: Path) -> tuple[Run | None, str]:
    """The run, or why it cannot be loaded."""
    try:
        return results.load(path), ""
    except RecordError as error:
        return None, str(error)


def shown(run: Run) -> None:
    """Everything that a report says in words, tables and numbers; figures are drawn elsewhere."""
    said = document(run.analysis)
    page(said, lambda _: ("", ""))
    markdown(said)
    for frame in said.data.values():
        frame.to_csv(index=False)


@pytest.mark.parametrize(
    "part", [0, *(pytest.param(part, marks=pytest.mark.slow) for part in range(1, PARTS))]
)
@settings(
    max_examples=EXAMPLES_EACH,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**48))
def test_any_damage_to_one_file_leaves_the_others_as_they_are(
    sound: Path, whole: dict[str, dict[str, pd.DataFrame]], part: int, seed: int
) -> None:
    chance = random.Random(PARTS * seed + part)
    files = sorted(path for path in sound.rglob("*.json") if "report" not in path.parts)
    # Most files are records; the few others are damaged as often.
    few = [path for path in files if path.parent.name != "records"]
    path = chance.choice(few if chance.random() < 0.4 else files)
    original = path.read_bytes()
    try:
        path.write_bytes(damaged(original.decode(), chance))
        run, refusal = loaded(sound)
        if run is None:
            assert path.parent.name not in {"records", "benchmarks"}, f"one file takes all with it: {refusal}"
            assert len(refusal.splitlines()) == 1
            return
        if path.parent.name == "records":
            mine = next(name for name in whole if path.name.startswith(name))
            for name, kept in rows(run, mine).items():
                pd.testing.assert_frame_equal(kept, whole[mine][name])
        if chance.random() < 0.15:
            shown(run)
    finally:
        path.write_bytes(original)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("seed", range(24))
def test_the_command_line_ends_a_damaged_directory_with_0_1_or_2(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    run = tmp_path / "run"
    shutil.copytree(sound, run)
    chance = random.Random(seed)
    path = chance.choice(sorted(run.rglob("*.json")))
    path.write_bytes(damaged(path.read_text(), chance))
    code = _main(["report", str(run)])
    said = capsys.readouterr()
    assert code in {0, 1, 2}, said.err
    assert "Traceback" not in said.err + said.out
    if code == 2:
        (line,) = said.err.splitlines()
        assert line.startswith("ablate: ")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("outcomes.0.status", "fine", "outcomes[0].status is 'fine'; expected"),
        ("outcomes.0.status", None, "outcomes[0].status is None; expected"),
        ("outcomes.0.status", "banana", "outcomes[0].status is 'banana'; expected"),
        ("schema_version", True, "schema_version is True; expected a valid integer"),
        (
            "outcomes.0.measurements.0.values",
            [-5.0],
            "outcomes[0].measurements[0].values[0] is -5; expected 0 to",
        ),
        (
            "outcomes.0.measurements.0.values",
            [0.0],
            "measurements[0].values[0] is 0; expected more than 0 (bytes)",
        ),
        ("outcomes.0.measurements.0.values", [], "measurements[0].values is empty; expected one sample"),
        ("seconds", 1e999, "seconds is inf; expected a finite number"),
        ("outcomes.0.arm", "nobody", "outcomes[0].arm is 'nobody', which is not in the study"),
        ("block", "exact-or-so", "block is 'exact-or-so'; expected"),
    ],
)
def test_a_record_that_cannot_be_believed_is_named_with_its_field(
    sound: Path, tmp_path: Path, key: str, value: object, said: str
) -> None:
    run = tmp_path / "run"
    shutil.copytree(sound, run)
    path = next((run / "records").glob("memory-224-normnone-*"))
    path.write_text(json.dumps(changed(json.loads(path.read_text()), key, value)))
    analysis = results.load(run).analysis
    (left,) = analysis.left_out
    assert left.path == path
    assert said in left.reason
    text = page(document(analysis), lambda _: ("", ""))
    assert "1 file could not be believed and left out" in text
    assert path.name in text


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("metrics.0.margin", -1, "metrics[0].margin is -1; expected greater than or equal to 0"),
        ("metrics.0.margin", float("nan"), "metrics[0].margin is nan; expected a finite number"),
        ("metrics.0.better", "sideways", "metrics[0].better is 'sideways'; expected 'lower' or 'higher'"),
        (
            "metrics.0.effect_kind",
            "guess",
            "metrics[0].effect_kind is 'guess'; expected 'ratio' or 'difference'",
        ),
        ("arms.2.name", "baseline", "arms: two are named 'baseline'"),
        ("metrics.4.margin", 0.5, "changed after it was written, so that its margins"),
        ("workloads.2.replicates", 1, "changed after it was written"),
    ],
)
def test_a_study_that_cannot_be_believed_ends_the_command_in_one_line(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str, value: object, said: str
) -> None:
    run = tmp_path / "run"
    shutil.copytree(sound, run)
    study = run / "study.json"
    study.write_text(json.dumps(changed(json.loads(study.read_text()), key, value)))
    assert _main(["report", str(run)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{study}: " in line
    assert said in line


def changed(given: Any, key: str, value: object) -> Any:
    document = json.loads(json.dumps(given))
    *steps, last = (int(step) if step.isdigit() else step for step in key.split("."))
    parent = document
    for step in steps:
        parent = parent[step]
    parent[last] = value
    return document


@pytest.mark.parametrize(
    ("key", "raw"),
    [
        ("machine_info.threads", "NaN"),
        ("machine_info.cpu", '{"count": NaN}'),
        ("benchmarks.0.stats.median", "1e308"),
        ("benchmarks.0.stats.median", "5e-324"),
        ("benchmarks.0.stats.median", "1" + "0" * 400),
        ("benchmarks.0.stats.median", "0"),
        ("benchmarks.0.stats.iqr", "-1"),
        ("benchmarks.0.stats.rounds", "Infinity"),
        ("benchmarks.0.stats.rounds", "1e999"),
        ("benchmarks.0.extra_info.image_size", "1" + "0" * 30),
        ("benchmarks.0.extra_info.channels", "-3"),
        ("commit_info.time", '"tomorrow"'),
        ("datetime", "[]"),
    ],
)
def test_an_import_that_cannot_be_believed_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str, raw: str
) -> None:
    text = json.dumps(changed(IMPORT, key, "\N{SNOWMAN}"), ensure_ascii=False).replace('"\N{SNOWMAN}"', raw)
    file = tmp_path / "file.json"
    file.write_text(text, encoding="utf-8")
    assert _main(["import", str(file), "--into", str(tmp_path / "run")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"ablate: {file}: ")
    assert "expected" in line
    assert len(line) < 400
    assert not (tmp_path / "run").exists()


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(seed=st.integers(0, 2**48))
def test_any_damage_to_an_import_is_refused_or_reported(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("import")
    (folder / "file.json").write_bytes(damaged(json.dumps(IMPORT), random.Random(seed)))
    refusal = refused(folder / "run", folder / "file.json")
    if refusal:
        assert len(refusal.splitlines()) == 1
        assert not (folder / "run").exists()
    else:
        run = results.load(folder / "run")
        assert run.analysis.left_out == ()
        shown(run)


def refused(run: Path, file: Path) -> str:
    """Why a file is not imported; empty where it is."""
    try:
        store(run, [read(file)])
    except RecordError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", ["report", "report/tables", "report/figures"])
def test_a_report_is_written_within_the_run_directory_alone(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    shutil.copytree(sound, run, ignore=shutil.ignore_patterns("report"))
    elsewhere.mkdir()
    (run / name).parent.mkdir(exist_ok=True)
    (run / name).symlink_to(elsewhere)
    assert _main(["report", str(run)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "is a link; what it leads to is not written to" in line
    assert list(elsewhere.iterdir()) == []


@pytest.mark.usefixtures("quick")
def test_a_page_that_is_a_link_is_replaced_and_what_it_led_to_stays(sound: Path, tmp_path: Path) -> None:
    run, precious = tmp_path / "run", tmp_path / "thesis.html"
    shutil.copytree(sound, run, ignore=shutil.ignore_patterns("report"))
    precious.write_text("precious")
    (run / "report").mkdir()
    (run / "report" / "index.html").symlink_to(precious)
    results.load(run).report()
    assert precious.read_text() == "precious"
    assert not (run / "report" / "index.html").is_symlink()
