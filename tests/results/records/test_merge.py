"""Run directories as one: a union of what was measured, and a refusal for each way in which they differ."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import results
from results.records.benchmarks import store
from results.records.directory import (
    read_environments,
    read_plans,
    read_records,
    write_environment,
    write_plan,
    write_record,
)
from results.records.files import RecordError, write_bytes, write_text
from results.records.merge import CannotMerge, merge
from results.records.pytest_benchmark import read
from results.records.resolved_study import ResolvedStudy, read_study, write_study
from tests.results.planted import ENVIRONMENT, Plan, study, write_run
from tests.results.planted_benchmarks import content, level, write

OTHER = "server-7"
PLAN = Plan(processes=4, rounds=2, seeds=4, diverged=(1,))


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A run directory with every kind of file, and its plan."""
    run = write_run(tmp_path / "whole", PLAN)
    write_plan(run, ENVIRONMENT, [record.trial for record in read_records(run)[0]])
    (run / "logs").mkdir()
    write_text(run / "logs" / "a-log.txt", "printed")
    blocks = content(level("batch", 1e-3, baseline=True), level("group", 2e-3))
    store(run, [read(write(tmp_path / "blocks.json", blocks))])
    return run


def halves(whole: Path) -> list[Path]:
    """The same as two directories, each with every other record; what is no record is in both."""
    found = []
    for which in (0, 1):
        half = whole.with_name(f"half-{which}")
        shutil.copytree(whole, half)
        for place, path in enumerate(sorted((half / "records").iterdir())):
            if place % 2 != which:
                path.unlink()
        found.append(half)
    return found


