"""Workloads that exist beside another one: the same question at other batches, or asked in another way."""

from results.records.resolved_study import ResolvedStudy, Workload


def spot_check_of(workload: Workload) -> str:
    """The interleaved workload that this one repeats with each arm alone in its processes; "" if none."""
    return str(workload.settings.get("spot_check_of") or "")


def sweep_of(workload: Workload) -> str:
    """The workload that this one repeats at another batch size; "" if none."""
    return str(workload.settings.get("sweep_of") or "")


def equal_memory_of(workload: Workload) -> str:
    """The workload that this one repeats with, for each arm, the batch that a card holds; "" if none."""
    return str(workload.settings.get("equal_memory_of") or "")


def sweeps(study: ResolvedStudy) -> dict[str, str]:
    """For each member of a sweep over batch sizes the workload that the sweep belongs to, itself included."""
    members = {w.name: sweep_of(w) for w in study.workloads if sweep_of(w)}
    names = {w.name for w in study.workloads}
    return {base: base for base in members.values() if base in names} | members


def stands_in_headlines(workload: Workload) -> bool:
    """Whether its headline metrics belong there: a check, or one of many batch sizes, speaks for no arm."""
    return not spot_check_of(workload) and sweep_of(workload) in {"", workload.name}
