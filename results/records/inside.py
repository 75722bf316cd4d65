"""What a record keeps of looks inside a network while it trained: quantities by layer, step by step."""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

from results.records.values import STRICT, Count, Number, Positive, Text

QUANTITIES = (
    "gradient_norm",
    "gradient_to_weight",
    "input_mean",
    "input_variance",
    "input_drift",
    "chance_drift",
    "dead_share",
)
"""In the order of reading; the first two are of layers with weights, the others of activations."""
_SIGNED = frozenset({"input_mean"})
_SHARES = frozenset({"dead_share"})


@dataclass(frozen=True, slots=True)
class LayerCurves:
    """One quantity by layer over the course of a training.

    Attributes:
        what: One of `QUANTITIES`:
            `gradient_norm` (of the weight, L2), `gradient_to_weight` (the same, over the weight's own norm),
            `input_mean` and `input_variance` (over all elements that reach an activation in a batch),
            `input_drift` (how far the mean of a channel lies from that of the batch before, in standard
            deviations of the channel; the median over channels), `chance_drift` (what another draw of images
            alone would bring about if channels were not normalised by batch), `dead_share` (channels without
            a positive output in the batch).
        layer: Dotted names of modules; `relu:2` is the second call of one within a forward pass.
        depth: For each layer how many layers with weights a forward pass has entered up to it.
        channels: For each layer its output channels, or units.
        step: Optimizer steps, 1 first; all is of the step's own batch and of the weights before the step.
        values: By step, then by layer; None where there is no finite number, or none was taken.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    what: Text
    layer: tuple[Text, ...]
    depth: tuple[Count, ...]
    channels: tuple[Positive, ...]
    step: tuple[Positive, ...]
    values: tuple[tuple[Number | None, ...], ...]

    def __post_init__(self) -> None:
        layers = len(self.layer)
        lengths = {len(self.depth), len(self.channels), *map(len, self.values)}
        if lengths - {layers} or len(self.values) != len(self.step):
            raise ValueError(
                f"{self.what}: expected {len(self.step)} rows of {layers} values, a depth and channels each"
            )
        low = -float("inf") if self.what in _SIGNED or self.what not in QUANTITIES else 0.0
        high = 1.0 if self.what in _SHARES else float("inf")
        for value in (value for row in self.values for value in row if value is not None):
            if not low <= value <= high:
                raise ValueError(f"{self.what} is {value:g}, which it cannot be")
