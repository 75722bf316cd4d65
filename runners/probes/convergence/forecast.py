"""What a convergence trial takes."""

from runners.probes.convergence.evaluation import TRAINING_PASSES, images
from runners.probes.convergence.settings import ConvergenceSettings


def estimate_seconds(settings: ConvergenceSettings, macs: list[int], rate: float) -> float:
    """Training, and evaluation as often as the recipe says."""
    trained, validated, tested = images(settings)
    passes = trained + (validated + tested) / TRAINING_PASSES
    return 1.0 + passes * sum(0.00025 + 3.3 * count / rate for count in macs)
