"""What a convergence trial takes."""

from runners import datasets
from runners.probes.convergence.settings import ConvergenceSettings


def estimate_seconds(settings: ConvergenceSettings, macs: list[int], rate: float) -> float:
    """Training, and validation as often as the recipe says."""
    images = datasets.get(settings.dataset).development_size
    if settings.train_images is not None:
        images = min(images, settings.train_images)
    per_image = sum(0.00025 + 3.3 * 1.1 * count / rate for count in macs)
    return 1.0 + settings.epochs * images * per_image
