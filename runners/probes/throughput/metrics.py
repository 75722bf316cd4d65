"""How long a step takes, and its parts."""

from results.records.metric import Metric

PERCENTILES = {50: 2, 95: 20, 99: 100}
"""Percentiles of the latency, and from how many steps on there is one."""


def _seconds(name: str, label: str, description: str, *, headline: bool = False) -> Metric:
    return Metric(
        name=name,
        label=label,
        unit="seconds",
        better="lower",
        effect_kind="ratio",
        margin=0.05,
        headline=headline,
        description=description,
    )


METRICS = (
    _seconds(
        "step_seconds",
        "time per step",
        "Wall time of one step on one batch: forward in inference; forward, backward and optimizer in"
        " training.",
        headline=True,
    ),
    Metric(
        name="images_per_second",
        label="images per second",
        unit="images/s",
        better="higher",
        effect_kind="ratio",
        margin=0.05,
        headline=True,
        description="Where each arm has a batch of its own, the largest that a card has room for.",
    ),
    _seconds(
        "step_seconds_per_gmac",
        "time per GMAC",
        "Time per step over the 10^9 multiply-accumulates of its forward pass: an arm that does more work is"
        " not slower at the same work.",
    ),
    _seconds("forward_seconds", "forward pass", "Of a training step: the forward pass and the loss."),
    _seconds("backward_seconds", "backward pass", "Of a training step: the backward pass."),
    _seconds("optimizer_seconds", "optimizer step", "Of a training step: the update of the weights."),
    *(
        _seconds(
            f"latency_p{percentile}_seconds",
            f"latency, percentile {percentile}",
            f"Percentile {percentile} of the times of single inference steps, from {fewest} steps on.",
        )
        for percentile, fewest in PERCENTILES.items()
    ),
    _seconds(
        "device_step_seconds",
        "device time per step",
        "Time of one step by the accelerator's own events, without the wait for its queue.",
    ),
    _seconds(
        "compile_seconds",
        "compile time",
        "First step under torch.compile, from a cold cache, less a steady step.",
    ),
)
