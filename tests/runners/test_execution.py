"""Trials in real processes: what they print, what they raise, and what a run makes of it."""

from pathlib import Path

import pytest

from results.records.directory import read_records
from results.records.files import StorageError
from results.records.record import Outcome
from runners import launchers
from runners.errors import BadInput
from runners.launchers import Event, Task
from runners.run import Options, execute
from tests.runners.scripted_runs import Watcher, by_arm, plan_of, run, write_study

FLOOD_BYTES = 20_000_000
PRINTED = "from Python\nfrom C\nfrom a child\n"


@pytest.fixture(scope="module")
def printing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of arms that print, each in its own way to end."""
    folder = tmp_path_factory.mktemp("printing")
    acts = ["well", "print", "flood", "print_and_fail", "print_and_die", "print_and_exit", "frozen"]
    run(plan_of(write_study(folder, acts)), folder / "run")
    return folder / "run"


def outcome(out: Path, act: str) -> Outcome:
    ((record,),) = ([one] for one in by_arm(out)["baseline" if act == "well" else act])
    return record.outcomes[0]


def test_what_a_trial_prints_is_kept_beside_the_records_whoever_prints_it(printing: Path) -> None:
    (record,) = by_arm(printing)["print"]
    log = record.details["log"]
    assert log == f"logs/{record.file_name.removesuffix('.json')}.txt"
    assert (printing / log).read_text() == PRINTED
    assert record.outcomes[0].status == "ok"


def test_a_trial_that_prints_nothing_has_no_log(printing: Path) -> None:
    (record,) = by_arm(printing)["baseline"]
    assert "log" not in record.details
    assert len(list((printing / "logs").iterdir())) == 5


def test_what_was_imported_before_a_trial_is_set_aside_from_collections(printing: Path) -> None:
    assert outcome(printing, "frozen").status == "ok"


def test_of_a_flood_the_first_and_the_last_part_are_kept(printing: Path) -> None:
    (record,) = by_arm(printing)["flood"]
    log = (printing / record.details["log"]).read_bytes()
    assert len(log) == 2**16
    assert log.startswith(b"the first line\n")
    assert log.endswith(b"\nthe last line\n")
    (told,) = (line for line in log.splitlines() if b"left out" in line)
    left_out = int(told.split()[1])
    said = len(b"the first line\n") + FLOOD_BYTES + len(b"the last line\n")
    # What arrives in the instant in which a log at work is cut is not counted.
    assert 0 <= said - (len(log) - len(told) - 2) - left_out < 2**16


@pytest.mark.parametrize(
    ("act", "status", "reason"),
    [
        ("print_and_fail", "failed", "RuntimeError: scripted (scripted.py:"),
        ("print_and_die", "killed", "the process was ended by signal 9"),
        ("print_and_exit", "failed", "the process ended with exit code 3 and left no record"),
    ],
)
def test_what_an_arm_that_ended_badly_printed_can_be_read(
    printing: Path, act: str, status: str, reason: str
) -> None:
    (record,) = by_arm(printing)[act]
    found = record.outcomes[0]
    assert found.status == status
    assert found.reason is not None
    assert found.reason.startswith(reason)
    assert (printing / record.details["log"]).read_text() == PRINTED


def test_nothing_that_trials_print_reaches_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(plan_of(write_study(tmp_path, ["print", "print_and_die"])), tmp_path / "run")
    assert capfd.readouterr() == ("", "")


def test_where_nothing_was_printed_there_is_no_folder_for_it(tmp_path: Path) -> None:
    run(plan_of(write_study(tmp_path, ["well", "fail"])), tmp_path / "run")
    assert not (tmp_path / "run" / "logs").exists()


def test_whatever_an_arm_raises_is_a_row(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said = {
        "unspeakable": "ValueError: half a character: \N{REPLACEMENT CHARACTER} (scripted.py:",
        "speechless": "Speechless: (asked for its text, it raised SystemExit) (scripted.py:",
        "generator_exit": "GeneratorExit (scripted.py:",
        "system_exit": "SystemExit: enough (scripted.py:",
        "base_exception": "Unheard: base (scripted.py:",
    }
    run(plan_of(write_study(tmp_path, ["well", *said])), tmp_path / "run")
    found = by_arm(tmp_path / "run")
    assert found.keys() == {"baseline", *said}
    for act, reason in said.items():
        ((one,),) = (record.outcomes for record in found[act])
        assert one.status == "failed"
        assert (one.reason or "").startswith(reason)
    assert capfd.readouterr() == ("", "")


def test_an_arm_that_fails_twice_in_the_same_way_is_not_asked_a_third_time(tmp_path: Path) -> None:
    planned, out = (
        plan_of(write_study(tmp_path, ["well", "fail", "print_and_fail", "fail_anew"], blocks=5)),
        tmp_path / "run",
    )
    watcher = Watcher()
    run(planned, out, jobs=1, watcher=watcher)
    counts = {act: len(records) for act, records in by_arm(out).items()}
    assert counts == {"baseline": 5, "fail": 2, "print_and_fail": 2, "fail_anew": 5}
    assert (len(watcher.tasks), watcher.count) == (20, 20)
    dropped = [trial for event in watcher.events for trial in event.dropped]
    assert sorted(trial.arms[0].name for trial in dropped) == ["act=fail"] * 3 + ["act=print_and_fail"] * 3

    again = Watcher()
    run(planned, out, watcher=again)
    assert (again.tasks, again.count) == ([], 14)


def test_failed_arms_are_asked_again_where_that_is_wanted(tmp_path: Path) -> None:
    planned, out = plan_of(write_study(tmp_path, ["well", "fail"], blocks=4)), tmp_path / "run"
    run(planned, out, jobs=1)
    run(planned, out, jobs=1, retry_failed=True)
    found = by_arm(out)
    assert [(r.block, r.attempt) for r in found["fail"]] == [
        *(("seed-0", 1), ("seed-0", 2), ("seed-1", 1), ("seed-1", 2)),
    ]
    assert {r.attempt for r in found["baseline"]} == {1}


def test_a_damaged_record_is_left_as_it_is_and_its_trial_run_once_more(tmp_path: Path) -> None:
    planned, out = plan_of(write_study(tmp_path, ["well", "print"], blocks=2)), tmp_path / "run"
    run(planned, out)
    damaged = next((out / "records").glob("*-1.json"))
    damaged.write_bytes(damaged.read_bytes()[:100])
    run(planned, out)
    assert damaged.stat().st_size == 100
    records, left_out = read_records(out)
    assert [one.path for one in left_out] == [damaged]
    assert sorted(record.attempt for record in records) == [1, 1, 1, 2]
    assert len({record.trial for record in records}) == 4

    before = {path: path.stat().st_mtime_ns for path in (out / "records").iterdir()}
    run(planned, out)
    assert before == {path: path.stat().st_mtime_ns for path in (out / "records").iterdir()}


def test_a_record_that_is_there_already_counts(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """As of another run that was quicker."""
    planned = plan_of(write_study(tmp_path, ["well", "print_and_die"]))
    told: list[Event] = []
    for _ in range(2):
        launchers.get("local").run(
            [Task(trial, 1) for trial in planned.trials],
            directory=tmp_path,
            environment="here",
            jobs=2,
            notify=told.append,
        )
    ended = [event.record for event in told if event.record is not None]
    assert len(ended) == 4
    assert len({record.trial: record for record in ended}) == 2
    assert all(one in ended[:2] for one in ended[2:])
    (log,) = (tmp_path / "logs").iterdir()
    assert log.read_text() == PRINTED, "no traceback of the second one"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["records", "logs", "checkpoints", "plan", "environment"])
def test_a_link_in_a_run_directory_is_not_written_through(tmp_path: Path, name: str) -> None:
    out, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (out / name).symlink_to(elsewhere)
    with pytest.raises(StorageError, match="is a link"):
        run(plan_of(write_study(tmp_path, ["well", "print"])), out)
    assert list(elsewhere.iterdir()) == []


def test_a_launcher_that_is_none_is_bad_input_before_anything_is_written(tmp_path: Path) -> None:
    planned = plan_of(write_study(tmp_path, ["well", "print"]))
    with pytest.raises(BadInput, match="no launcher 'locale'; did you mean 'local'"):
        execute(planned, Options(tmp_path / "run", "cpu", 1, launcher="locale"), Watcher())
    assert not (tmp_path / "run").exists()
