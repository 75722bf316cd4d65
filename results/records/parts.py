"""Many records in one file: Parquet, for run directories in which a file a record would be too many.

A part is written once, under a name that is a hash of what it holds, and never changed; it keeps each
record's exact text beside the columns that one would look for. Whoever reads a directory finds the same
records whether they lie in files of their own, in a part, or (for the moment that moving takes) in both.
"""

import hashlib
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from results.records.files import RecordError, StorageError, explain, read_bytes, replacing
from results.records.record import Record

if TYPE_CHECKING:
    import pyarrow as pa

MOST_FILES = 20_000
"""Record files beyond which a directory is compacted: lists and copies of more take minutes."""
MOST_IN_PART = 5_000
SUFFIX = ".parquet"
MOST_PART_BYTES = 2**26
"""Of text in a part, which is in memory when it is read; one record may be longer."""

_RECORD = TypeAdapter(Record)


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as its file holds it.

    Attributes:
        name: The file's name.
        text: The file's content.
    """

    name: str
    text: bytes

    def record(self) -> Record:
        """What it says.

        Raises:
            RecordError: It is not a record of this schema, or not the one that its name says.
        """
        record = parsed(self.text)
        if record.file_name != self.name:
            raise RecordError(f"not a record: its content is that of {record.file_name}")
        return record


def parsed(text: str | bytes) -> Record:
    """A record from its JSON.

    Raises:
        RecordError: It is not a record of this schema.
    """
    try:
        return _RECORD.validate_json(text, strict=True)
    except ValidationError as error:
        raise RecordError(f"not a record: {explain(error)}") from error


def files(run: Path) -> list[Path]:
    """Records in files of their own, in the order of their names."""
    return sorted((run / "records").glob("*.json"))


def parts(run: Path) -> list[Path]:
    """Parts, in the order of their names."""
    return sorted((run / "records").glob(f"part-*{SUFFIX}"))


def anything(run: Path) -> bool:
    """Whether there is any record, be it damaged."""
    folder = run / "records"
    return any(folder.glob("*.json")) or any(folder.glob(f"part-*{SUFFIX}"))


def file_entry(path: Path) -> Entry:
    """A record's own file.

    Raises:
        RecordError: It cannot be read.
    """
    return Entry(path.name, read_bytes(path))


def read_part(path: Path) -> list[Entry]:
    """All that a part holds.

    Raises:
        RecordError: It cannot be read, or holds something else than when it was written.
    """
    table = _table(path, ["file_name", "json"])
    columns = (table.column(name).to_pylist() for name in ("file_name", "json"))
    entries = [Entry(str(name), str(text).encode()) for name, text in zip(*columns, strict=True)]
    if _name(entries) != path.name:
        raise RecordError(f"{path}: damaged: it holds something else than what was written")
    return entries


def names_in(path: Path) -> list[str]:
    """Names of the records in a part, as `read_part` but without a look at what they say.

    Raises:
        RecordError: It cannot be read.
    """
    return [str(name) for name in _table(path, ["file_name"]).column("file_name").to_pylist()]


def _table(path: Path, columns: list[str]) -> "pa.Table":
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(path).read(columns)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise RecordError(f"{path}: damaged: {str(error).strip().partition(chr(10))[0]}") from error
    if any(table.schema.field(name).type != pa.string() for name in table.column_names) or any(
        table.column(name).null_count for name in table.column_names
    ):
        raise RecordError(f"{path}: damaged: not the columns of a part")
    return table


def _name(entries: Iterable[Entry]) -> str:
    digest = hashlib.sha256()
    for entry in entries:
        for text in (entry.name.encode(), entry.text):
            digest.update(len(text).to_bytes(8, "big") + text)
    return f"part-{digest.hexdigest()[:16]}{SUFFIX}"


def compact(run: Path) -> int:
    """Move records into parts, where there are more files than `MOST_FILES`; what is no record stays a file.

    At each moment every record is in a file, in a part that was read back, or in both. To be called while
    nothing else writes in the directory.

    Args:
        run: The run directory.

    Returns:
        How many were moved.

    Raises:
        StorageError: There is no room.
    """
    paths = files(run)
    moved = 0
    for name in packed(run, paths) if len(paths) > MOST_FILES else ():
        (run / "records" / name).unlink(missing_ok=True)
        moved += 1
    return moved


def packed(run: Path, paths: Iterable[Path]) -> Iterator[str]:
    """Write records from files of their own into parts of a run; yield each name once it is safe there.

    Raises:
        StorageError: There is no room.
    """
    for lot in _lots(_sound(paths)):
        write_part(run, lot)
        yield from (entry.name for entry, _ in lot)


def _sound(paths: Iterable[Path]) -> Iterator[tuple[Entry, Record]]:
    for path in paths:
        try:
            entry = file_entry(path)
            yield entry, entry.record()
        except RecordError:  # it is named where it is read, and may be mended
            continue


def _lots(entries: Iterable[tuple[Entry, Record]]) -> Iterator[list[tuple[Entry, Record]]]:
    """What goes into a part each, in order."""
    lot, size = list[tuple[Entry, Record]](), 0
    for entry, record in entries:
        if lot and (len(lot) == MOST_IN_PART or size + len(entry.text) > MOST_PART_BYTES):
            yield lot
            lot, size = [], 0
        lot.append((entry, record))
        size += len(entry.text)
    if lot:
        yield lot


def write_part(run: Path, lot: Sequence[tuple[Entry, Record]]) -> Path:
    """Write a part, and read it back.

    Raises:
        StorageError: There is no room, or what was written is not what is read.
    """
    import pyarrow as pa
    from pyarrow import parquet

    records = [record for _, record in lot]
    names = ("trial", "workload", "block", "environment", "attempt", "started_at", "seconds", "status")
    columns = {name: [getattr(record, name) for record in records] for name in names}
    texts = {"file_name": [e.name for e, _ in lot], "json": [e.text.decode() for e, _ in lot]}
    table = pa.table({"file_name": texts["file_name"], **columns, "json": texts["json"]})
    path = run / "records" / _name(entry for entry, _ in lot)
    with replacing(path) as temporary:
        parquet.write_table(table, temporary, compression="zstd")
    try:
        sound = read_part(path) == [entry for entry, _ in lot]
    except RecordError:
        sound = False
    if not sound:
        path.unlink()
        raise StorageError(f"{path}: what was written is not what is read; the records stay in their files")
    return path


def entries(
    run: Path, damaged: list[tuple[Path, str]], known: Container[str] = ()
) -> Iterator[tuple[Path, Entry]]:
    """Each record once, with the file that it lies in: own files first, then parts.

    Args:
        run: The run directory.
        damaged: Takes the files that cannot be read, each with why.
        known: Names of records that are passed over, unread where they have files of their own.
    """
    own = files(run)
    seen = {path.name for path in own}
    for path in own:
        if path.name not in known:
            try:
                yield path, file_entry(path)
            except RecordError as error:
                damaged.append((path, str(error).removeprefix(f"{path}: ")))
    for path in parts(run):
        try:
            if all(name in known for name in names_in(path)):
                continue
            found = read_part(path)
        except RecordError as error:
            damaged.append((path, str(error).removeprefix(f"{path}: ")))
            continue
        yield from ((path, entry) for entry in found if entry.name not in seen and entry.name not in known)
        seen.update(entry.name for entry in found)


def names(run: Path) -> set[str]:
    """Names of all records, those of files that cannot be read included."""
    found = {path.name for path in files(run)}
    for path in parts(run):
        try:
            found.update(names_in(path))
        except RecordError:
            continue
    return found
