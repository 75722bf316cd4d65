"""The keys of a convergence workload."""

from typing import ClassVar

from pydantic import Field

from runners.workload_settings import WorkloadSettings


class ConvergenceSettings(WorkloadSettings):
    """Keys of a workload of kind convergence."""

    ONLY_HOW_MANY: ClassVar[frozenset[str]] = frozenset({"seeds"})

    dataset: str = Field("digits", description="see `ablate list datasets`")
    image_size: int = Field(32, ge=1, le=8192, description="images are resized to this height and width")
    batch_size: int = Field(64, ge=1, description="images a step")
    seeds: int = Field(6, ge=1, le=10_000, description="seeds, which n counts; below 6 no verdict")
    epochs: int = Field(5, ge=1, description="passes over the training images")
    train_images: int | None = Field(
        None, ge=1, description="use only so many training images; all by default"
    )
    learning_rate: float = Field(
        0.05, gt=0, description="peak, after a tenth of the steps, then a cosine to 0"
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="of SGD")
    weight_decay: float = Field(5e-4, ge=0, description="of SGD")
    target: float = Field(0.9, gt=0, lt=1, description="validation accuracy that steps_to_target waits for")

    @property
    def replicates(self) -> int:
        """One block a seed."""
        return self.seeds

    @property
    def context(self) -> str:
        """The budget."""
        return f"{self.epochs} epochs, SGD at {self.learning_rate:g}"
