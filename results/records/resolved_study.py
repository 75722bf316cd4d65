"""The resolved study as a run directory keeps it: fixed, hashed and written before the first trial.

Whoever analyses a run reads this file alone to know what was asked: no architecture is imported.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from results.records.metric import Metric
from results.records.record import SCHEMA_VERSION, RecordError, write_json

FactorKind = Literal["behavioural", "equivalent", "resource-only"]
Role = Literal["baseline", "control", "arm"]
WorkloadKind = Literal["complexity", "memory", "throughput", "convergence"]

CONTROL_FACTOR, CONTROL_LEVEL = "(control)", "duplicate"


@dataclass(frozen=True, slots=True)
class FactorInfo:
    """A factor of the study: its kind, its help text, its levels as text, the study's baseline first."""

    name: str
    kind: FactorKind
    help: str
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arm:
    """An assignment of levels to the study's factors.

    Attributes:
        name: Unique in the study: `baseline`, `(control)`, `stem=deep64`, `norm=none,stem=deep64`.
        role: `control` is the A/A arm, a duplicate of the baseline.
        changes: The levels that differ from the study's baseline, as text; empty for baseline and control.
    """

    name: str
    role: Role
    changes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Stopping:
    """When a workload was measured enough; declared before the first trial, and never about significance.

    Attributes:
        metric: The metric whose intervals are looked at.
        half_width: What the simultaneous interval of each arm's ratio may reach to either side: 0.02
            means a factor of 1.02.
        at_most: Blocks where it ends in any case.
    """

    metric: str
    half_width: float
    at_most: int


@dataclass(frozen=True, slots=True)
class Workload:
    """What the arms are put through, and its context.

    Attributes:
        name: Unique in the study.
        kind: The probe that runs it.
        block_unit: What n counts: `process`, `seed` or `exact` (one deterministic trial).
        replicates: Blocks planned; the fewest of them where `stopping` adds more.
        variants: Canonical specification of each arm in this context, by arm name.
        input_size: Height and width of the input in pixels.
        batch_size: Images a step; None where it does not matter.
        precision: `fp32`, `bf16-autocast` or `bf16`.
        dataset: Name of the data set; None where the input is synthetic.
        context: The context in words, e.g. "resnet depth 50, 224 px, batch 32".
        settings: Everything else that defines the workload (steps, recipe, target, threads).
        stopping: When further blocks are not worth it; None where their number is fixed.
    """

    name: str
    kind: WorkloadKind
    block_unit: str
    replicates: int
    variants: dict[str, str]
    input_size: int
    batch_size: int | None
    precision: str
    dataset: str | None
    context: str
    settings: dict[str, Any]
    stopping: Stopping | None = None


@dataclass(frozen=True, slots=True)
class ResolvedStudy:
    """A study with every default filled in.

    Attributes:
        name: The study's name.
        question: What it asks, in one sentence.
        architecture: The network family.
        design: `one-at-a-time` or `full-factorial`.
        seed: Root of every random choice.
        factors: The factors compared.
        arms: Baseline first, then the control, then the others.
        workloads: What the arms are put through.
        metrics: What is measured, with the study's margins.
        budget_seconds: What blocks beyond the fewest may take in sum; None without a limit.
        exploratory: What was changed after the first trial, in words.
    """

    name: str
    question: str
    architecture: str
    design: str
    seed: int
    factors: tuple[FactorInfo, ...]
    arms: tuple[Arm, ...]
    workloads: tuple[Workload, ...]
    metrics: tuple[Metric, ...]
    budget_seconds: float | None = None
    exploratory: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 over all of it but `exploratory`."""
        content = asdict(self)
        del content["exploratory"]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def write_study(run: Path, study: ResolvedStudy) -> None:
    """Write `study.json` into a run directory."""
    write_json(run / "study.json", {"schema_version": SCHEMA_VERSION, "digest": study.digest} | asdict(study))


def read_study(run: Path) -> ResolvedStudy:
    """Read `study.json` of a run directory.

    Raises:
        RecordError: There is none, or it is not of this schema.
    """
    path = run / "study.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RecordError(f"{run}: not a run directory (no study.json)") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RecordError(f"{path}: not a readable JSON file ({error})") from error
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != SCHEMA_VERSION:
        raise RecordError(f"{path}: schema version {version!r}, expected {SCHEMA_VERSION}")
    try:
        return _study(content)
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(f"{path}: not a study ({error!r})") from error


def _study(content: dict[str, Any]) -> ResolvedStudy:
    fields = {name: value for name, value in content.items() if name not in {"schema_version", "digest"}}
    return ResolvedStudy(
        **fields
        | {
            "factors": tuple(FactorInfo(**f | {"levels": tuple(f["levels"])}) for f in content["factors"]),
            "arms": tuple(Arm(**a) for a in content["arms"]),
            "workloads": tuple(workload_from_json(w) for w in content["workloads"]),
            "metrics": tuple(Metric(**m) for m in content["metrics"]),
            "exploratory": tuple(content["exploratory"]),
        }
    )


def workload_from_json(content: dict[str, Any]) -> Workload:
    """The inverse of `dataclasses.asdict` for a workload."""
    stopping = content.get("stopping")
    return Workload(**content | {"stopping": stopping and Stopping(**stopping)})