def files(run: Path) -> dict[str, bytes]:
    return {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*") if path.is_file()}


def refused(*runs: Path, apart: bool = False) -> tuple[str, ...]:
    target = runs[0].with_name("target")
    with pytest.raises(CannotMerge) as caught:
        merge(runs, target, apart=apart)
    assert not target.exists(), "something was written"
    return caught.value.lines


def test_halves_make_the_whole_again_and_merging_again_changes_nothing(whole: Path, tmp_path: Path) -> None:
    target, (one, other) = tmp_path / "merged", halves(whole)
    before = files(one), files(other)
    done = merge([one, other], target)
    assert files(target) == files(whole)
    assert (done.added, done.records) == (len(read_records(whole)[0]),) * 2
    for again in ([one, other], [other], [one, one], [target], [target, other]):
        assert merge(again, target).added == 0
        assert files(target) == files(whole)
    assert (files(one), files(other)) == before


def test_onto_a_run_it_adds_what_that_one_lacks(whole: Path) -> None:
    one, other = halves(whole)
    merge([other], one)
    assert files(one) == files(whole)


def test_a_merge_that_was_cut_off_goes_on(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was written until then is a run directory."""
    target, sources = tmp_path / "merged", halves(whole)
    left = 7

    def fails(path: Path, content: bytes) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise KeyboardInterrupt
        write_bytes(path, content)

    monkeypatch.setattr("results.records.merge.write_bytes", fails)
    with pytest.raises(KeyboardInterrupt):
        merge(sources, target)
    assert results.load(target).analysis.missing.empty is False
    merge(sources, target)
    assert files(target) == files(whole)


def test_plans_and_histories_are_united(whole: Path, tmp_path: Path) -> None:
    one, other = halves(whole)
    write_plan(one, ENVIRONMENT, ["a", "b"])
    write_plan(other, ENVIRONMENT, ["b", "c"])
    write_study(one, replace(read_study(one), exploratory=("design",), extended=("first",)))
    write_study(other, replace(read_study(other), exploratory=("arms",), extended=("first", "second")))
    merge([one, other], tmp_path / "merged")
    assert read_plans(tmp_path / "merged") == {ENVIRONMENT: {"a", "b", "c"}}
    found = read_study(tmp_path / "merged")
    assert (found.exploratory, found.extended) == (("design", "arms"), ("first", "second"))


Change = Callable[[ResolvedStudy], ResolvedStudy]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: replace(s, seed=8, looks=2), "seed, looks"),
        (lambda s: replace(s, arms=s.arms[:-1], workloads=()), "arms, workloads"),
        (
            lambda s: replace(s, metrics=(replace(s.metrics[0], margin=0.5), *s.metrics[1:])),
            "metrics: parameters: margin",
        ),
        (
            lambda s: replace(s, workloads=(*s.workloads[:-1], replace(s.workloads[-1], replicates=9))),
            "workloads: digits-32: replicates 4 and 9 (run both with the same --seeds)",
        ),
    ],
)
def test_another_study_is_refused_by_the_fields_that_differ(whole: Path, change: Change, told: str) -> None:
    one, other = halves(whole)
    write_study(other, change(study(PLAN)))
    assert refused(one, other) == (f"{other}: another study than {one}: {told}",)


def test_a_study_of_another_name_is_refused(whole: Path) -> None:
    one, other = halves(whole)
    write_study(other, replace(study(PLAN), name="stem"))
    assert refused(one, other) == (f"{other}: study stem, but {one} has planted",)


def test_a_record_with_other_content_is_refused(whole: Path) -> None:
    one, other = halves(whole)
    path = next((one / "records").iterdir())
    twin = other / "records" / path.name
    twin.write_text(path.read_text().replace("2.5", "2.6"))
    assert refused(one, other) == (f"{twin}: {path.name}: other content than in {path}",)


@pytest.mark.parametrize("folder", ["environment", "logs", "benchmarks"])
def test_any_other_file_with_other_content_is_refused(whole: Path, folder: str) -> None:
    one, other = halves(whole)
    path = next((one / folder).iterdir())
    (other / folder / path.name).write_text("other")
    if folder == "environment":
        with pytest.raises(RecordError, match="not an environment"):
            merge([one, other], whole.with_name("target"))
        return
    assert refused(one, other) == (f"{other / folder / path.name}: other content than {path}",)


def test_the_same_block_and_arm_under_two_ids_is_refused(whole: Path) -> None:
    one, other = halves(whole)
    record = next(r for r in read_records(one)[0] if r.workload == "digits-32")
    write_record(other, replace(record, trial="changed"))
    write_plan(other, ENVIRONMENT, [*read_plans(other)[ENVIRONMENT], "changed"])
    (line,) = refused(one, other)
    assert line.startswith(f"{other}/records/changed-{ENVIRONMENT}-1.json: digits-32 {record.block} ")
    assert f"is trial changed, but {record.trial} in {one}/records/" in line
    assert line.endswith(": sources or settings differ")


def test_what_was_superseded_in_its_own_directory_stands_in_nobodys_way(whole: Path, tmp_path: Path) -> None:
    one, other = halves(whole)
    record = next(r for r in read_records(one)[0] if r.workload == "digits-32")
    write_record(other, replace(record, trial="earlier"))  # which no plan lists
    merge([one, other], tmp_path / "merged")
    assert (tmp_path / "merged" / "records" / f"earlier-{ENVIRONMENT}-1.json").is_file()


def elsewhere(run: Path) -> Path:
    """As if it had run on another machine."""
    for record in read_records(run)[0]:
        (run / "records" / record.file_name).unlink()
        write_record(run, replace(record, environment=OTHER))
    facts = read_environments(run)[ENVIRONMENT] | {"cpu": "Other CPU", "torch": "2.10.0"}
    write_environment(run, OTHER, facts)
    write_plan(run, OTHER, read_plans(run)[ENVIRONMENT])
    (run / "plan" / f"{ENVIRONMENT}.json").unlink()
    (run / "environment" / f"{ENVIRONMENT}.json").unlink()
    return run


def test_other_machines_are_refused_by_the_facts_that_differ_unless_kept_apart(
    whole: Path, tmp_path: Path
) -> None:
    other = elsewhere(Path(shutil.copytree(whole, tmp_path / "other")))
    assert refused(whole, other) == (
        f"{whole} and {other}: other environments: cpu Example CPU, 2 cores and Other CPU,"
        " torch 2.9.1 and 2.10.0; --apart keeps them side by side",
    )
    merge([whole, other], tmp_path / "merged", apart=True)
    found, alone = results.load(tmp_path / "merged"), results.load(whole)
    assert set(found.effects(control=True)["environment"]) == {ENVIRONMENT, OTHER}
    mine = found.effects(control=True).query("environment == @ENVIRONMENT").reset_index(drop=True)
    columns = ["workload", "metric", "arm", "value", "effect", "ci_low", "ci_high", "n"]
    pd.testing.assert_frame_equal(mine[columns], alone.effects(control=True)[columns])


def test_what_is_no_run_directory_is_refused(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "nowhere"):
        with pytest.raises(RecordError, match=r"not a run directory \(no study.json\)"):
            merge([whole, path], tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_a_damaged_record_is_kept_and_named_in_the_report(whole: Path, tmp_path: Path) -> None:
    one, other = halves(whole)
    path = next((other / "records").iterdir())
    path.write_text("{")
    merge([one, other], tmp_path / "merged")
    (left_out,) = results.load(tmp_path / "merged").analysis.left_out
    assert left_out.path == tmp_path / "merged" / "records" / path.name
