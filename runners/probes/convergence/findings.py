"""What a training came to, as a record holds it."""

from results.records.record import Curve, Measurement, OutcomeDetails
from runners.outcomes import Findings
from runners.probes.convergence.course import Course


def findings(course: Course, *, test_accuracy: float, target: float, device: str) -> Findings:
    """Final figures, curves, and why there is no number where the target was missed.

    Args:
        course: The training, one epoch at least.
        test_accuracy: On the test images, after the last step.
        target: Validation accuracy that `steps_to_target` waits for.
        device: Where it was trained.
    """

    def measurement(metric: str, value: float, split: str) -> Measurement:
        return Measurement(metric, (value,), source="measured", device=device, mode="train", split=split)

    measurements = [
        measurement("test_accuracy", test_accuracy, "test"),
        measurement("validation_accuracy", course.accuracies[-1], "validation"),
        measurement("train_loss", course.train_losses[-1], "train"),
    ]
    details: OutcomeDetails = {}
    evaluations = zip(course.steps, course.accuracies, strict=True)
    reached = next((step for step, accuracy in evaluations if accuracy >= target), None)
    if reached is not None:
        measurements.append(measurement("steps_to_target", float(reached), "validation"))
    else:
        best = max(course.accuracies)
        details["censored"] = {
            "steps_to_target": f"validation accuracy {target:g} was not reached;"
            f" the best in {course.steps[-1]} steps was {best:.3f}"
        }
    steps = tuple(course.steps)
    curves = (
        Curve("validation_accuracy", "validation", steps, tuple(course.accuracies)),
        Curve("validation_loss", "validation", steps, tuple(course.validation_losses)),
        Curve("train_loss", "train", steps, tuple(course.train_losses)),
    )
    return Findings(tuple(measurements), curves, details)
