"""What a column and a frame are to those who read them."""

import re
from dataclasses import dataclass
from typing import Literal

import pandas as pd

Dtype = Literal["str", "int64", "Int64", "float64", "bool", "object"]

TEXT = str(pd.Series([""]).dtype)
"""What pandas calls text: `str` from version 3 on, `object` before."""
OF_METRIC = "as `unit` says"
OF_EFFECT = "ratio, or as `unit` says"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a frame.

    Attributes:
        name: Its name; where `pattern` is given, what stands for many names, what varies in capitals.
        dtype: Its dtype, in a frame without rows, too; missing is NaN, and `pd.NA` in `Int64`.
        unit: The unit of its numbers; "" where it has none.
        meaning: What it says, in one sentence or less.
        pattern: A regular expression of the names that it stands for; "" for its own alone.
    """

    name: str
    dtype: Dtype
    unit: str
    meaning: str
    pattern: str = ""

    def names(self, name: str) -> bool:
        """Whether a column of that name is this one."""
        return bool(re.fullmatch(self.pattern, name, re.DOTALL)) if self.pattern else name == self.name


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that a run gives.

    Attributes:
        name: Of the attribute or method of `Run`.
        row: What a row is.
        columns: Its columns, in order.
        recorded: Whether it is what was recorded, value by value: then `Run` has it as an attribute, else
            it was computed, and is a method.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    recorded: bool = False

    def column(self, name: str) -> Column | None:
        """The description of a column; None where there is none."""
        return next((column for column in self.columns if column.names(name)), None)


def text(name: str, meaning: str, pattern: str = "") -> Column:
    """A column of words."""
    return Column(name, "str", "", meaning, pattern)


def count(name: str, unit: str, meaning: str) -> Column:
    """A column of whole numbers, none of which is ever missing."""
    return Column(name, "int64", unit, meaning)


def maybe(name: str, unit: str, meaning: str) -> Column:
    """A column of whole numbers, some of which may be missing."""
    return Column(name, "Int64", unit, meaning)


def number(name: str, unit: str, meaning: str, pattern: str = "") -> Column:
    """A column of numbers."""
    return Column(name, "float64", unit, meaning, pattern)


def flag(name: str, meaning: str) -> Column:
    """A column that is true or false."""
    return Column(name, "bool", "", meaning)


def anything(name: str, unit: str, meaning: str) -> Column:
    """A column of objects."""
    return Column(name, "object", unit, meaning)


ENVIRONMENT = text("environment", "Id of the machine and software on which it ran.")
WORKLOAD = text("workload", "Name of the workload: what the arms were put through.")
KIND = text("kind", "The probe: `memory`, `throughput`, `convergence`, `complexity`, ...")
METRIC = text("metric", "Name of the metric.")
UNIT = text("unit", "Unit of the metric: `bytes`, `seconds`, `count`, `fraction`, `steps`, `nats`, ...")
MODE = text("mode", "`train` or `inference`; missing where a metric has no mode.")
SPLIT = text("split", "`validation` or `test`; missing where nothing was learnt.")
SOURCE = text("source", "`simulated`, `measured`, `observed`, ...: where the figure comes from.")
DEVICE = text("device", "What was measured, or the target of a simulation: `cpu`, `cuda`.")
ARM = text("arm", "Name of the arm: `baseline`, `(control)`, `stem=deep64`.")
ROLE = text("role", "`baseline`, `control` (its duplicate, the A/A arm) or `arm`.")
VARIANT = text("variant", "The arm's network in this context, as a specification.")
DATASET = text("dataset", "Name of the data set; missing where the input is synthetic.")
INPUT_SIZE = count("input_size", "pixels", "Height and width of the input.")
BATCH_SIZE = maybe(
    "batch_size", "images", "Images a step; missing where it has no part, or each arm its own."
)
PRECISION = text("precision", "`fp32`, `bf16-autocast` or `bf16`.")
TRIAL = text("trial", "Id of the trial: a hash of what defines it.")
BLOCK = text(
    "block", "What arms are compared within: `process-3`, `seed-5`; with `@1` on the second occasion."
)
OCCASION = count("occasion", "", "On which occasion it was timed, from 0.")
STARTED_AT = text("started_at", "When the trial started, in ISO 8601.")
ATTEMPT = count("attempt", "", "Which attempt of the trial it was, from 1.")
LABEL = text("label", "The metric as figures and headlines call it.")
EFFECT_KIND = text("effect_kind", "`ratio` (arm over baseline) or `difference` (arm less baseline).")
VERDICT = text("verdict", "`better`, `worse`, `equivalent`, `inconclusive` or `invalid`.")
P_VALUE = number("p_value", "", "p-value of no effect, of this row alone.")
P_ADJUSTED = number("p_adjusted", "", "The same for all of the family; agrees with the interval.")
NOISE_FLOOR = number(
    "noise_floor",
    "ratio less 1, or as `unit` says",
    "How far the 95 % interval of baseline against duplicate reaches; missing where nothing varies.",
)
BEYOND_MARGIN = flag("beyond_margin", "Better or worse, and the whole interval lies beyond the margin.")
CELL = (ENVIRONMENT, WORKLOAD, METRIC, MODE, SPLIT, SOURCE, DEVICE)
