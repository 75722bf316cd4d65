"""What every workload of a study file has; each probe adds its own keys."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self, TypedDict

from pydantic import BaseModel, ConfigDict, Field

from ablations import Level, execution
from results.records.resolved_study import RelationKind, Stopping
from runners.memory.settings import MemoryFormat, Precision
from runners.outcomes import NotApplicable

Mode = Literal["train", "inference"]
Share = Literal["baseline", "placebo", "arm"]
"""What an arm is when blocks are shared out; a placebo must match the baseline bit for bit."""


class WorkloadSettings(BaseModel):
    """Attributes are the keys of a `[[workloads]]` table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ONLY_HOW_MANY: ClassVar[frozenset[str]] = frozenset()
    """Keys that say how many blocks or companions there are, or else change no figure: no part of an id."""

    kind: str = Field(description="what measures it: see `ablate list metrics`")
    name: str = Field(
        "", pattern=r"^[A-Za-z0-9_.-]*$", description="unique in the study; the kind by default"
    )
    levels: dict[str, str] = Field({}, description="the context: levels that all arms share")
    image_size: int = Field(224, ge=1, le=8192, description="height and width in pixels")

    @property
    def replicates(self) -> int:
        """How many blocks the workload has."""
        return 1

    @property
    def paired(self) -> bool:
        """Whether arms are compared block by block; else each is a sample of its own."""
        return True

    def blocks_of(self, share: Share) -> int:  # noqa: ARG002 - for those that share them out unevenly
        """How many blocks such an arm has."""
        return self.replicates

    @property
    def context(self) -> str:
        """What the workload's name does not say, in a few words."""
        return self.conditions

    @property
    def conditions(self) -> str:
        """What is not as usual: `channels-last, compiled`; empty for nothing."""
        return ""

    @property
    def interleaved(self) -> bool:
        """Whether all arms share a process (True), or each has its own."""
        return False

    @property
    def stopping(self) -> Stopping | None:
        """When blocks beyond `replicates` are not worth it; None where there are none."""
        return None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd about these settings, a line each."""
        return ()

    @property
    def companions(self) -> tuple[tuple[RelationKind, "WorkloadSettings"], ...]:
        """Workloads that come with this one, each with how it belongs to it."""
        return ()


class How(TypedDict):
    """Fields of `runners.memory.settings.StepSettings`."""

    precision: Precision
    memory_format: MemoryFormat
    checkpointing: bool
    fold_batchnorm: bool


class RunningSettings(WorkloadSettings):
    """And how networks are run, unless an arm says otherwise for itself: each key is a factor, too."""

    precision: Precision = Field(
        "fp32",
        description="bf16-autocast computes the forward pass and the loss under autocast; bf16 holds weights,"
        " gradients and images in bfloat16",
    )
    channels_last: bool = Field(False, description="weights and images in NHWC memory format")
    checkpointing: bool = Field(
        False, description="blocks keep their input only and compute the rest again in the backward pass"
    )

    def of(self, levels: Mapping[str, Level]) -> Self:
        """These settings as a variant asks for them.

        Args:
            levels: The variant's.

        Raises:
            NotApplicable: It asks for what is none of them, as a training does not fold what it trains.
        """
        asked = {name: level for name, level in execution.asked(levels).items() if level != "false"}
        if strange := sorted(asked.keys() - type(self).model_fields.keys()):
            raise NotApplicable(f"{', '.join(strange)} changes nothing in a workload of kind {self.kind}")
        own = {name: level for name, level in execution.asked(levels).items() if hasattr(self, name)}
        return self.model_validate(self.model_dump() | own) if own else self

    @property
    def how(self) -> How:
        """The same in the words of `StepSettings`."""
        return {
            "precision": self.precision,
            "memory_format": "channels_last" if self.channels_last else "contiguous",
            "checkpointing": self.checkpointing,
            "fold_batchnorm": bool(getattr(self, "fold_batchnorm", False)),
        }

    @property
    def _running(self) -> dict[str, bool]:
        """What may be said of how networks are run, and whether it is so."""
        return {
            self.precision: self.precision != "fp32",
            "channels-last": self.channels_last,
            "checkpointed": self.checkpointing,
        }
