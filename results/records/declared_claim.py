"""A claim as a study declares it before the first trial: the sentence, and what decides it."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from results.records.values import STRICT, Text

Prediction = Literal["lower", "higher", "unchanged", "the same bits", "check"]


@dataclass(frozen=True, slots=True)
class DeclaredClaim:
    """A sentence from a source, tied to what decides it.

    Attributes:
        name: Unique in the study.
        source: Who says so.
        statement: The sentence.
        prediction: What its change does to the metric, or that a check decides.
        predicted: The same in words.
        workload: Where it is measured; "" where this study cannot.
        arm: The arm that is set against the baseline.
        metric: What is measured.
        mode: `train`, `inference` or None.
        turned: Whether the study's baseline has the change already, and the arm takes it back.
        smallest: The smallest effect that counts, as a ratio less 1 or a difference; None for the margin.
        original: The source's own figure and its context, in words.
        reason: Why this study cannot decide it; "" where it can.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: Text
    source: Text
    statement: Text
    prediction: Prediction
    predicted: Text
    workload: Text = ""
    arm: Text = ""
    metric: Text = ""
    mode: Text | None = None
    turned: bool = False
    smallest: Annotated[float, Field(ge=0, le=1e6)] | None = None
    original: Text = ""
    reason: Text = ""
