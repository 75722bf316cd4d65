"""Factors said to be equivalent compute the same, bit for bit; in place, they do overwrite their input."""

from collections.abc import Mapping
from itertools import product
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - PyTorch's own abbreviation
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import ablations
from ablations import EQUIVALENT, Level, Variant, registry
from ablations.factor import format_level
from ablations.registry import Architecture
from tests.ablations.small import small

SHAPES = [(2, 33, 33), (3, 64, 40), (2, 96, 64)]
"""Images, rows and columns; two images at least, which a BatchNorm of what is pooled to one cell needs."""

EQUIVALENTS = [
    found
    for found in registry.architectures().values()
    if any(factor.kind is EQUIVALENT for factor in found.factors)
]


def twins(found: Architecture, context: Mapping[str, Level]) -> list[Variant]:
    """The variants that differ in equivalent factors alone, in every combination."""
    factors = [factor for factor in found.factors if factor.kind is EQUIVALENT]
    return [
        found.variant({**context, **dict(zip((factor.name for factor in factors), levels, strict=True))})
        for levels in product(*(factor.levels for factor in factors))
    ]


class Course(NamedTuple):
    """What a network gives on the way, by name."""

    logits: dict[str, Tensor]
    gradients: dict[str, Tensor]
    state: dict[str, Tensor]


def run(variant: Variant, shape: tuple[int, int, int], *, training: bool, steps: int) -> Course:
    """Steps of SGD with momentum and weight decay: logits of each, gradients of the first, the last state."""
    network = ablations.build(variant).train(training)
    count, rows, columns = shape
    draw = torch.Generator().manual_seed(0)
    channels = dict(variant.levels).get("in_channels", 3)
    assert isinstance(channels, int)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-2)
    logits, gradients = {}, {}
    for step in range(steps):
        image = torch.randn(count, channels, rows, columns, generator=draw)
        torch.manual_seed(step)  # for dropout
        outputs = [leaf for leaf in tree_leaves(network(image)) if isinstance(leaf, Tensor)]
        for head, output in enumerate(outputs):
            logits[f"step {step}, head {head}"] = output.detach().clone()
        optimizer.zero_grad()
        labelled = outputs[0].shape[:1] + outputs[0].shape[2:]
        target = torch.randint(outputs[0].shape[1], labelled, generator=draw)
        torch.stack([F.cross_entropy(output, target) for output in outputs]).sum().backward()
        if step == 0:
            gradients = {
                name: value.grad.clone()
                for name, value in network.named_parameters()
                if value.grad is not None
            }
        optimizer.step()
    return Course(logits, gradients, network.state_dict())


def assert_bitwise_equal(one: Course, other: Course) -> None:
    for field, own, twin in zip(Course._fields, one, other, strict=True):
        assert own.keys() == twin.keys()
        assert all(value.isfinite().all() for value in own.values()), field
        unequal = [name for name in own if not torch.equal(own[name], twin[name])]
        assert unequal == [], field


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(
    ("found", "norm"),
    [
        (found, factor)
        for found in EQUIVALENTS
        for factor in next((factor.levels for factor in found.factors if factor.name == "norm"), ())
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_equivalent_factors_are_so_bit_for_bit_with_every_norm(
    found: Architecture, norm: Level, shape: tuple[int, int, int], training: bool
) -> None:
    first, *others = (
        run(variant, shape, training=training, steps=10 if training else 1)
        for variant in twins(found, {**small(found), "norm": norm})
    )
    assert others
    assert first.gradients
    for other in others:
        assert_bitwise_equal(first, other)


@pytest.mark.parametrize("norm", ["batch", "none", "group", "frozen"])
def test_equivalent_factors_are_so_bit_for_bit_in_bottlenecks(norm: str) -> None:
    context: dict[str, Level] = {"depth": 50, "width": 16, "norm": norm}
    first, *others = (
        run(variant, SHAPES[0], training=True, steps=3) for variant in twins(registry.get("resnet"), context)
    )
    for other in others:
        assert_bitwise_equal(first, other)


BESIDE = [
    (found, factor.name, level)
    for found in EQUIVALENTS
    for factor in found.factors
    for level in factor.levels[1:]
    if factor.kind is not EQUIVALENT and factor.name not in small(found)
]


@pytest.mark.parametrize(
    ("found", "factor", "level"),
    BESIDE,
    ids=[f"{found.name}:{factor}={format_level(level)}" for found, factor, level in BESIDE],
)
def test_equivalent_factors_are_so_beside_every_other_level(
    found: Architecture, factor: str, level: Level
) -> None:
    first, *others = (
        run(variant, SHAPES[0], training=True, steps=1)
        for variant in twins(found, {**small(found), factor: level})
    )
    for other in others:
        assert_bitwise_equal(first, other)


class Overwriting(TorchDispatchMode):
    """Counts how often ReLU and the sum ran, and how often they left other values in their first input."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.ran = {"relu": 0, "add": 0}
        self.overwrote = {"relu": 0, "add": 0}

    def __torch_dispatch__(
        self, func: Any, types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = func.overloadpacket.__name__.rstrip("_")
        if name not in self.ran:
            return func(*args, **(kwargs or {}))
        before = args[0].clone()
        result = func(*args, **(kwargs or {}))
        changed = not torch.equal(before, args[0])
        assert changed == (result.data_ptr() == args[0].data_ptr())
        self.ran[name] += 1
        self.overwrote[name] += changed
        return result


@pytest.mark.parametrize("shortcut", ["inplace", "out_of_place"])
@pytest.mark.parametrize("relu", ["inplace", "out_of_place"])
def test_in_place_overwrites_its_input_and_out_of_place_never_does(relu: str, shortcut: str) -> None:
    network = ablations.build(f"resnet:depth=18,width=16,relu={relu},shortcut={shortcut}").eval()
    with torch.no_grad(), Overwriting() as seen:
        network(torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    assert seen.ran == {"relu": 17, "add": 8}
    assert seen.overwrote == {
        "relu": 17 if relu == "inplace" else 0,
        "add": 8 if shortcut == "inplace" else 0,
    }


def test_the_image_itself_is_never_overwritten() -> None:
    for variant in twins(registry.get("resnet"), {"depth": 18, "width": 16, "norm": "none"}):
        image = torch.randn(2, 3, 33, 33)
        before = image.clone()
        network: nn.Module = ablations.build(variant)
        network(image)
        assert torch.equal(image, before)
