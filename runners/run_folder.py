"""Which run a trial's process works for: known to what the trial runs through without being handed on."""

from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run directory, as one trial's process sees it.

    Attributes:
        directory: Where it is.
        environment: Id of the environment that the trial runs in.
    """

    directory: Path
    environment: str


CURRENT: ContextVar[RunFolder | None] = ContextVar("run_folder", default=None)
"""Set by `runners.execute`; None where a trial is run by hand."""
