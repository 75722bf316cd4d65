"""The resolved study as a run directory keeps it: fixed, hashed and written before the first trial.

Whoever analyses a run reads this file alone to know what was asked: no architecture is imported.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from results.records.declared_claim import DeclaredClaim
from results.records.files import SCHEMA_VERSION, RecordError, dump, explain, parse, write_json
from results.records.metric import Metric
from results.records.values import STRICT, Free, Positive, Text

FactorKind = Literal["behavioural", "equivalent", "resource-only"]
Role = Literal["baseline", "control", "arm"]
RelationKind = Literal["sweep", "equal_memory", "spot_check", "rate_search", "tuned"]

MOST_LOOKS = 20
CONTROL_FACTOR, CONTROL_LEVEL = "(control)", "duplicate"
HISTORY = ("exploratory", "extended")
"""What a study says of its own past, which is no part of what was declared."""
EXACT = "exact"
"""The block of a workload in which one deterministic trial decides, and what its `n` counts."""


@dataclass(frozen=True, slots=True)
class FactorInfo:
    """A factor of the study: its kind, its help text, its levels as text, the study's baseline first."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: Text
    kind: FactorKind
    help: Text
    levels: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Arm:
    """An assignment of levels to the study's factors.

    Attributes:
        name: Unique in the study: `baseline`, `(control)`, `stem=deep64`, `norm=none,stem=deep64`.
        role: `control` is the A/A arm, a duplicate of the baseline.
        changes: The levels that differ from the study's baseline, as text; empty for baseline and control.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: Text
    role: Role
    changes: dict[Text, Text]


@dataclass(frozen=True, slots=True)
class Stopping:
    """When a workload was measured enough; declared before the first trial, and never about significance.

    Attributes:
        metric: The metric whose intervals are looked at.
        half_width: What the simultaneous interval of each arm's ratio may reach to either side: 0.02
            means a factor of 1.02.
        at_most: Blocks where it ends in any case.
        first_stage: The first so many blocks say how many there will be, and how long each; the spread of
            those after them makes the intervals. (Stein's two stages: an interval whose width rests on the
            numbers that stopped it covers too seldom.)
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    metric: Text
    half_width: Annotated[float, Field(gt=0, le=1)]
    at_most: Positive
    first_stage: Positive = 4


@dataclass(frozen=True, slots=True)
class Relation:
    """How a workload belongs to another one: the same question, asked in another way.

    Attributes:
        kind: `sweep` is another batch size, `equal_memory` each arm at the batch that a card holds,
            `spot_check` each arm alone in its processes, `rate_search` another learning rate, tried on few
            seeds, `tuned` each arm at the rate that was found best for it.
        of: The workload that it belongs to.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    kind: RelationKind
    of: Text


@dataclass(frozen=True, slots=True)
class Workload:
    """What the arms are put through, and its context.

    Attributes:
        name: Unique in the study.
        kind: The probe that runs it.
        block_unit: What n counts: `process`, `seed` or `exact` (one deterministic trial).
        replicates: Blocks planned for each arm that `blocks` does not name; the fewest of them where
            `stopping` adds more.
        variants: Canonical specification of each arm in this context, by arm name.
        input_size: Height and width of the input in pixels.
        batch_size: Images a step; None where it does not matter, or each arm has its own.
        precision: `fp32`, `bf16-autocast` or `bf16`.
        dataset: Name of the data set; None where the input is synthetic.
        context: The context in words, e.g. "resnet depth 50, 224 px, batch 32".
        settings: Everything else that defines the workload (steps, recipe, target, threads).
        stopping: When further blocks are not worth it; None where their number is fixed.
        relation: The workload that this one belongs to, and how; None where it stands for itself.
        conditions: What is not as usual, in words: "channels-last, compiled"; empty for nothing.
        paired: Whether arms are compared block by block, as declared; else each is a sample of its own.
        blocks: Blocks planned by arm, where it is not `replicates`.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: Text
    kind: Text
    block_unit: Text
    replicates: Annotated[int, Field(ge=1, le=100_000)]
    variants: dict[Text, Text]
    input_size: Positive
    batch_size: Positive | None
    precision: Text
    dataset: Text | None
    context: Text
    settings: dict[Text, Free]
    stopping: Stopping | None = None
    relation: Relation | None = None
    conditions: Text = ""
    paired: bool = True
    blocks: dict[Text, Positive] = field(default_factory=dict)

    def planned(self, arm: str) -> int:
        """Blocks planned for an arm; the fewest of them where `stopping` adds more."""
        return self.blocks.get(arm, self.replicates)

    def most(self, arm: str) -> int:
        """Blocks that an arm may come to; in proportion to those planned where `stopping` adds more."""
        if self.stopping is None or self.planned(arm) < self.replicates:
            return self.planned(arm)
        return math.ceil(self.stopping.at_most * self.planned(arm) / self.replicates)

    def belongs_to(self, kind: RelationKind) -> str | None:
        """The workload that it is the sweep, equal memory or spot check of; None if of none."""
        return self.relation.of if self.relation is not None and self.relation.kind == kind else None

    @property
    def levels(self) -> dict[str, str]:
        """The levels that the study fixed for all arms, but for channels and classes, which data decides."""
        told = self.settings.get("levels")
        levels = told if isinstance(told, dict) else {}
        return {str(k): str(v) for k, v in levels.items() if k not in {"in_channels", "num_classes"}}

    @property
    def stands_in_headlines(self) -> bool:
        """Whether its headline metrics belong there: a check or one of a sweep speaks for itself."""
        return self.relation is None or self.relation.kind in {"equal_memory", "tuned"}


