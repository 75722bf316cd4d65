"""What a budget would come to, in words."""

from dataclasses import dataclass, replace

from results.tables.format import count, duration
from runners.budget import Budget, age_seconds, pace_here, report_seconds
from runners.forecast import Forecast
from runners.outlook import contrasts, foreseen
from runners.plan import Plan
from runners.priorities import Machine
from runners.terminal.tables import print_line
from runners.trial import Trial


@dataclass(frozen=True, slots=True)
class Outlook:
    """A budget, looked at beforehand.

    Attributes:
        planned: The plan, its trials in the order in which the budget has them run, then the others.
        within: The trials there is time for.
        planning_seconds: From the start of the process to the first trial.
        report_seconds: For the report.
        seconds: The budget.
    """

    planned: Plan
    within: tuple[Trial, ...]
    planning_seconds: float
    report_seconds: float
    seconds: float


def outlook(planned: Plan, budget: Budget, jobs: int) -> Outlook:
    """Run a plan by forecast alone, as far as a budget reaches; with nothing on record."""
    wanted = [trial for trial in planned.trials if not trial.optional]
    planning = age_seconds()
    machine = Machine(Forecast().seconds, jobs)
    room = budget.seconds - planning
    at_most = [one.trial for one in foreseen(planned.study, wanted, machine, room)]
    contexts = {(trial.workload.name, arm.name) for trial in at_most for arm in trial.arms}
    report = report_seconds(len(contexts), len(at_most), pace_here())
    begun = foreseen(planned.study, wanted, machine, room - report)
    within = {one.trial.id: one.trial for one in begun}
    ordered = {trial.id: trial for trial in (*within.values(), *planned.trials)}
    return Outlook(
        replace(planned, trials=tuple(ordered.values())),
        tuple(within.values()),
        planning,
        report,
        budget.seconds,
    )


def print_outlook(found: Outlook) -> None:
    """Print how far the budget reaches."""
    wanted = [trial for trial in found.planned.trials if not trial.optional]
    decided = contrasts(found.planned.study, found.within)
    print_line(
        f"within {duration(found.seconds)}: {len(found.within)} of {count(len(wanted), 'trial')}, beside "
        f"{duration(found.planning_seconds)} of planning and {duration(found.report_seconds)} for the report"
    )
    told = ", ".join(f"{name} {done} of {every}" for name, (done, every) in decided.items())
    print_line(f"contrasts with as many blocks as a verdict needs: {told}")
