"""Where trials run, one launcher a file; every file here is found by discovery and listed nowhere."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from results.records.record import Record
from runners.errors import BadInput
from runners.registry import Registry
from runners.trial import Trial


@dataclass(frozen=True, slots=True)
class Task:
    """A trial to run, and which try it is."""

    trial: Trial
    attempt: int


@dataclass(frozen=True, slots=True)
class Event:
    """What the display is told: a record that was written, or (None) that a second has passed.

    Attributes:
        record: How a trial ended.
        running: Trials under way.
        added: Trials that were found to be worth running after all.
        dropped: Trials that were found not to be.
    """

    record: Record | None
    running: tuple[Trial, ...] = ()
    added: tuple[Trial, ...] = ()
    dropped: tuple[Trial, ...] = ()


Notify = Callable[[Event], None]


class Run(Protocol):
    """Runs tasks until all have ended; each leaves a record, whatever becomes of it."""

    def __call__(
        self,
        tasks: Iterable[Task],
        *,
        directory: Path,
        environment: str,
        jobs: int,
        notify: Notify,
        until: float | None = None,
    ) -> None:
        """Run them.

        Args:
            tasks: In order; a timed one has the machine to itself, each has an accelerator to itself, and a
                wave begins when the one before has ended. The next one is asked for when there is room for
                it: it may no longer be wanted.
            directory: The run directory.
            environment: Id of the environment.
            jobs: Processes at once.
            notify: Called after each record, and about once a second.
            until: On the clock of `time.monotonic`: what is under way then is ended, as by Ctrl-C (no record,
                run again next time), and the call returns; None for no such time.

        Raises:
            StorageError: The run directory takes no more.
        """


def _here(device: str, _: Callable[[str], None]) -> dict[str, Any]:
    from runners import environment  # imports PyTorch, which a listing does without

    return environment.capture(device)


@dataclass(frozen=True, slots=True)
class Launcher:
    """A place where trials run.

    Attributes:
        name: As `--launcher` writes it.
        summary: One line for listings.
        run: Runs tasks there.
        prepare: Begins in the background what takes seconds before the first task can run; called while
            there is still planning to do.
        environment: Tells what the machine is that trials run on, from the device they run on; told of what
            a user should know by the function it is given. Of this machine unless a launcher has its own.
        at: Makes a launcher of what `--launcher` says behind a colon; None where nothing may stand there.
    """

    name: str
    summary: str
    run: Run
    prepare: Callable[[], None] = lambda: None
    environment: Callable[[str, Callable[[str], None]], dict[str, Any]] = _here
    at: "Callable[[str], Launcher] | None" = None


REGISTRY = Registry(__name__, "LAUNCHER", "launcher", Launcher, lambda launcher: launcher.name)


def launchers() -> dict[str, Launcher]:
    """Every launcher by name."""
    return REGISTRY.all()


def get(name: str) -> Launcher:
    """Look a launcher up.

    Args:
        name: Its name; `NAME:ARGUMENT` where it takes one.

    Raises:
        BadInput: There is none of that name, or it takes no argument.
    """
    name, colon, argument = name.partition(":")
    launcher = REGISTRY.get(name)
    if not colon:
        return launcher
    if launcher.at is None:
        raise BadInput(f"launcher {name!r} takes nothing behind a colon; use --launcher {name}")
    return launcher.at(argument)
