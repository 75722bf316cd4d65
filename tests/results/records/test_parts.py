"""Records in parts: the same as in files of their own, whatever is killed or damaged on the way."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

import results
from results.records import parts
from results.records.directory import read_records, write_plan, write_record
from results.records.files import StorageError
from results.records.merge import CannotMerge, merge
from results.records.record import Record
from tests.results.planted import ENVIRONMENT, Plan, write_run

ROOT = Path(__file__).parents[3]
COLUMNS = [
    *("file_name", "trial", "workload", "block", "environment", "attempt", "started_at", "seconds"),
    *("status", "json"),
]


@pytest.fixture(scope="module")
def loose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory with a file a record."""
    run = write_run(tmp_path_factory.mktemp("parts") / "run", Plan(processes=6, rounds=2, seeds=7))
    write_plan(run, ENVIRONMENT, [record.trial for record in read_records(run)[0]])
    return run


@pytest.fixture
def run(loose: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(loose, tmp_path / "run"))


def compacted(run: Path, most_files: int = 0) -> int:
    """As `compact`, where so few files are many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "MOST_FILES", most_files)
        return parts.compact(run)


def texts(run: Path) -> dict[str, bytes]:
    """Each record's text by the name of its file, wherever it lies; read by pyarrow alone."""
    found = {path.name: path.read_bytes() for path in (run / "records").glob("*.json")}
    for path in (run / "records").glob("*.parquet"):
        for row in parquet.read_table(path).to_pylist():
            assert found.setdefault(row["file_name"], row["json"].encode()) == row["json"].encode()
    return found


def tables(run: Path) -> dict[str, bytes]:
    results.load(run).report()
    return {path.name: path.read_bytes() for path in (run / "report" / "tables").glob("*.csv")}


def test_a_part_holds_each_records_exact_text_beside_what_one_would_look_for(loose: Path, run: Path) -> None:
    before = texts(loose)
    assert compacted(run, 10) == len(before)
    assert list((run / "records").glob("*.json")) == []
    (part,) = (run / "records").iterdir()
    assert texts(run) == before
    file = parquet.ParquetFile(part)
    assert file.schema_arrow.names == COLUMNS
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    for row in file.read().to_pylist():
        content = json.loads(row["json"])
        assert all(row[name] == content[name] for name in COLUMNS[1:-2])
        assert row["file_name"] == f"{content['trial']}-{content['environment']}-{content['attempt']}.json"
        assert row["status"] in {outcome["status"] for outcome in content["outcomes"]}


@pytest.mark.usefixtures("quick")
def test_a_compacted_run_gives_the_same_tables_to_the_byte(loose: Path, run: Path) -> None:
    compacted(run)
    assert read_records(run) == read_records(loose)
    assert tables(run) == tables(loose)


def test_few_files_stay_files(run: Path) -> None:
    count = len(parts.files(run))
    assert compacted(run, count) == 0
    assert len(parts.files(run)) == count
    assert parts.MOST_FILES == 20_000


