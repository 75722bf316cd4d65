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
        description="Mean cross-entropy over the last epoch's steps.",
    ),
    Metric(
        name="steps_to_target",
        label="steps to target",
        unit="steps",
        better="lower",
        effect_kind="ratio",
        margin=0.1,
        description="Steps after which validation accuracy first reached the target, evaluated each epoch.",
    ),
)