@dataclass(frozen=True, slots=True)
class ResolvedStudy:
    """A study with every default filled in.

    Attributes:
        name: The study's name.
        question: What it asks, in one sentence.
        architecture: The network family.
        design: `one-at-a-time`, `leave-one-out`, `both-at-once`, `full-factorial` or `fractional-factorial`.
        seed: Root of every random choice.
        factors: The factors compared.
        arms: Baseline first, then the control, then the others.
        workloads: What the arms are put through.
        metrics: What is measured, with the study's margins.
        looks: How often verdicts may be looked at, blocks being added in between: each look has its share
            of the error.
        exploratory: What was changed after the first trial: the names of the fields.
        extended: What blocks were added to after a verdict could be seen, an entry each time.
        claims: What others say, each tied to what decides it.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: Text
    question: Text
    architecture: Text
    design: Text
    seed: int
    factors: tuple[FactorInfo, ...]
    arms: tuple[Arm, ...]
    workloads: tuple[Workload, ...]
    metrics: tuple[Metric, ...]
    looks: Annotated[int, Field(ge=1, le=MOST_LOOKS)] = 1
    exploratory: tuple[Text, ...] = ()
    extended: tuple[Text, ...] = ()
    claims: tuple[DeclaredClaim, ...] = ()

    def __post_init__(self) -> None:
        for noun in ("factors", "arms", "workloads", "metrics"):
            twice = _repeated(one.name for one in getattr(self, noun))
            if twice is not None:
                raise ValueError(f"{noun}: two are named {twice!r}")
        if [arm.role for arm in self.arms].count("baseline") != 1:
            raise ValueError("arms: expected one with the role 'baseline'")
        known = {arm.name for arm in self.arms}
        for workload in self.workloads:
            if not workload.variants.keys() <= known:
                stranger = min(workload.variants.keys() - known)
                raise ValueError(f"workload {workload.name}: a variant of {stranger!r}, which is no arm")
            if workload.variants and self.baseline not in workload.variants:
                raise ValueError(f"workload {workload.name}: no variant of the baseline")

    @property
    def baseline(self) -> str:
        """Name of the baseline arm."""
        return next(arm.name for arm in self.arms if arm.role == "baseline")

    @property
    def digest(self) -> str:
        """SHA-256 over all of it but its history: `exploratory` and `extended`."""
        return _digest(dump(self))

    @property
    def looks_taken(self) -> int:
        """How often verdicts could be seen: once, and once more after each time that blocks were added."""
        return 1 + len(self.extended)

    @property
    def sweeps(self) -> dict[str, str]:
        """For each member of a sweep over batch sizes the workload that it belongs to, itself included."""
        members = {w.name: of for w in self.workloads if (of := w.belongs_to("sweep")) is not None}
        return {of: of for of in members.values()} | members

    def labels(self, arm: Arm) -> dict[str, str]:
        """`factor`, `level` and `baseline_level` of an arm; several changes are joined by `+`, sorted."""
        if arm.role == "control":
            return {"factor": CONTROL_FACTOR, "level": CONTROL_LEVEL, "baseline_level": ""}
        names = sorted(arm.changes)
        return {
            "factor": "+".join(names),
            "level": "+".join(arm.changes[name] for name in names),
            "baseline_level": "+".join(map(self.first_level, names)),
        }

    def first_level(self, factor: str) -> str:
        """A factor's level in the baseline; "" where it is not known."""
        return next((one.levels[0] for one in self.factors if one.name == factor and one.levels), "")


