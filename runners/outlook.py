"""What a budget is forecast to come to: a run of it by forecast alone, with nothing on record."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from results.records.resolved_study import EXACT, ResolvedStudy
from results.verdicts.statistics import MINIMUM_BLOCKS
from runners.priorities import Machine, Standing, chosen, is_alone
from runners.trial import Trial


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A trial with when it is forecast to start and to end, in seconds from the first one's start."""

    trial: Trial
    start: float
    end: float


def foreseen(
    study: ResolvedStudy, trials: Sequence[Trial], machine: Machine, seconds: float
) -> list[Foreseen]:
    """The trials that a budget leaves time for, in the order in which they start.

    Args:
        study: The study.
        trials: Those that are wanted, in the plan's order.
        machine: What runs them.
        seconds: Time for measuring.
    """
    left = {trial.id: trial for trial in trials}
    blocks: dict[tuple[str, str], int] = defaultdict(int)
    found: list[Foreseen] = []
    running: list[Foreseen] = []
    now = 0.0
    while left:
        if len(running) >= machine.jobs:
            now = min(one.end for one in running)
            running = [one for one in running if one.end > now]
        standing = Standing(study, list(left.values()), blocks, seconds - now)
        trial = chosen(standing, machine, [(one.trial, one.end - now) for one in running])
        if trial is None:
            return found
        if any(is_alone(t) or t.wave != trial.wave for t in (trial, *(one.trial for one in running))):
            now = max([now, *(one.end for one in running)])
            running = []
        running.append(Foreseen(trial, now, now + machine.seconds(trial)))
        found.append(running[-1])
        del left[trial.id]
        for arm in trial.arms:
            blocks[trial.workload.name, arm.name] += 1
    return found


def contrasts(study: ResolvedStudy, trials: Sequence[Trial]) -> dict[str, tuple[int, int]]:
    """By workload, how many contrasts have as many blocks as a verdict needs, and how many there are."""
    blocks: dict[tuple[str, str], int] = defaultdict(int)
    for trial in trials:
        for arm in trial.arms:
            blocks[trial.workload.name, arm.name] += 1
    arms = [arm.name for arm in study.arms if arm.role == "arm"]
    found = {}
    for workload in study.workloads:
        fewest = 1 if workload.block_unit == EXACT else MINIMUM_BLOCKS
        there = {
            arm
            for arm in workload.variants
            if blocks[workload.name, arm] >= min(fewest, workload.planned(arm))
        }
        mine = [arm for arm in arms if arm in workload.variants]
        complete = sum(arm in there for arm in mine) if study.baseline in there else 0
        found[workload.name] = (complete, len(mine))
    return found
