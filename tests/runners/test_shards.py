"""Shares of a study: whole blocks, the same on every machine, which together make the whole."""

import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import results
from results.records.directory import read_plans, read_records
from results.records.merge import merge
from results.records.resolved_study import Workload
from runners import study
from runners.__main__ import _main
from runners.errors import BadInput
from runners.plan import Plan, plan
from runners.run import Options, execute
from runners.shards import Shard, independent, parse_shard, share
from runners.trial import Trial, TrialArm
from tests.runners.scripted_runs import Watcher, plan_of, write_study

CONTEXT = "levels = { depth = 18, width = 4, in_channels = 1, num_classes = 10 }\nimage_size = 8\n"
SMALL = f"""
architecture = "resnet"
[factors]
stem = ["shallow", "deep32"]
relu = ["inplace", "out_of_place"]
[[workloads]]
kind = "memory"
batch_size = 8
{CONTEXT}
[[workloads]]
kind = "convergence"
batch_size = 32
train_images = 64
epochs = 1
seeds = 6
{CONTEXT.replace(", in_channels = 1, num_classes = 10", "")}
"""
TIMED = """
[[workloads]]
kind = "throughput"
levels = { depth = 18, width = 4 }
image_size = 32
processes = 10
half_width = 0.02
max_processes = 16
"""
OF_WALL_TIME = {"seconds", "started_at", "log"}
"""Columns of `trials.csv` that tell when and for how long; every other cell of every table is compared."""


def planned_of(folder: Path, text: str, *, seeds: int | None = None, macs_per_second: float = 1e9) -> Plan:
    path = folder / "small.toml"
    path.write_text(text)
    checked = study.load(str(path), study.Overrides(replicates=seeds))
    return plan(checked, macs_per_second=macs_per_second)


def all_shares(planned: Plan, count: int) -> list[list[Trial]]:
    known = independent(planned)
    return [share(Shard(n, count), known, planned.study.workloads) for n in range(1, count + 1)]


