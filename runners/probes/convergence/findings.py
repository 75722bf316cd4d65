"""What a training came to, as a record holds it."""

from results.records.record import Curve, Measurement
from runners.outcomes import Findings
from runners.probes.convergence.course import Course, Scores


def findings(course: Course, *, test: Scores, target: float, device: str) -> Findings:
    """Final figures, curves, and why there is no number where the target was missed.

    Args:
        course: The training, one evaluation at least.
        test: On the test images, after the last step.
        target: What `steps_to_target` waits for: validation accuracy or, of pixels, mean IoU.
        device: Where it was trained.
    """

    def measurement(metric: str, value: float, split: str) -> Measurement:
        return Measurement(metric, (value,), source="measured", device=device, mode="train", split=split)

    if test.of_pixels:
        score, validated = "validation_mean_iou", [scores.mean_iou for scores in course.evaluations]
        tested = {
            "test_mean_iou": test.mean_iou,
            "test_foreground_iou": test.foreground_iou,
            "test_pixel_accuracy": test.accuracy,
            "test_pixel_cross_entropy": test.cross_entropy,
        }
    else:
        score, validated = "validation_accuracy", [scores.accuracy for scores in course.evaluations]
        tested = {
            "test_accuracy": test.accuracy,
            "test_true_class_probability": test.true_class_probability,
            "test_cross_entropy": test.cross_entropy,
        }
    measurements = [measurement(metric, value, "test") for metric, value in tested.items()]
    measurements.append(measurement(score, validated[-1], "validation"))
    measurements.append(measurement("train_loss", course.train_losses[-1], "train"))
    details = course.details
    evaluations = zip(course.steps, validated, strict=True)
    reached = next((step for step, value in evaluations if value >= target), None)
    if reached is not None:
        measurements.append(measurement("steps_to_target", float(reached), "validation"))
    else:
        details["censored"] = {
            "steps_to_target": f"{score.replace('_', ' ')} {target:g} was not reached;"
            f" the best in {course.steps[-1]} steps was {max(validated):.3f}"
        }
    losses = tuple(scores.cross_entropy for scores in course.evaluations)
    steps = tuple(course.steps)
    curves = (
        Curve(score, "validation", steps, tuple(validated)),
        Curve("validation_loss", "validation", steps, losses),
        Curve("train_loss", "train", steps, tuple(course.train_losses)),
    )
    return Findings(tuple(measurements), curves, details)
