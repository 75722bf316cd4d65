"""What is known of each arm of a process so far, and where the process's time went."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

from results.records.record import Measurement, Outcome, OutcomeDetails
from runners.outcomes import blank, failure
from runners.trial import Trial, TrialArm


class Ledger:
    """Outcomes of all arms, which begin well and blank.

    Attributes:
        spent: Seconds by what they were spent on.
    """

    def __init__(self, trial: Trial) -> None:
        self.spent: dict[str, float] = {}
        self._trial = trial
        self._outcomes = {arm.name: blank(arm) for arm in trial.arms}

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """One per arm, in the trial's order."""
        return tuple(self._outcomes.values())

    @property
    def well(self) -> list[TrialArm]:
        """Arms that did not fail so far."""
        return [arm for arm in self._trial.arms if self.is_well(arm.name)]

    def is_well(self, name: str) -> bool:
        """Whether an arm did not fail so far."""
        return self._outcomes[name].status == "ok"

    def details(self, name: str) -> OutcomeDetails:
        """What was added of an arm."""
        return self._outcomes[name].details

    def add(self, name: str, *, measurements: Iterable[Measurement] = (), details: OutcomeDetails) -> None:
        """Note what was found out about an arm."""
        outcome = self._outcomes[name]
        self._outcomes[name] = replace(
            outcome,
            measurements=(*outcome.measurements, *measurements),
            details=cast("OutcomeDetails", {**outcome.details, **details}),
        )

    def fail(self, name: str, error: BaseException) -> None:
        """Note that an arm raised: from then on it is out, and what was timed of it is dropped."""
        arm = next(arm for arm in self._trial.arms if arm.name == name)
        self._outcomes[name] = failure(self._trial, arm, error)

    @contextmanager
    def charge(self, what: str) -> Iterator[None]:
        """Note how long the block took."""
        start = time.perf_counter()
        yield
        self.spent[what] = self.spent.get(what, 0.0) + time.perf_counter() - start