@pytest.fixture(scope="module")
def dependent(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A plan with all that waits for evidence: processes and seeds that may be added, tuned rates."""
    more = "tune = [0.3, 1]\nhalf_width = 0.01\nmax_seeds = 12\n"
    return planned_of(tmp_path_factory.mktemp("plan"), SMALL + more + TIMED)


ARM = TrialArm("baseline", "resnet", "resnet:depth=18")


def workload(name: str, unit: str = "seed") -> Workload:
    return Workload(name, "memory", unit, 1, {"baseline": "resnet"}, 8, 8, "fp32", None, "", {})


@given(
    blocks=st.lists(st.tuples(st.integers(0, 30), st.integers(1, 4)), min_size=1, max_size=12),
    count=st.integers(1, 40),
)
def test_shares_of_any_plan_are_disjoint_cover_it_and_split_no_block(
    blocks: list[tuple[int, int]], count: int
) -> None:
    """(blocks, arms) of each workload; one without a number of blocks has one, and is exact."""
    units = ["seed" if most else "exact" for most, _ in blocks]
    workloads = [workload(f"w{place}", unit) for place, unit in enumerate(units)]
    trials = [
        Trial(f"{one.name}-{index}-{arm}", one, (ARM,), f"seed-{index}", index, 0, "cpu", 1, False, 0, 1.0)
        for one, (most, arms) in zip(workloads, blocks, strict=True)
        for index in range(most or 1)
        for arm in range(arms)
    ]
    shares = [share(Shard(number, count), trials, workloads) for number in range(1, count + 1)]
    assert Counter(trial.id for one in shares for trial in one) == Counter(trial.id for trial in trials)
    where: dict[tuple[str, int], set[int]] = {}
    for number, one in enumerate(shares):
        assert one == [trial for trial in trials if trial in one], "in the plan's order"
        for trial in one:
            where.setdefault((trial.workload.name, trial.index), set()).add(number)
    assert {len(numbers) for numbers in where.values()} == {1}
    for name in (one.name for one in workloads):  # as even as whole blocks can be
        dealt = [len({t.index for t in its if t.workload.name == name}) for its in shares]
        assert max(dealt) - min(dealt) <= 1


def test_exact_workloads_go_to_different_shards() -> None:
    """And the blocks of the others begin where they end: as many blocks as shards leave none idle."""
    workloads = [workload("seeds"), *(workload(f"w{place}", "exact") for place in range(3))]
    blocks = [(workloads[0], index) for index in range(5)] + [(one, 0) for one in workloads[1:]]
    trials = [
        Trial(f"{w.name}-{index}", w, (ARM,), f"seed-{index}", index, 0, "cpu", 1, False, 0, 1.0)
        for w, index in blocks
    ]
    assert [len(share(Shard(n, 8), trials, workloads)) for n in range(1, 9)] == [1] * 8


@pytest.mark.parametrize("count", [1, 3, 8, 50])
def test_what_waits_for_evidence_is_in_no_share(dependent: Plan, count: int) -> None:
    dealt = [trial for one in all_shares(dependent, count) for trial in one]
    found = Counter((trial.workload.name, trial.block) for trial in dealt)
    assert {name for name, _ in found} == {w.name for w in dependent.study.workloads} - {"convergence-tuned"}
    assert sum(name == "throughput" for name, _ in found) == 4, "the first stage; the others depend on it"
    assert not any(trial.workload.kind == "convergence" and trial.optional for trial in dealt)
    assert len(dealt) == len({trial.id for trial in dealt}) < len(dependent.trials)


def test_the_same_share_is_found_however_fast_the_machine_is(tmp_path: Path) -> None:
    def ids(macs_per_second: float) -> list[set[str]]:
        planned = planned_of(tmp_path, SMALL, macs_per_second=macs_per_second)
        return [{trial.id for trial in one} for one in all_shares(planned, 5)]

    assert ids(1e6) == ids(1e13)


def test_with_more_seeds_each_share_keeps_what_it_had(tmp_path: Path) -> None:
    fewer, more = (all_shares(planned_of(tmp_path, SMALL, seeds=seeds), 4) for seeds in (6, 11))
    for before, after in zip(fewer, more, strict=True):
        assert {trial.id for trial in before} <= {trial.id for trial in after}
    assert sum(map(len, fewer)) < sum(map(len, more))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "--shard 'x': expected NUMBER/COUNT, e.g. 3/8"),
        ("3/", "--shard '3/': expected NUMBER/COUNT, e.g. 3/8"),
        ("-1/8", "--shard '-1/8': expected NUMBER/COUNT, e.g. 3/8"),
        ("3/8/9", "--shard '3/8/9': expected NUMBER/COUNT, e.g. 3/8"),
        ("٣/8", "--shard '٣/8': expected NUMBER/COUNT, e.g. 3/8"),
        ("0/8", "--shard 0/8: expected 1/8 to 8/8"),
        ("9/8", "--shard 9/8: expected 1/8 to 8/8"),
        ("0/0", "--shard 0/0: expected 1 to 10,000 shards, e.g. 3/8"),
        ("1/99999", "--shard 1/99999: expected 1 to 10,000 shards, e.g. 3/8"),
    ],
)
def test_what_is_no_share_is_one_line(text: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadInput) as caught:
        parse_shard(text, "--shard")
    assert caught.value.lines == (said,)
    assert _main(["run", "quick", "--shard", text]) == 2
    assert capsys.readouterr().err == f"ablate: {said}\n"


def test_a_share_plans_the_whole_resumes_and_again_and_fresh_are_of_it_alone(tmp_path: Path) -> None:
    planned = plan_of(write_study(tmp_path, ["well", "fail"], blocks=5))
    out, shard = tmp_path / "run", Shard(2, 3)
    watcher = Watcher()
    execute(planned, Options(out, "cpu", 2, shard=shard), watcher)
    records, _ = read_records(out)
    expected = {trial.id for trial in share(shard, planned.trials, planned.study.workloads)}
    assert {record.trial for record in records} == expected
    assert len({record.block for record in records}) == 2
    (trials,) = read_plans(out).values()
    assert trials == {trial.id for trial in planned.trials}
    assert watcher.count == len(watcher.tasks) == len(expected)
    execute(planned, Options(out, "cpu", 2, shard=shard), watcher)
    assert watcher.tasks == []
    execute(planned, Options(out, "cpu", 2, retry_failed=True, shard=shard), watcher)
    assert {task.trial.arms[0].name for task in watcher.tasks} == {"act=fail"}
    with pytest.raises(BadInput, match=r"--again: shard 2/3 of study scripted times nothing"):
        execute(planned, Options(out, "cpu", 2, again=True, shard=shard), watcher)


@pytest.mark.slow
def test_eight_shards_merged_give_the_tables_of_one_run(tmp_path: Path) -> None:
    planned = planned_of(tmp_path, SMALL)
    whole, merged = tmp_path / "whole", tmp_path / "merged"
    execute(planned, Options(whole, "cpu", 2), Watcher())
    shards = [tmp_path / f"small-{number}-of-8" for number in range(1, 9)]
    for number, directory in enumerate(shards, start=1):
        execute(planned, Options(directory, "cpu", 2, shard=Shard(number, 8)), Watcher())
    assert all(read_records(directory)[0] for directory in shards)
    merge(shards, merged)
    results.load(whole).report()
    results.load(merged).report()
    tables = {path.name: path for path in (whole / "report" / "tables").glob("*.csv")}
    assert {"effects.csv", "variants.csv", "trials.csv"} <= tables.keys()
    for name, path in tables.items():
        mine = merged / "report" / "tables" / name
        if name == "trials.csv":
            assert untimed(path).equals(untimed(mine))
        else:
            assert path.read_bytes() == mine.read_bytes(), name
    watcher = Watcher()
    execute(planned, Options(merged, "cpu", 2), watcher)
    assert watcher.tasks == [], "nothing is left"


def untimed(path: Path) -> pd.DataFrame:
    """Trials without what differs from one run to the next, in an order of their own."""
    frame = pd.read_csv(path)
    kept = frame.drop(columns=[name for name in frame.columns if name in OF_WALL_TIME])
    return kept.sort_values(["trial", "arm"]).reset_index(drop=True)


def test_the_command_says_what_is_whose_and_how_shares_become_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_study(tmp_path, ["well", "print"], blocks=3)
    for number in (1, 2):
        assert _main(["run", str(path), "--device", "cpu", "--shard", f"{number}/2"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-3:] == [
        "shard 2/2: 4 of 8 trials, each of whole blocks",
        "once all shards have ended: ablate merge runs/scripted-*-of-2 --out runs/scripted",
        f"then what is left, if anything: ablate run {path} --out runs/scripted",
    ]
    assert _main(["merge", "runs/scripted-1-of-2", "--out", "runs/scripted"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "still to run, blocks of an arm by workload: scripted 4",
        "go on: ablate run scripted.toml --out runs/scripted",
    ]
    assert _main(["merge", "runs/scripted-1-of-2", "runs/scripted-2-of-2", "--out", "runs/scripted"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "4 records added, 8 records in runs/scripted",
        "nothing is left to run",
    ]
    assert json.loads(Path("runs/scripted/study.json").read_text())["name"] == "scripted"
