"""What a training comes to."""

from results.records.metric import Metric

METRICS = (
    Metric(
        name="test_accuracy",
        label="test accuracy",
        unit="fraction",
        better="higher",
        effect_kind="difference",
        margin=0.01,
        headline=True,
        description="Share of the fixed test images that are labelled rightly after the last step.",
    ),
    Metric(
        name="test_true_class_probability",
        label="probability of the true class",
        unit="fraction",
        better="higher",
        effect_kind="difference",
        margin=0.01,
        headline=True,
        description="Mean probability that the network gives the right label of a test image after the last"
        " step: what accuracy rounds to 0 or 1, so that fewer seeds tell as much.",
    ),
    Metric(
        name="test_cross_entropy",
        label="test cross-entropy",
        unit="nats",
        better="lower",
        effect_kind="ratio",
        margin=0.1,
        description="Mean over the test images after the last step; compared on the logarithm.",
    ),
    Metric(
        name="validation_accuracy",
        label="validation accuracy",
        unit="fraction",
        better="higher",
        effect_kind="difference",
        margin=0.01,
        description="Share of the seed's validation images that are labelled rightly after the last step.",
    ),
    Metric(
        name="train_loss",
        label="training loss",
        unit="nats",
        better="lower",
        effect_kind="difference",
        margin=0.05,
        description="Mean cross-entropy over the steps since the last evaluation but one.",
    ),
    Metric(
        name="steps_to_target",
        label="steps to target",
        unit="steps",
        better="lower",
        effect_kind="ratio",
        margin=0.1,
        description="Steps after which validation accuracy first reached the target, as far as evaluated.",
    ),
)
