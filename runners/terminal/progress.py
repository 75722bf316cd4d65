"""What a run shows while it lasts: a bar on a terminal, a line now and then elsewhere."""

import math
import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Task as Bar
from rich.text import Text

from runners import launchers
from runners.launchers import Event
from runners.trial import Trial

LINE_SECONDS = 10.0
"""Between lines where there is no terminal to draw a bar on."""


class Display:
    """Follows a run by the forecast of its trials; redrawn when told, never by a thread of its own."""

    def __init__(
        self,
        console: Console,
        tasks: Sequence[launchers.Task],
        planned: int,
        jobs: int,
        *,
        quiet: bool = False,
        end: float | None = None,
    ) -> None:
        """Begin.

        Args:
            console: Where to print.
            tasks: What is left.
            planned: Number of all trials.
            jobs: Untimed trials side by side.
            quiet: Whether to print failures alone.
            end: When the budget is spent, on the clock of `time.monotonic`; None without one.
        """
        self._console, self._jobs, self._quiet, self._end = console, jobs, quiet, end
        self._estimates = {task.trial.id: self._share(task.trial, jobs) for task in tasks}
        self._total = sum(self._estimates.values())
        self._count, self._ended, self._done = planned, planned - len(tasks), 0.0
        self._start = self._last_line = time.perf_counter()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            _Remaining(self),
            console=console,
            auto_refresh=False,
            disable=quiet or not console.is_terminal,
        )
        self._bar = self._progress.add_task("starting", total=self._total or 1.0)

    @staticmethod
    def _share(trial: Trial, jobs: int) -> float:
        return trial.estimated_seconds / (1 if trial.timed else jobs)

    def __enter__(self) -> "Display":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.refresh()
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Take in an event and redraw."""
        for trial in event.added:
            self._estimates[trial.id] = self._share(trial, self._jobs)
            self._total += self._estimates[trial.id]
            self._count += 1
            self._progress.update(self._bar, total=self._total)
        for trial in event.dropped:
            self._total -= self._estimates.pop(trial.id)
            self._count -= 1
            self._progress.update(self._bar, total=self._total)
        if event.record is not None:
            self._ended += 1
            self._done += self._estimates[event.record.trial]
            for outcome in event.record.outcomes:
                if outcome.status not in ("ok", "not_applicable"):
                    where = f"{event.record.workload} {event.record.block}"
                    self._console.print(
                        f"{outcome.status}: {outcome.arm} in {where}: {outcome.reason}",
                        markup=False,
                        highlight=False,
                        soft_wrap=True,
                    )
        state = f"{self._ended}/{self._count} trials"
        if event.running:
            first = event.running[0]
            what = f"{first.arms[0].name}" if len(first.arms) == 1 else f"{len(first.arms)} arms"
            state += f"  {first.workload.name} {first.block} ({what})"
        self._progress.update(self._bar, completed=self._completed, description=state)
        self._progress.refresh()
        now = time.perf_counter()
        due = now - self._last_line >= LINE_SECONDS or self._ended == self._count
        if due and not self._quiet and not self._console.is_terminal:
            self._last_line = now
            left = self.remaining_seconds
            forecast = f", about {left:.0f} s left" if left is not None else ""
            self._console.print(
                f"[{now - self._start:4.0f} s] {state}{forecast}", markup=False, highlight=False
            )

    @property
    def _completed(self) -> float:
        """Of the forecast's total: what is done, or the share of the time there is, where that is more."""
        if self._end is None or self._total == 0:
            return self._done
        passed = time.perf_counter() - self._start
        return max(self._done, self._total * passed / (passed + self._budget_left or 1.0))

    @property
    def _budget_left(self) -> float:
        return math.inf if self._end is None else max(0.0, self._end - time.monotonic())

    @property
    def remaining_seconds(self) -> float | None:
        """Forecast of what is left, scaled by how the forecasts did so far, and never beyond the budget.

        None before anything ended where there is no budget.

        The plan's own forecast counts as much as a fifth of the run, so that the first trial, which waits
        for PyTorch to be imported, does not speak for all.
        """
        if self._done == 0:
            return None if self._end is None else self._budget_left
        prior = 0.2 * self._total
        pace = (time.perf_counter() - self._start + prior) / (self._done + prior)
        return min(self._budget_left, max(0.0, pace * (self._total - self._done)))


class _Remaining(ProgressColumn):
    def __init__(self, display: Display) -> None:
        super().__init__()
        self._display = display

    def render(self, task: Bar) -> Text:  # noqa: ARG002 - rich's own signature
        left = self._display.remaining_seconds
        return Text("" if left is None else f"about {int(left) // 60}:{int(left) % 60:02d} left")
