"""Run directories of one study as one: everything that was measured, and nothing pooled that differs.

All is looked at before anything is written, and each file is written whole or not at all. What is written
first (the study, the plans) tells what is still to come: a merge that was cut off leaves a run directory
that lacks records, and goes on when it is given again.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from results.records import parts
from results.records.directory import current, own_folder, read_environments, read_plans, write_plan
from results.records.files import RecordError, dump, read_bytes, write_bytes
from results.records.record import Record
from results.records.resolved_study import HISTORY, ResolvedStudy, read_study, write_study
from results.records.values import Free

_COPIED = ("environment", "benchmarks", "logs")
"""Folders whose files are copied as they are: one of a name is the same everywhere."""


class CannotMerge(ValueError):  # noqa: N818 - it is named for what it is
    """Directories that are not to be pooled; `lines` name what differs."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(lines))


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did.

    Attributes:
        added: Records that the directory had not.
        records: All that it has now.
        compacted: Those that were moved into parts.
    """

    added: int
    records: int
    compacted: int


@dataclass(frozen=True, slots=True)
class _Held:
    """A record in one of the directories: its digest, and the file that it lies in."""

    digest: bytes
    path: Path


def merge(sources: Sequence[Path], target: Path, *, apart: bool = False) -> Merged:
    """Put run directories of one study into one; one that was merged before may take more.

    Args:
        sources: Run directories; they stay as they are.
        target: A new directory, or a run directory of the same study.
        apart: Whether environments that differ are let stand side by side; they are never pooled.

    Raises:
        CannotMerge: The directories differ in what must not differ; nothing was written.
        RecordError: One is no run directory, or its study, a plan or an environment is damaged.
        StorageError: There is no room.
    """
    already = [target] if (target / "study.json").is_file() else []
    runs = list({path.resolve(): path for path in (*already, *sources)}.values())
    studies = {run: read_study(run) for run in runs}
    plans = _united(runs)
    _refuse(_other_studies(studies))
    if not apart:
        _refuse(_other_machines(runs, plans))
    _refuse(_other_files(runs))
    held, twice = _records(runs, plans)
    _refuse(twice)

    had = parts.names(target)
    write_study(target, _with_history(list(studies.values())))
    for environment, trials in plans.items():
        write_plan(target, environment, trials)
    for path in _to_copy(runs, target):
        write_bytes(own_folder(target, path.parent.name) / path.name, read_bytes(path))
    compacted = _copy_records({name: one.path for name, one in held.items() if name not in had}, target)
    return Merged(len(held.keys() - had), len(held.keys() | had), compacted)


def _refuse(lines: Iterable[str]) -> None:
    if found := list(lines):
        raise CannotMerge(found)


def _with_history(studies: Sequence[ResolvedStudy]) -> ResolvedStudy:
    """The study, with what any of the directories says of its past."""
    exploratory = dict.fromkeys(name for study in studies for name in study.exploratory)
    extended = dict.fromkeys(look for study in studies for look in study.extended)
    return replace(studies[0], exploratory=tuple(exploratory), extended=tuple(extended))


def _other_studies(studies: dict[Path, ResolvedStudy]) -> Iterator[str]:
    """Whatever was declared otherwise; more blocks too, as error rates rest on how many were declared."""
    (run, first), *others = studies.items()
    declared = dump(first)
    for other, study in others:
        if study.digest == first.digest:
            continue
        told = dump(study)
        if study.name != first.name:
            yield f"{other}: study {study.name}, but {run} has {first.name}"
            continue
        names = [key for key in declared if key not in HISTORY and told[key] != declared[key]]
        yield f"{other}: another study than {run}: {', '.join(_where(first, study, names))}"


def _where(first: ResolvedStudy, study: ResolvedStudy, names: Iterable[str]) -> Iterator[str]:
    """The fields that differ; of workloads which ones, and in what."""
    for name in names:
        here, there = (
            {one.name: one for one in getattr(s, name)} if name in _NAMED else {} for s in (first, study)
        )
        if here.keys() == there.keys() and here:
            for key in here:
                mine, its = dump(here[key]), dump(there[key])
                fields = [
                    f"{field} {mine[field]} and {its[field]}" if isinstance(mine[field], int) else field
                    for field in mine
                    if mine[field] != its[field]
                ]
                if fields:
                    hint = " (run both with the same --seeds)" if "replicates" in " ".join(fields) else ""
                    yield f"{name}: {key}: {', '.join(fields)}{hint}"
        else:
            yield name


_NAMED = frozenset({"factors", "arms", "workloads", "metrics"})


def _united(runs: Iterable[Path]) -> dict[str, frozenset[str]]:
    plans: dict[str, frozenset[str]] = {}
    for run in runs:
        for environment, trials in read_plans(run).items():
            plans[environment] = plans.get(environment, frozenset()) | trials
    return plans


def _other_machines(runs: Sequence[Path], planned: Iterable[str]) -> Iterator[str]:
    """Facts in which environments differ that a study was run in."""
    known: dict[str, tuple[Path, dict[str, Free]]] = {}
    for run in runs:
        for name, facts in read_environments(run).items():
            known.setdefault(name, (run, facts))
    mine = [known[name] for name in planned if name in known]
    for run, facts in mine[1:]:
        first_run, first = mine[0]
        differ = [
            f"{key} {first.get(key, 'unknown')} and {facts.get(key, 'unknown')}"
            for key in sorted(first.keys() | facts.keys())
            if first.get(key) != facts.get(key)
        ]
        yield (
            f"{first_run} and {run}: other environments: {', '.join(differ)}; --apart keeps them side by side"
        )


def _to_copy(runs: Iterable[Path], target: Path) -> list[Path]:
    """Files that are copied as they are, each once, unless the target has them."""
    found: dict[tuple[str, str], Path] = {}
    for folder in _COPIED:
        for run in runs:
            for path in sorted((run / folder).glob("[!.]*")):
                if path.is_file() and not (target / folder / path.name).exists():
                    found.setdefault((folder, path.name), path)
    return list(found.values())


def _other_files(runs: Sequence[Path]) -> Iterator[str]:
    found: dict[tuple[str, str], Path] = {}
    for folder in _COPIED:
        for run in runs:
            for path in sorted((run / folder).glob("[!.]*")):
                first = found.setdefault((folder, path.name), path)
                if first != path and read_bytes(first) != read_bytes(path):
                    yield f"{path}: other content than {first}"


def _records(
    runs: Sequence[Path], plans: dict[str, frozenset[str]]
) -> tuple[dict[str, _Held], Iterator[str]]:
    """Where each record lies, and what stands in the way of pooling them."""
    held: dict[str, _Held] = {}
    lines: list[str] = []
    by_place: dict[tuple[str, str, str, str], tuple[str, Path]] = {}
    for run in runs:
        damaged: list[tuple[Path, str]] = []
        for path, entry in parts.entries(run, damaged):
            digest = hashlib.sha256(entry.text).digest()
            known = held.setdefault(entry.name, _Held(digest, path))
            if known.digest != digest:
                lines.append(f"{path}: {entry.name}: other content than in {known.path}")
            if known.path == path:
                lines += _under_two_ids(entry, path, plans, by_place)
        lines += [f"{path}: {reason}" for path, reason in damaged if path.suffix == parts.SUFFIX]
    return held, iter(lines)


def _under_two_ids(
    entry: parts.Entry,
    path: Path,
    plans: dict[str, frozenset[str]],
    by_place: dict[tuple[str, str, str, str], tuple[str, Path]],
) -> Iterator[str]:
    try:
        record = entry.record()
    except RecordError:
        return  # it is copied as it is, and named where it is read
    for one in current([record], plans):
        for place in _places(one):
            trial, where = by_place.setdefault(place, (one.trial, path))
            if trial != one.trial:
                _, workload, block, arm = place
                yield (
                    f"{path}: {workload} {block} {arm} is trial {one.trial}, but {trial} in {where}:"
                    " sources or settings differ"
                )
                return


def _places(record: Record) -> Iterator[tuple[str, str, str, str]]:
    for outcome in record.outcomes:
        yield record.environment, record.workload, record.block, outcome.arm


def _copy_records(new: dict[str, Path], target: Path) -> int:
    """Records of other directories, by name; many files go straight into parts. Return how many did."""
    folder = own_folder(target, "records")
    for path in sorted({path for path in new.values() if path.suffix == parts.SUFFIX}):
        write_bytes(folder / path.name, read_bytes(path))
    loose = {name: path for name, path in new.items() if path.suffix != parts.SUFFIX}
    packed = set(parts.packed(target, loose.values())) if len(loose) > parts.MOST_FILES else set()
    for name in loose.keys() - packed:
        write_bytes(folder / name, read_bytes(loose[name]))
    return len(packed) + parts.compact(target)
