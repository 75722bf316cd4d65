"""How long trials will take: the suite's own forecast, corrected by how long such trials took here."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import median

from results.records.record import Record
from runners.trial import Trial

START_SECONDS = 0.2
"""Of a trial's process before its record's clock starts and after it stops."""

_RECENT = 12
"""So many records speak, the last ones: a machine that others use is as fast as it is now."""


class Forecast:
    """Seconds of trials on this machine.

    The suite's forecast counts as one trial beside those on record, so that a first one, which waits for
    PyTorch to be imported, does not speak for all.
    """

    def __init__(self, trials: Iterable[Trial] = (), records: Iterable[Record] = ()) -> None:
        """Learn from what is on record.

        Args:
            trials: Those that records may be of; a record of another one tells nothing.
            records: Of this environment.
        """
        self._of_arms: dict[tuple[str, ...], list[float]] = defaultdict(list)
        self._of_workload: dict[str, list[float]] = defaultdict(list)
        known: Mapping[str, Trial] = {trial.id: trial for trial in trials}
        for record in sorted(records, key=lambda one: one.started_at):
            if record.trial in known:
                self.learn(known[record.trial], record)

    def learn(self, trial: Trial, record: Record) -> None:
        """Take in how long a trial took; one that failed, or went on from a checkpoint, tells nothing."""
        if record.status in {"ok", "diverged"} and "resumed_at_step" not in record.details:
            factor = record.seconds / max(trial.estimated_seconds, 0.01)
            self._of_arms[_key(trial)].append(factor)
            self._of_workload[trial.workload.name].append(factor)

    def seconds(self, trial: Trial) -> float:
        """Of the trial's process, from its start to its end."""
        seen = self._of_arms.get(_key(trial)) or self._of_workload.get(trial.workload.name, [])
        return START_SECONDS + trial.estimated_seconds * median([1.0, *seen[-_RECENT:]])


def _key(trial: Trial) -> tuple[str, ...]:
    return (trial.workload.name, *(arm.name for arm in trial.arms))
