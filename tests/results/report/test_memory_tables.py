"""Why memory changed, in words that a reader who knows layers and no operators understands."""

import re

import pytest

from results.records.profile_summary import TensorChange
from results.report.memory_tables import why

MIB = 2**20


def tensor(module: str, mib: float, category: str = "activations") -> TensorChange:
    more = mib > 0
    return TensorChange(category, module, (32, 64, 56, 56), "float32", 1 - more, int(more), round(mib * MIB))


@pytest.mark.parametrize(
    ("mib", "net", "tensors", "said"),
    [
        (
            662,
            {"activations": 661.5, "parameters": 0.4},
            [tensor("conv3", 196), tensor("bn3", 150), tensor("pool", -49), tensor("pool", 98)],
            "activations +662 MiB; above all in conv3, bn3 and pool",
        ),
        (
            -50,
            {"activations": -60, "transient": 10},
            [tensor("bn1", -60), tensor("conv1", 10)],
            "activations −60.0 MiB, short-lived tensors +10.0 MiB; above all in bn1",
        ),
        (
            0,
            {},
            [tensor("bn1", -98), tensor("relu1", 98)],
            "as much at the peak: relu1 in place of bn1",
        ),
        (0, {}, [], "the same tensors at the peak"),
        (0, {}, None, "as much of every kind at the peak"),
        (
            0,
            {"activations": 3, "transient": -3},
            None,
            "activations +3.00 MiB, short-lived tensors −3.00 MiB",
        ),
        (5, {"optimizer_state": 5}, None, "optimizer state +5.00 MiB"),
        (1, {"activations": 1}, [tensor("", 1)], "activations +1.00 MiB; above all in the network itself"),
    ],
)
def test_a_change_is_told_by_kinds_and_layers(
    mib: float, net: dict[str, float], tensors: list[TensorChange] | None, said: str
) -> None:
    told = why(round(mib * MIB), {name: round(size * MIB) for name, size in net.items()}, tensors)
    assert told == said
    assert not re.search(r"aten|\d{6,}|\d,\d{3}", told)
