"""Which trials of a plan are worth running, given what is on record: the plan's stopping rules, applied.

Pure functions: a run that was interrupted goes on to the same trials, and stops at the same one, as a run
that was not.
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from results.records.directory import latest
from results.records.record import Record
from results.records.resolved_study import ResolvedStudy, Workload
from results.verdicts.seeds_needed import seeds_needed
from results.verdicts.sizing import Sizing, size
from results.verdicts.stopping import Failures, going_on
from results.verdicts.tuning import rates_of, searches
from runners.plan import Plan
from runners.trial import Trial
from runners.trial_id import identified

Lost = frozenset[tuple[str, str]]
"""Arms that nobody waits for any more, each as (workload, arm)."""


def wanted(
    planned: Plan, records: Iterable[Record], environment: str, lost: Lost = frozenset()
) -> list[Trial]:
    """The trials known to be worth running: those of the first stage, then one block after the other.

    A later block holds the arms and modes that ask for as many, the baseline and its duplicate, and the
    rounds that the first stage found to cost least: effort goes where it is needed. Whether it is needed is
    known once the blocks before are on record, so that this is asked again after each.

    Args:
        planned: The complete plan.
        records: What is on record; of other environments too, which do not count.
        environment: Id of the environment.
        lost: Arms that are not asked again where they are alone in a process; what they left stays wanted.
    """
    done = {r.trial: r for r in latest(records).values() if r.environment == environment}
    adaptive = [w for w in planned.study.workloads if w.stopping and w.paired]
    found = [
        trial
        for trial in planned.trials
        if _is_first(trial) and (trial.id in done or is_worth_asking(trial, lost))
    ]
    found = _at_own_rates(planned, found, done, lost)
    found += _more_seeds(planned, [trial for trial in found if trial.workload.stopping], done)
    asked = [trial for trial in found if trial.workload in adaptive]
    sizes: dict[str, Sizing] = {}
    for stage in itertools.count():
        if not all(trial.id in done for trial in asked):
            break  # what comes next is not known before these have ended
        evidence = [done[trial.id] for trial in asked]
        for workload in adaptive if not sizes else ():
            sizes[workload.name] = size(planned.study, workload, evidence)
        added = [
            trial
            for workload in adaptive
            for trial in _next_block(planned, workload, sizes[workload.name], evidence, stage)
        ]
        if not added:
            break
        asked += added
        found += added
    return found


def _is_first(trial: Trial) -> bool:
    """Whether it is run before anything is decided: all are where their number is fixed."""
    stopping = trial.workload.stopping
    return trial.index < stopping.first_stage if stopping and trial.workload.paired else not trial.optional


def _at_own_rates(
    planned: Plan, trials: Iterable[Trial], done: Mapping[str, Record], lost: Lost
) -> list[Trial]:
    """Trials of tuned workloads at the rates of their arms, once all were tried; others as given."""
    found = list(trials)
    for tuned in planned.study.workloads:
        tried = {workload.name for workload in searches(planned.study, tuned)}
        if not tried:
            continue
        mine = [trial for trial in found if trial.workload.name == tuned.name]
        found = [trial for trial in found if trial.workload.name != tuned.name]
        asked = [trial for trial in planned.trials if trial.workload.name in tried]
        if all(trial.id in done for trial in asked if is_worth_asking(trial, lost)):
            evidence = [done[trial.id] for trial in asked if trial.id in done]
            rates = rates_of(planned.study, tuned, evidence)
            found += [_with_settings(trial, learning_rate=rates[trial.arms[0].name]) for trial in mine]
    return found


def _with_settings(trial: Trial, **changes: object) -> Trial:
    settings = {**trial.workload.settings, **changes}
    return identified(replace(trial, workload=replace(trial.workload, settings=settings)))


def _more_seeds(planned: Plan, first: Sequence[Trial], done: Mapping[str, Record]) -> list[Trial]:
    """What those arms lack whose first seeds say that they need more; known when all have theirs."""
    found: list[Trial] = []
    for workload in planned.study.workloads:
        mine = [trial for trial in first if trial.workload == workload]
        if workload.paired or not workload.stopping or not all(trial.id in done for trial in mine):
            continue
        needed = seeds_needed(planned.study, workload, [done[trial.id] for trial in mine])
        found += [
            trial
            for trial in planned.trials
            if trial.workload == workload and trial.optional and trial.index < needed[trial.arms[0].name]
        ]
    return found


def lost_arms(failures: Failures, environment: str) -> Lost:
    """Arms that failed in the same way in two blocks of a workload: a third would not do better."""
    return frozenset((workload, arm) for where, workload, arm in failures.given_up if where == environment)


def is_worth_asking(trial: Trial, lost: Lost) -> bool:
    """Whether a trial may find out anything: an arm that is lost stays where others share its process."""
    return any((trial.workload.name, arm.name) not in lost for arm in trial.arms)


def _next_block(
    planned: Plan, workload: Workload, sizing: Sizing, evidence: Sequence[Record], stage: int
) -> list[Trial]:
    """The trials of the workload's next block; none where it has stopped."""
    assert workload.stopping is not None
    blocks = workload.stopping.first_stage + stage
    have = {record.block for record in evidence if record.workload == workload.name}
    if len(have) < blocks:
        return []  # it stopped at an earlier stage
    decision = going_on(workload, sizing, evidence, blocks)
    block = [t for t in planned.trials if t.workload.name == workload.name and t.index == blocks]
    arms = {*decision.arms, *_references(planned.study)}
    return _narrowed(block, arms, decision.modes, sizing.rounds_share) if decision.arms else []


def _references(study: ResolvedStudy) -> set[str]:
    """The arms that every block has: the baseline, and its duplicate for the noise floor."""
    return {arm.name for arm in study.arms if arm.role != "arm"}


def _narrowed(
    block: Sequence[Trial], arms: set[str], modes: frozenset[str], rounds_share: float
) -> list[Trial]:
    """A block's trials with those arms, modes and rounds only; trials that hold them all stay as they are."""
    found = []
    for trial in block:
        kept = tuple(arm for arm in trial.arms if arm.name in arms)
        settings = dict(trial.workload.settings)
        settings["modes"] = [mode for mode in settings["modes"] if mode in modes]
        if rounds_share < 1:  # as long a turn, but fewer of them
            settings["arm_seconds"] *= rounds_share
            settings["rounds"] = math.ceil(settings["rounds"] * rounds_share)
        if not kept:
            continue
        if len(kept) == len(trial.arms) and settings == trial.workload.settings:
            found.append(trial)
            continue
        share = len(kept) / len(trial.arms) * len(settings["modes"]) / len(trial.workload.settings["modes"])
        found.append(
            identified(
                replace(
                    trial,
                    workload=replace(trial.workload, settings=settings),
                    arms=kept,
                    estimated_seconds=trial.estimated_seconds * share,
                )
            )
        )
    return found
