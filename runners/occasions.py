"""Occasions: what is timed, once more hours or a restart later, on the same machine.

A machine differs from itself an hour later by more than its processes differ within that hour. Each occasion
repeats the timed blocks of a plan as trials of their own; what does not vary with the day is not repeated.
How many there are follows from the records: an occasion is there once one of its trials is on record.
"""

from collections.abc import Iterable
from dataclasses import replace

from results.records.record import Record, block_on
from runners.plan import Plan
from runners.stages import Lost, wanted
from runners.trial import Trial
from runners.trial_id import identified


def varies(trial: Trial) -> bool:
    """Whether a trial says something else on another occasion."""
    return trial.workload.block_unit == "process"


def on_occasion(planned: Plan, occasion: int) -> Plan:
    """The plan of an occasion: of the first, 0, all of it; of a later one what varies, under other ids."""
    if occasion == 0:
        return planned
    repeated = (replace(t, block=block_on(t.block, occasion)) for t in planned.trials if varies(t))
    return replace(planned, trials=tuple(map(identified, repeated)))


def begun(planned: Plan, records: Iterable[Record], environment: str) -> int:
    """How many occasions there are, the first included; a trial that is planned no more tells of none."""
    found = {(r.occasion, r.trial) for r in records if r.environment == environment and r.occasion}
    known = {
        occasion
        for occasion in {occasion for occasion, _ in found}
        if any((occasion, trial.id) in found for trial in on_occasion(planned, occasion).trials)
    }
    return 1 + max(known, default=0)


def wanted_on(
    planned: Plan, records: Iterable[Record], environment: str, occasion: int, lost: Lost = frozenset()
) -> list[Trial]:
    """As `stages.wanted`, for one occasion: its own records alone decide where it stops."""
    mine = [record for record in records if record.occasion == occasion]
    return wanted(on_occasion(planned, occasion), mine, environment, lost)
