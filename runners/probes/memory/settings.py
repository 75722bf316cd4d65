"""The keys of a memory workload."""

from pydantic import Field, field_validator

from runners.cards import cards_by_size
from runners.memory.settings import OptimizerName, Target
from runners.workload_settings import Mode, RunningSettings


class MemorySettings(RunningSettings):
    """Keys of a workload of kind memory."""

    batch_size: int = Field(32, ge=1, description="images a step")
    modes: tuple[Mode, ...] = Field(("train", "inference"), min_length=1, description="what is followed")
    simulate: tuple[Target, ...] = Field(("cuda",), description="devices to simulate; they need not be there")
    measure: bool = Field(False, description="run the step and read the allocator too")
    optimizer: OptimizerName = Field("sgd", description="its state is part of the memory")
    momentum: float = Field(0.9, ge=0, description="of SGD; 0 keeps no state")
    fold_batchnorm: bool = Field(
        False, description="fold each BatchNorm into the convolution before it, in inference"
    )
    cards: tuple[str, ...] = Field((), description="find the largest batch for cards of these sizes: 24GiB")

    @field_validator("cards")
    @classmethod
    def _by_size(cls, cards: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(cards_by_size(cards))

    @property
    def card_bytes(self) -> dict[str, int]:
        """Bytes of each card."""
        return cards_by_size(self.cards)

    @property
    def context(self) -> str:
        """The optimizer, and what is not as usual."""
        optimizer = f"SGD, momentum {self.momentum:g}" if self.optimizer == "sgd" else "AdamW"
        return f"{optimizer}, {self.conditions}" if self.conditions else optimizer

    @property
    def conditions(self) -> str:
        """What is not as usual."""
        said = self._running | {"BatchNorm folded": self.fold_batchnorm}
        return ", ".join(words for words, is_so in said.items() if is_so)
