"""What a study says of its own history: what was changed, or added to, after results could be seen."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from results.records import parts
from results.records.directory import read_records
from results.records.resolved_study import ResolvedStudy, Workload, read_study
from results.verdicts.statistics import MINIMUM_BLOCKS
from runners import probes

_DECLARED = (
    *("question", "architecture", "design", "seed", "factors", "arms", "workloads", "metrics"),
    "looks",
)


def marked(resolved: ResolvedStudy, directory: Path) -> ResolvedStudy:
    """The study, marked where the directory holds records of another version of it.

    More blocks of the same are no other question, and yet a look: verdicts were there to be seen before
    they were asked for. Whatever else differs makes it exploratory.
    """
    if not parts.anything(directory):
        return resolved
    before = read_study(directory)
    now = {workload.name: workload for workload in resolved.workloads}
    added = {old.name: said for old in before.workloads if (said := _added(old, now.get(old.name)))}
    told = tuple(_counted_as(old, now[old.name]) if old.name in added else old for old in before.workloads)
    alike = replace(before, workloads=told)
    changed = [name for name in _DECLARED if getattr(alike, name) != getattr(resolved, name)]
    seen = _speaking(directory, added) if added else set()
    look = ", ".join(f"{name} {said}" for name, said in added.items() if name in seen)
    return replace(
        resolved,
        exploratory=tuple(dict.fromkeys((*before.exploratory, *changed))),
        extended=(*before.extended, look) if look else before.extended,
    )


def _added(old: Workload, new: Workload | None) -> str:
    """How many blocks became how many, where nothing else changed and none was taken away; else nothing."""
    if new is None or _counted_as(old, new) != new or _precision(old) != _precision(new):
        return ""
    least = [(old.planned(arm), new.planned(arm)) for arm in new.variants]
    most = [(old.most(arm), new.most(arm)) for arm in new.variants]
    if any(after < before for before, after in [*least, *most]):
        return ""
    for counts, words in ((most, ""), (least, " at least")):
        more = [(before, after) for before, after in counts if before < after]
        if more:
            before, after = max(more)
            return f"from {before} to {after}{words}"
    return ""


def _precision(workload: Workload) -> float | None:
    return workload.stopping.half_width if workload.stopping else None


def _counted_as(old: Workload, new: Workload) -> Workload:
    """The old one with the new one's number of blocks."""
    how_many = probes.get(new.kind).settings.ONLY_HOW_MANY
    counts = {key: value for key, value in new.settings.items() if key in how_many}
    return replace(
        old,
        replicates=new.replicates,
        blocks=new.blocks,
        stopping=new.stopping,
        settings={**old.settings, **counts},
    )


def _speaking(directory: Path, workloads: Iterable[str]) -> set[str]:
    """Those of the workloads that have as many blocks on record as a verdict needs."""
    blocks: dict[str, set[str]] = defaultdict(set)
    for record in read_records(directory)[0]:
        blocks[record.workload].add(record.block)
    return {name for name in workloads if len(blocks[name]) >= MINIMUM_BLOCKS}
