"""The trial: the unit of execution and of resuming. What its id is a hash of is in `runners.trial_id`."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

from ablations.seeds import stream_seed
from results.records.resolved_study import Workload
from runners.folder import Folder


@dataclass(frozen=True, slots=True)
class TrialArm:
    """An arm in the context of a workload: its name, its variant for people and with every level."""

    name: str
    variant: str
    complete_variant: str


@dataclass(frozen=True, slots=True)
class Trial:
    """One process of its own.

    Attributes:
        id: A hash of what defines it.
        workload: What the arms are put through.
        arms: One arm, or all of a contrast where they are interleaved.
        block: What it shares with the trials it is compared with: `seed-3`, `process-0`, `exact`.
        index: The block's number, 0 first.
        seed: The study's seed, root of every stream.
        device: `cpu`, `cuda`, ...
        threads: Threads of PyTorch in the process.
        timed: Whether it must have the machine to itself.
        wave: Trials of one wave may run side by side; waves follow one another.
        estimated_seconds: A rough forecast, for plans and progress.
        plugins: Files of plugins that its process loads first.
        folder: The folder that its data set lies in; None for any other data set. What it holds is part of
            the data set's name.
    """

    id: str
    workload: Workload
    arms: tuple[TrialArm, ...]
    block: str
    index: int
    seed: int
    device: str
    threads: int
    timed: bool
    wave: int
    estimated_seconds: float
    plugins: tuple[str, ...] = ()
    folder: Folder | None = None

    @property
    def optional(self) -> bool:
        """Whether a stopping rule may find it not worth running."""
        return all(self.index >= self.workload.planned(arm.name) for arm in self.arms)

    def stream(self, name: str, *, arm: str = "") -> int:
        """The seed of a random stream of this block; the same for every arm unless one is named."""
        return stream_seed(self.seed, f"{name}/{self.block}/{arm}")

    def to_json(self) -> dict[str, Any]:
        """As plain values, for another process."""
        return asdict(self)


_TRIAL = TypeAdapter(Trial)


def trial_from_json(content: dict[str, Any]) -> Trial:
    """The inverse of `Trial.to_json`."""
    return _TRIAL.validate_json(json.dumps(content))