def _repeated(names: Iterable[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)


def _digest(content: dict[str, Any]) -> str:
    declared = {key: value for key, value in content.items() if key not in _NOT_DECLARED}
    return hashlib.sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()


_NOT_DECLARED = {"schema_version", "digest", *HISTORY}
_RELATIONS: dict[str, RelationKind] = {
    "sweep_of": "sweep",
    "equal_memory_of": "equal_memory",
    "spot_check_of": "spot_check",
}
"""Keys by which workloads said in their settings what they belong to, before there was a field for it."""


_CONTENT = TypeAdapter(dict[str, Any])
_STUDY = TypeAdapter(ResolvedStudy)


def write_study(run: Path, study: ResolvedStudy) -> None:
    """Write `study.json` into a run directory.

    Raises:
        StorageError: It cannot be written.
    """
    write_json(run / "study.json", {"schema_version": SCHEMA_VERSION, "digest": study.digest} | dump(study))


def read_study(run: Path) -> ResolvedStudy:
    """Read `study.json` of a run directory.

    Raises:
        RecordError: There is none, it is not of this schema, or it was changed after it was written.
    """
    path = run / "study.json"
    if not path.is_file():
        raise RecordError(f"{run}: not a run directory (no study.json)")
    content = parse(path, _CONTENT, "a study")
    version = content.pop("schema_version", None)
    if version is True or version != SCHEMA_VERSION:
        raise RecordError(f"{path}: not a study: schema version {version!r}, expected {SCHEMA_VERSION}")
    written = content.pop("digest", None)
    try:
        study = _STUDY.validate_json(json.dumps(_upgraded(content)), strict=True)
    except ValidationError as error:
        raise RecordError(f"{path}: not a study: {explain(error)}") from error
    if written != _digest(content):
        raise RecordError(
            f"{path}: changed after it was written, so that its margins and stopping rules are not those "
            "declared beforehand; restore it, or run the study again with --fresh"
        )
    return study


def _upgraded(content: dict[str, Any]) -> dict[str, Any]:
    """A study as it is written today.

    Earlier ones kept a workload's relation among its settings, and held a budget, which is no part of what
    is asked.
    """
    content = {key: value for key, value in content.items() if key != "budget_seconds"}
    workloads = content.get("workloads")
    if not isinstance(workloads, list):
        return content
    told = content.get("exploratory") or []
    if isinstance(told, list) and all(isinstance(one, str) for one in told):
        told = [one.removeprefix("changed after the first trial: ") for one in told]
    return content | {
        "workloads": [_with_relation(one) if isinstance(one, dict) else one for one in workloads],
        "exploratory": told,
    }


def _with_relation(workload: dict[str, Any]) -> dict[str, Any]:
    settings = workload.get("settings")
    if not isinstance(settings, dict) or workload.get("relation") is not None:
        return workload
    for key, kind in _RELATIONS.items():
        if key in settings:
            return workload | {"relation": {"kind": kind, "of": settings[key]}}
    return workload