def test_many_records_become_several_parts(run: Path, loose: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "MOST_IN_PART", 10)
    compacted(run)
    assert len(list((run / "records").iterdir())) == -(-len(texts(loose)) // 10)
    assert texts(run) == texts(loose)
    monkeypatch.setattr(parts, "MOST_PART_BYTES", 1)
    again = Path(shutil.copytree(loose, run.with_name("again")))
    compacted(again)
    assert len(list((again / "records").iterdir())) == len(texts(loose)), "one at least, however long"


def test_what_comes_later_is_a_file_and_another_part(run: Path, loose: Path) -> None:
    compacted(run)
    before = sorted((run / "records").iterdir())
    more = [replace(record, attempt=2) for record in read_records(loose)[0][:3]]
    for record in more:
        write_record(run, record)
    assert {record.file_name for record in more} <= {record.file_name for record in read_records(run)[0]}
    compacted(run)
    assert set(before) < set((run / "records").iterdir()), "a part never changes"
    assert len(read_records(run)[0]) == len(texts(loose)) + 3


def test_a_name_in_a_file_and_in_a_part_counts_once(run: Path, loose: Path) -> None:
    compacted(run)
    for path in sorted((loose / "records").iterdir())[:5]:
        shutil.copy(path, run / "records")
    assert read_records(run) == read_records(loose)
    assert compacted(run) == 5
    assert texts(run) == texts(loose)


def test_what_is_no_record_stays_where_it_can_be_mended(run: Path) -> None:
    path = parts.files(run)[0]
    sound = path.read_text()
    path.write_text(sound[:-5])
    compacted(run)
    assert parts.files(run) == [path]
    assert [one.path for one in read_records(run)[1]] == [path]
    path.write_text(sound)
    assert read_records(run)[1] == []


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_part_is_left_out_whole_and_named(loose: Path, tmp_path: Path, data: st.DataObject) -> None:
    """Whatever byte is another one: everything is as it was, or the part is named, and the rest stands."""
    run = tmp_path / hashlib.sha256(os.urandom(8)).hexdigest()
    shutil.copytree(loose, run)
    others = [path.name for path in parts.files(run)[:4]]
    kept = {name: (run / "records" / name).read_bytes() for name in others}
    compacted(run)
    for name, text in kept.items():
        (run / "records" / name).write_bytes(text)
    (part,) = parts.parts(run)
    raw = bytearray(part.read_bytes())
    if data.draw(st.booleans()):
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    else:
        del raw[data.draw(st.integers(0, len(raw) - 1)) :]
    part.write_bytes(raw)
    records, left_out = read_records(run)
    if left_out:
        (one,) = left_out
        assert one.path == part
        assert one.reason.startswith("damaged: ")
        assert "\n" not in one.reason
        assert {record.file_name for record in records} == set(others)
    else:
        assert records == read_records(loose)[0]


def test_parquet_that_is_no_part_is_named(run: Path) -> None:
    name = "part-0123456789abcdef.parquet"
    parquet.write_table(pa.table({"file_name": [1], "json": ["{}"]}), run / "records" / name)
    (one,) = read_records(run)[1]
    assert (one.path.name, one.reason) == (name, "damaged: not the columns of a part")


def test_a_record_in_a_part_that_its_study_does_not_know_is_named_by_part_and_name(run: Path) -> None:
    study = results.load(run).analysis.study
    odd = replace(read_records(run)[0][0], trial="odd", workload="unheard")
    write_record(run, odd)
    compacted(run)
    _, (one,) = read_records(run, study)
    assert one.path.suffix == ".parquet"
    assert one.reason.startswith(f"{odd.file_name}: not to be believed: workload is 'unheard'")


def test_each_record_is_read_once_and_known_ones_not_at_all(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    whole = parts.Entry.record

    def noted(self: parts.Entry) -> Record:
        read.append(self.name)
        return whole(self)

    monkeypatch.setattr(parts.Entry, "record", noted)
    names = {record.file_name for record in read_records(run)[0]}
    assert sorted(read) == sorted(names)
    read.clear()
    new = sorted(names)[3]
    assert [r.file_name for r in read_records(run, known=names - {new})[0]] == [new]
    assert read == [new]


def test_merging_takes_parts_and_files_alike(run: Path, loose: Path, tmp_path: Path) -> None:
    compacted(run)
    target = tmp_path / "merged"
    merge([run, loose], target)
    assert texts(target) == texts(loose)
    merge([loose], run)
    assert texts(run) == texts(loose)
    assert parts.files(run) == []
    path = next(iter(sorted((loose / "records").iterdir())))
    changed = Path(shutil.copytree(loose, tmp_path / "changed"))
    (changed / "records" / path.name).write_text(path.read_text().replace("2.5", "2.6"))
    with pytest.raises(CannotMerge, match="other content than in"):
        merge([run, changed], tmp_path / "nothing")


def test_merging_many_files_writes_parts_at_once(
    run: Path, loose: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "MOST_FILES", 20)
    parts.files(run)[0].write_text("{")
    done = merge([run], tmp_path / "merged")
    assert done.compacted == len(texts(loose)) - 1
    assert len(parts.files(tmp_path / "merged")) == 1, "which is no record"
    assert len(read_records(tmp_path / "merged")[0]) == len(texts(loose)) - 1
    (part,) = parts.parts(tmp_path / "merged")
    part.write_bytes(b"PAR1")
    with pytest.raises(CannotMerge, match="damaged"):
        merge([loose, tmp_path / "merged"], tmp_path / "nothing")


def test_without_room_the_records_stay_in_their_files(
    run: Path, loose: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what a full disk does to a file: its end is missing."""
    written = parquet.write_table

    def cut(table: pa.Table, path: Path, **options: Any) -> None:
        written(table, path, **options)
        os.truncate(path, path.stat().st_size // 2)

    monkeypatch.setattr(parquet, "write_table", cut)
    with pytest.raises(StorageError, match="the records stay in their files"):
        compacted(run)
    assert [path.suffix for path in (run / "records").iterdir()] == [".json"] * len(texts(loose))


KILLED = """
import os, signal, sys
from pathlib import Path
from results.records import parts
parts.MOST_FILES, parts.MOST_IN_PART = 0, 15
run, left = Path(sys.argv[1]), int(sys.argv[2])
def watch(event, arguments):
    global left
    if event in {"open", "os.rename", "os.remove"} and "/records" in str(arguments[0]):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
parts.compact(run)
print("done", flush=True)
"""
"""Compacts, and is killed before a certain step on the file system: opening, renaming, removing."""


@pytest.mark.parametrize("steps", [0, 10, 15, 16, 17, 18, 19, 20, 25, 33, 60, 75, 100])
def test_a_kill_while_compacting_loses_nothing(run: Path, loose: Path, steps: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(run), str(steps)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert texts(run) == texts(loose)
    assert read_records(run) == read_records(loose)
    compacted(run)
    assert parts.files(run) == []
    assert texts(run) == texts(loose)
