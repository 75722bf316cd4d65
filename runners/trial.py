"""The trial: the unit of execution and of resuming, and what its id is a hash of."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

import ablations
from ablations.building import stream_seed
from results.records.resolved_study import Workload

_HOW_MANY = {
    *("seeds", "processes", "half_width", "max_processes", "batch_sizes", "cards", "spot_check"),
}
"""Settings that say how many blocks and companions there are, and change none of them."""

_PACKAGES = {"ablations": Path(ablations.__file__).parent, "runners": Path(__file__).parent}


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
        id: A hash of what defines it; see `make_trial`.
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
        plugins: Files of the user's own architectures.
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

    @property
    def optional(self) -> bool:
        """Whether a stopping rule may find it not worth running."""
        return self.index >= self.workload.replicates

    def stream(self, name: str, *, arm: str = "") -> int:
        """The seed of a random stream of this block; the same for every arm unless one is named."""
        return stream_seed(self.seed, f"{name}/{self.block}/{arm}")

    def to_json(self) -> dict[str, Any]:
        """As plain values, for another process."""
        return asdict(self)


def make_trial(**fields: Any) -> Trial:
    """A trial whose id is a hash of what defines it: levels, workload, block, the sources it runs through.

    The number of blocks is no part of it, so that a run with more seeds keeps those it has.
    """
    trial = Trial(id="", **fields)
    given = trial.workload.settings
    settings = {key: value for key, value in given.items() if key not in _HOW_MANY}
    definition = {
        "kind": trial.workload.kind,
        "settings": settings,
        "arms": [(arm.name, arm.complete_variant) for arm in trial.arms],
        "baseline": trial.workload.variants["baseline"],
        "block": trial.block,
        "seed": trial.seed,
        "device": trial.device,
        "threads": trial.threads,
        "sources": sources_digest(trial.workload.kind, trial.plugins),
    }
    digest = hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()
    return replace(trial, id=digest[:16])


def trial_from_json(content: dict[str, Any]) -> Trial:
    """The inverse of `Trial.to_json`."""
    return _TRIAL.validate_python(content)


_TRIAL = TypeAdapter(Trial)


@cache
def sources_digest(kind: str, plugins: tuple[str, ...]) -> str:
    """A hash of the source files that a trial of that kind runs through."""
    files = [*_PACKAGES["ablations"].glob("*.py"), *_PACKAGES["ablations"].glob("architectures/*.py")]
    runners = _PACKAGES["runners"]
    files += [runners / "execute.py", runners / "probes" / f"{kind}.py"]
    files += {
        "complexity": [runners / "complexity.py"],
        "memory": [*runners.glob("memory/*.py")],
        "throughput": [*runners.glob("timing/*.py"), runners / "devices.py"],
        "convergence": [*runners.glob("datasets/*.py")],
    }.get(kind, [])
    digest = hashlib.sha256()
    for path in [*sorted(files), *map(Path, plugins)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()
