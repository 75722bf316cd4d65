"""What every workload of a study file has; each probe adds its own keys."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from results.records.resolved_study import RelationKind, Stopping

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
