"""The keys of a throughput workload, and what they expand to."""

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from results.records.resolved_study import RelationKind, Stopping
from runners.cards import card_name, cards_by_size
from runners.workload_settings import Mode, RunningSettings, WorkloadSettings

FEWEST_IN_TWO_STAGES = 10
"""The first stage, and as many after it as a verdict needs."""
MOST_PROCESSES = 40
FEWEST_ROUNDS = 8
"""However long a round lasts."""


class ThroughputSettings(RunningSettings):
    """Keys of a workload of kind throughput."""

    ONLY_HOW_MANY: ClassVar[frozenset[str]] = frozenset(
        {"processes", "half_width", "max_processes", "batch_sizes", "cards", "spot_check"}
    )

    batch_size: int = Field(32, ge=1, description="images a step")
    batch_sizes: tuple[int, ...] = Field((), description="a sweep: the same at each of these batch sizes too")
    cards: tuple[str, ...] = Field(
        (), description="equal memory: also each arm at its largest batch on such a card, e.g. 8GiB"
    )
    card: str | None = Field(None, description="each arm at its largest batch on this card, not batch_size")
    modes: tuple[Mode, ...] = Field(("train", "inference"), min_length=1, description="what is timed")
    processes: int = Field(
        12, ge=1, le=1000, description="fresh processes, which n counts; below 6 no verdict"
    )
    half_width: float | None = Field(
        None,
        gt=0,
        le=1,
        description="as many processes, and rounds in each, as make every interval of the ratio this narrow,"
        " e.g. 0.02 for ±2 %; the first four tell how many",
    )
    max_processes: int = Field(
        MOST_PROCESSES, ge=1, le=1000, description="where adding processes for half_width ends"
    )
    arm_seconds: float = Field(
        0.32, gt=0, le=3600, description="how long each arm is timed in each process and mode, in short turns"
    )
    rounds: int = Field(
        32, ge=1, le=10_000, description="turns of each arm, at most; 8 at least if it is more"
    )
    schedule: Literal["interleaved", "isolated"] = Field(
        "interleaved", description="all arms in one process in turns, or one arm a process"
    )
    spot_check: int = Field(
        0, ge=0, le=1000, description="processes of one arm each beside the interleaved ones, to compare"
    )
    threads: int | None = Field(None, ge=1, description="threads of PyTorch; all cores by default")
    pin: bool = Field(
        False,
        description="keep a process on as many cores as it has threads; where others are at work, this"
        " makes figures worse, since the system can no longer move out of their way",
    )
    compile: bool = Field(
        False, description="torch.compile, one process per arm; compiling is timed apart, from a cold cache"
    )
    cudnn_benchmark: bool = Field(False, description="let cuDNN try its algorithms during the warm-up")
    tf32: bool = Field(False, description="TensorFloat-32 in matrix products and convolutions of a GPU")
    fold_batchnorm: bool = Field(
        False, description="fold each BatchNorm into the convolution before it, in inference"
    )
    limit_seconds: float = Field(
        60.0, gt=0, le=3600, description="a warm-up step or a turn that lasts longer is given up as hanging"
    )

    @field_validator("cards")
    @classmethod
    def _by_size(cls, cards: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(cards_by_size(cards))

    @field_validator("card")
    @classmethod
    def _spelled(cls, card: str | None) -> str | None:
        return None if card is None else card_name(card)

    @field_validator("batch_sizes")
    @classmethod
    def _batches(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(size < 1 for size in value):
            raise ValueError("expected batch sizes of 1 or more, e.g. [1, 8, 32]")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.half_width is not None and self.processes < FEWEST_IN_TWO_STAGES:
            raise ValueError(
                f"half_width needs processes of {FEWEST_IN_TWO_STAGES} or more, found {self.processes}: "
                "the first four only tell how many it takes"
            )
        return self

    @property
    def replicates(self) -> int:
        """One block a process."""
        return self.processes

    @property
    def stopping(self) -> Stopping | None:
        """When enough is known, where that was declared."""
        if self.half_width is None:
            return None
        metric = "step_seconds" if self.card is None else "images_per_second"
        return Stopping(metric, self.half_width, max(self.processes, self.max_processes))

    @property
    def interleaved(self) -> bool:
        """All arms in one process; compiled ones never: compiling gives up after recompilations."""
        return self.schedule == "interleaved" and not self.compile

    @property
    def conditions(self) -> str:
        """What is not as usual."""
        said = self._running | {
            "compiled": self.compile,
            "cuDNN benchmark": self.cudnn_benchmark,
            "TF32": self.tf32,
            "BatchNorm folded": self.fold_batchnorm,
            "isolated": self.schedule == "isolated",
            f"largest batch on {self.card}": self.card is not None,
        }
        return ", ".join(words for words, is_so in said.items() if is_so)

    @property
    def companions(self) -> tuple[tuple[RelationKind, WorkloadSettings], ...]:
        """Sweep, equal memory and spot check: each a workload of its own, and how it belongs to this one."""
        alone = {"batch_sizes": (), "cards": (), "spot_check": 0}
        found: list[tuple[RelationKind, dict[str, Any]]] = [
            ("sweep", {"name": f"{self.name}-batch-{size}", "batch_size": size})
            for size in self.batch_sizes
            if size != self.batch_size
        ]
        found += [("equal_memory", {"name": f"{self.name}-{card}", "card": card}) for card in self.cards]
        if self.spot_check and self.interleaved:
            isolated = {"schedule": "isolated", "processes": self.spot_check, "half_width": None}
            found.append(("spot_check", {"name": f"{self.name}-isolated", **isolated}))
        return tuple(
            (relation, self.model_validate({**self.model_dump(), **alone, **changes}))
            for relation, changes in found
        )
