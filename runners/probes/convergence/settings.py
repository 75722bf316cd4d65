"""The keys of a convergence workload."""

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from results.records.resolved_study import RelationKind, Stopping
from runners import datasets
from runners.probes.convergence import recipes
from runners.probes.convergence.evaluation import evaluation_warnings
from runners.workload_settings import RunningSettings, Share, WorkloadSettings

PROVEN_SEEDS = 2
"""Of an arm that must match the baseline bit for bit: what two seeds show, more would not show better."""


class ConvergenceSettings(RunningSettings):
    """Keys of a workload of kind convergence."""

    ONLY_HOW_MANY: ClassVar[frozenset[str]] = frozenset(
        {
            *("seeds", "baseline_seeds", "max_seeds", "half_width", "pairing", "tune", "tuning_seeds"),
            "checkpoint_seconds",
        }
    )

    dataset: str = Field("digits", description="see `ablate list datasets`")
    image_size: int = Field(32, ge=1, le=8192, description="images are resized to this height and width")
    batch_size: int = Field(64, ge=1, description="images a step")
    seeds: int = Field(
        6, ge=1, le=10_000, description="seeds of each arm, which n counts; below 6 no verdict"
    )
    baseline_seeds: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="seeds of the baseline, on which every arm leans; as many by default",
    )
    half_width: float | None = Field(
        None,
        gt=0,
        le=1,
        description="add seeds where the interval of the test accuracy (of pixels: mean IoU) reaches farther"
        " than this to either side: 0.005 is half a point; the first `seeds` say how many it takes",
    )
    max_seeds: int = Field(40, ge=1, le=10_000, description="of an arm, where `half_width` asks for more")
    pairing: Literal["none", "seed"] = Field(
        "none",
        description="none: arms are samples of their own; seed: compared seed by seed, which pays where a"
        " pilot shows that a seed does the same to both (here it does not)",
    )
    recipe: str = Field(
        "",
        description="keys that belong together, which hold where none is given here: see"
        " `ablate list recipes`",
    )
    epochs: int = Field(5, ge=1, description="passes over the training images")
    train_images: int | None = Field(
        None, ge=1, description="use only so many training images; all by default"
    )
    validation_images: int | None = Field(
        None, ge=10, description="drawn by seed, class by class; a fifth by default, the rest is trained on"
    )
    evaluations: int | None = Field(
        None, ge=1, description="on the validation images, evenly over the course; each epoch by default"
    )
    optimizer: Literal["sgd", "adamw"] = Field("sgd", description="sgd has Nesterov's momentum if told so")
    learning_rate: float = Field(0.05, gt=0, description="at its peak")
    tune: tuple[float, ...] = Field(
        (),
        description="multiples of the learning rate, e.g. [0.3, 1, 3], tried for each arm alike; adds a"
        " workload in which each arm trains at the one that validation finds best",
    )
    tuning_seeds: int = Field(3, ge=1, le=100, description="of each arm and multiple in `tune`")
    own_rate: bool = Field(
        False, description="set for the workload that `tune` adds: each arm at the rate found for it"
    )
    schedule: Literal["cosine", "linear", "constant"] = Field(
        "cosine", description="how the learning rate falls to 0 after the warm-up"
    )
    warmup: float = Field(0.1, ge=0, lt=1, description="share of the steps in which the learning rate rises")
    momentum: float = Field(0.9, ge=0, lt=1, description="of SGD")
    nesterov: bool = Field(False, description="Nesterov's momentum, of SGD")
    weight_decay: float = Field(5e-4, ge=0, description="of all parameters")
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="share of each label that goes to all classes"
    )
    augmentation: Literal["none", "shift", "flip", "shift+flip", "crop+flip"] = Field(
        "none",
        description="of each training image at each step: moved by up to an eighth, mirrored, or a crop of 8"
        " to 100 % of it enlarged",
    )
    inside: int = Field(
        0,
        ge=0,
        le=1000,
        description="looks at the gradients, activations and dead ReLUs of each layer, evenly over the steps,"
        " the first and the last among them; 0: none",
    )
    channels_last: bool = Field(True, description="weights and images in NHWC memory format, which is faster")
    target: float = Field(
        0.9,
        gt=0,
        lt=1,
        description="validation accuracy (of pixels: mean IoU) that steps_to_target waits for",
    )
    checkpoint_seconds: float = Field(
        60.0,
        ge=0,
        le=1e9,
        description="of training, after which it is written down how far it has come: a run that is cut off"
        " goes on from there; 0: after each step",
    )

    @model_validator(mode="before")
    @classmethod
    def _by_recipe(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("recipe"), str) or not given["recipe"]:
            return given
        if given.keys() >= cls.model_fields.keys():  # a trial's, which knows no plugin's recipe
            return given
        return recipes.get(given["recipe"]) | given

    @field_validator("tune")
    @classmethod
    def _multiples(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if (
            any(not 0 < multiple < 1e6 for multiple in value)
            or len(set(value)) != len(value)
            or len(value) == 1
        ):
            raise ValueError("expected two or more different multiples above 0, e.g. [0.3, 1, 3]")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.nesterov and (self.optimizer != "sgd" or self.momentum == 0):
            raise ValueError('nesterov needs optimizer = "sgd" with momentum')
        if self.half_width is not None and self.pairing == "seed":
            raise ValueError('half_width needs pairing = "none": more seeds go to some arms only')
        return self

    @property
    def replicates(self) -> int:
        """One block a seed."""
        return self.seeds

    @property
    def paired(self) -> bool:
        """As the study declares."""
        return self.pairing == "seed"

    def blocks_of(self, share: Share) -> int:
        """More seeds where all arms lean, fewer where bit-identity is to be shown."""
        if self.paired:
            return self.seeds
        if share == "placebo":
            return min(self.seeds, PROVEN_SEEDS)
        return self.baseline_seeds or self.seeds if share == "baseline" else self.seeds

    @property
    def stopping(self) -> Stopping | None:
        """When the accuracy is known well enough, where that was declared."""
        if self.half_width is None:
            return None
        score = "test_mean_iou" if datasets.get(self.dataset).per_pixel else "test_accuracy"
        return Stopping(score, self.half_width, max(self.seeds, self.max_seeds), self.seeds)

    @property
    def context(self) -> str:
        """The budget: what is learnt in one is not what is learnt in another."""
        return ", ".join(self._budget.values())

    @property
    def conditions(self) -> str:
        """What of the budget is not as usual."""
        usual = type(self)(kind=self.kind)._budget
        return ", ".join(words for key, words in self._budget.items() if words != usual.get(key))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Where looking takes more than learning can spare."""
        return evaluation_warnings(self)

    @property
    def _budget(self) -> dict[str, str]:
        name = {"sgd": "SGD", "adamw": "AdamW"}[self.optimizer]
        rate = "each arm's own rate" if self.own_rate else f"{self.learning_rate:g}"
        said = {"epochs": f"{self.epochs} epochs", "rate": f"{name} at {rate}"}
        said |= {"augmentation": self.augmentation} if self.augmentation != "none" else {}
        running = self._running | {"channels-last": False}  # as is usual here
        return said | {words: words for words, is_so in running.items() if is_so}

    @property
    def companions(self) -> tuple[tuple[RelationKind, WorkloadSettings], ...]:
        """The rates that are tried, and the workload in which each arm has its own."""
        if not self.tune:
            return ()
        few = {"seeds": self.tuning_seeds, "baseline_seeds": None}
        found: list[tuple[RelationKind, dict[str, Any]]] = [
            (
                "rate_search",
                few | {"name": f"{self.name}-rate-{rate:g}", "learning_rate": rate, "inside": 0},
            )
            for rate in (float(f"{multiple * self.learning_rate:.4g}") for multiple in self.tune)
        ]
        found.append(("tuned", {"name": f"{self.name}-tuned", "own_rate": True}))
        return tuple(
            (relation, self.model_validate({**self.model_dump(), "tune": (), "half_width": None, **changes}))
            for relation, changes in found
        )
