"""What the blocks cost that residual networks are built of, level by level: stem, pool, ReLU, norm, block.

Each group compares the levels of one block at one size, the first level being its baseline. A forward pass
is that of evaluation, without gradients; forward and backward are those of training. `ablate import` reads
the JSON of this file.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ablations.architectures.resnet import BasicBlock, Bottleneck, ResNet, resnet
from ablations.layers import NormLevel, PoolLevel, ReluLevel, make_pool, make_relu, norm_factory

CHANNELS = 64
BATCH_SIZE = 8
IMAGE_SIZES = (64, 128)
MODES = ("forward", "forward and backward")
MOST_ROUNDS = 500


@dataclass(frozen=True)
class Block:
    """A building block in its place in the network.

    Attributes:
        in_channels: Channels that it is given.
        stride: Pixels of the image per cell of what it is given.
        levels: What makes it, by level; the first level is the baseline.
        is_first: Whether its input is the image, which needs no gradient.
    """

    in_channels: int
    stride: int
    levels: dict[str, Callable[[], nn.Module]]
    is_first: bool = False


def stem(level: str) -> nn.Module:
    network = resnet(depth=18, stem=level, width=CHANNELS)
    assert isinstance(network, ResNet)
    return nn.Sequential(*(network.get_submodule(name) for name in network.stem_layers))


def pool(level: PoolLevel) -> nn.Module:
    geometry: dict[str, Any] = {"kernel": 3, "stride": 2, "padding": 1, "dilation": 1, "ceil_mode": False}
    return make_pool(level, CHANNELS, **geometry, norm="batch", relu="inplace")


def residual(
    block: type[BasicBlock | Bottleneck], *, shortcut: ReluLevel = "inplace", norm: NormLevel = "batch"
) -> nn.Module:
    return block(
        CHANNELS,
        CHANNELS // block.expansion,
        stride=1,
        first_dilation=1,
        dilation=1,
        relu="inplace",
        shortcut=shortcut,
        norm=norm,
    )


BLOCKS = {
    "stem": Block(
        3,
        1,
        {name: lambda name=name: stem(name) for name in ("shallow", "deep32", "deep64")},  # type: ignore[misc]
        is_first=True,
    ),
    "pool": Block(
        CHANNELS,
        2,
        {
            "max": lambda: pool("max"),
            "average": lambda: pool("average"),
            "convolution": lambda: pool("convolution"),
        },
    ),
    "relu": Block(
        CHANNELS,
        2,
        {"inplace": lambda: make_relu("inplace"), "out_of_place": lambda: make_relu("out_of_place")},
    ),
    "norm": Block(
        CHANNELS,
        2,
        {
            "batch": lambda: norm_factory("batch")(CHANNELS),
            "group": lambda: norm_factory("group")(CHANNELS),
            "frozen": lambda: norm_factory("frozen")(CHANNELS),
        },
    ),
    "residual": Block(
        CHANNELS,
        4,
        {
            "basic": lambda: residual(BasicBlock),
            "basic, shortcut out of place": lambda: residual(BasicBlock, shortcut="out_of_place"),
            "basic, no norm": lambda: residual(BasicBlock, norm="none"),
            "bottleneck": lambda: residual(Bottleneck),
        },
    ),
}


def cases() -> Iterator[Any]:
    for block, described in BLOCKS.items():
        for image_size in IMAGE_SIZES:
            for mode in MODES:
                for level in described.levels:
                    name = f"{block}-{level}-{image_size}px-{mode}".replace(", ", "-").replace(" ", "_")
                    yield pytest.param(block, level, image_size, mode, id=name)


@pytest.mark.bench
@pytest.mark.benchmark(disable_gc=True)
@pytest.mark.parametrize(("block", "level", "image_size", "mode"), list(cases()))
def test_building_block(
    benchmark: Any, pytestconfig: pytest.Config, block: str, level: str, image_size: int, mode: str
) -> None:
    described = BLOCKS[block]
    benchmark.group = f"{block}, {image_size} px, batch {BATCH_SIZE}, {mode}"
    benchmark.extra_info.update(
        block=block,
        level=level,
        baseline=level == next(iter(described.levels)),
        mode=mode,
        image_size=image_size,
        batch_size=BATCH_SIZE,
        channels=described.in_channels,
    )
    torch.set_num_threads(1)
    torch.manual_seed(0)
    cells = image_size // described.stride
    values = torch.randn(BATCH_SIZE, described.in_channels, cells, cells)
    module, backward = described.levels[level](), mode != "forward"
    module.train(backward)
    values.requires_grad_(backward and not described.is_first)
    wanted = [tensor for tensor in (values, *module.parameters()) if tensor.requires_grad]

    def fresh() -> tuple[tuple[Tensor], dict[str, Any]]:
        # In place, a block overwrites what it is given; a leaf may not be overwritten.
        with torch.set_grad_enabled(backward):
            return (values.clone(),), {}

    def forward(given: Tensor) -> Tensor:
        with torch.no_grad():
            result: Tensor = module(given)
        return result

    def forward_and_backward(given: Tensor) -> tuple[Tensor, ...]:
        result = module(given)
        # Gradients are handed back instead of being added to those of the rounds before.
        return torch.autograd.grad(result, wanted, ones)

    with torch.no_grad():
        ones = torch.ones_like(module(values.clone()))
    step = forward_and_backward if backward else forward
    found = benchmark.pedantic(step, setup=fresh, rounds=_rounds(step, fresh, pytestconfig), warmup_rounds=1)
    assert all(tensor.isfinite().all() for tensor in (found if backward else [found]))


def _rounds(step: Callable[..., Any], fresh: Callable[[], Any], config: pytest.Config) -> int:
    """As many as fit into --benchmark-max-time, and at least --benchmark-min-rounds."""
    step(*fresh()[0])
    started = perf_counter()
    step(*fresh()[0])
    seconds = perf_counter() - started
    fitting = int(float(config.getoption("benchmark_max_time")) / seconds)
    return max(int(config.getoption("benchmark_min_rounds")), min(fitting, MOST_ROUNDS))
