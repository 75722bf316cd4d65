"""What a training came to, as a record holds it."""

from results.records.record import Curve, Measurement
from runners.outcomes import Findings
from runners.probes.convergence.course import Course, Scores


def findings(course: Course, *, test: Scores, target: float, device: str) -> Findings:
    """Final figures, curves, and why there is no number where the target was missed.

    Args:
        course: The training, one evaluation at least.
        test: On the test images, after the last step.
        target: Validation accuracy that `steps_to_target` waits for.
        device: Where it was trained.
    """

    def measurement(metric: str, value: float, split: str) -> Measurement:
        return Measurement(metric, (value,), source="measured", device=device, mode="train", split=split)

    accuracies = [scores.accuracy for scores in course.evaluations]
    measurements = [
        measurement("test_accuracy", test.accuracy, "test"),
        measurement("test_true_class_probability", test.true_class_probability, "test"),
        measurement("test_cross_entropy", test.cross_entropy, "test"),
        measurement("validation_accuracy", accuracies[-1], "validation"),
        measurement("train_loss", course.train_losses[-1], "train"),
    ]
    details = course.details
    evaluations = zip(course.steps, accuracies, strict=True)
    reached = next((step for step, accuracy in evaluations if accuracy >= target), None)
    if reached is not None:
        measurements.append(measurement("steps_to_target", float(reached), "validation"))
    else:
        details["censored"] = {
            "steps_to_target": f"validation accuracy {target:g} was not reached;"
            f" the best in {course.steps[-1]} steps was {max(accuracies):.3f}"
        }
    losses = tuple(scores.cross_entropy for scores in course.evaluations)
    steps = tuple(course.steps)
    curves = (
        Curve("validation_accuracy", "validation", steps, tuple(accuracies)),
        Curve("validation_loss", "validation", steps, losses),
        Curve("train_loss", "train", steps, tuple(course.train_losses)),
    )
    return Findings(tuple(measurements), curves, details)
