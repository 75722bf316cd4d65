"""What checks come to, in a number."""

from results.records.metric import Metric

METRICS = (
    Metric(
        name="checks_held",
        label="checks that held",
        unit="count",
        better="higher",
        effect_kind="difference",
        margin=0.5,
        exact=True,
        can_be_zero=True,
        description="Checks of claims about semantics that came out as the source says.",
    ),
)
