"""How much of a training goes to looking at it."""

from typing import TYPE_CHECKING

from runners import datasets

if TYPE_CHECKING:
    from runners.probes.convergence.settings import ConvergenceSettings

VALIDATION_FRACTION = 0.2
"""Of the images that are not for testing, where the study says nothing else."""
TRAINING_PASSES = 3
"""Forward passes that a training step takes as long as: the backward pass is two of them."""
EVALUATION_SHARE = 0.1
"""Of a training's time: more of it goes to looking than is worth it."""
FEW_IMAGES = 20_000
"""Validation images that take seconds, whatever their share."""


def images(settings: "ConvergenceSettings") -> tuple[int, int, int]:
    """How many images are trained on, validated on and tested on, each as often as it is."""
    dataset = datasets.get(settings.dataset)
    validation = settings.validation_images or round(VALIDATION_FRACTION * dataset.development_size)
    train = max(1, dataset.development_size - validation)
    if settings.train_images is not None:
        train = min(train, settings.train_images)
    looks = settings.evaluations or settings.epochs
    return settings.epochs * train, looks * validation, dataset.test_size or 0


def evaluation_warnings(settings: "ConvergenceSettings") -> tuple[str, ...]:
    """A line where validation takes more of a training's time than it should."""
    trained, validated, tested = images(settings)
    share = (validated + tested) / (validated + tested + TRAINING_PASSES * trained)
    if share <= EVALUATION_SHARE or validated <= FEW_IMAGES:
        return ()
    return (
        f"evaluation takes about {100 * share:.0f} % of a training ({validated:,} validation images in all,"
        f" {trained:,} trained on); fewer evaluations or validation_images leave more for seeds",
    )
