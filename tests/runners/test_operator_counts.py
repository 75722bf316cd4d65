"""Complexity against published figures, torchvision's metadata and PyTorch's own counter."""

import re
from typing import NamedTuple

import pytest
import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.ops.misc import FrozenBatchNorm2d

import ablations
from runners.operator_counts import Complexity, complexity, description, fingerprint

SMALL = "resnet:depth=18,width=8"
VARIANTS = [
    "resnet",
    "resnet:depth=18,in_channels=1,num_classes=10,width=17",
    "resnet:depth=34,norm=none,pool=none,width=16",
    "resnet:norm=group,pool=convolution,pool_kernel=3x2,pool_stride=2x1",
    "resnet:output_stride=8,stem=deep32,width=32",
    "resnet:depth=101,norm=frozen,pool=average,pool_ceil_mode=true,stem=deep64",
]


def observed(specification: str, image_size: int = 224) -> Complexity:
    variant = ablations.variant(specification)
    channels = dict(variant.levels)["in_channels"]
    assert isinstance(channels, int)
    return complexity(ablations.build(variant, device="meta"), image_size, channels)


def printed(specification: str, image_size: int = 33) -> str:
    return fingerprint(ablations.build(specification), image_size)


def described(specification: str, image_size: int) -> str:
    return description(ablations.build(specification, device="meta"), image_size)


class Published(NamedTuple):
    """A row of timm's results tables and torchvision's metadata, each figure as it was written."""

    parameters: str
    gmacs: str | None
    gmacs_with_norm: str | None
    macts: str


def rounded_like(figure: str, value: float) -> str:
    """The value with the figure's number of decimals."""
    return f"{value:.{len(figure.partition('.')[2])}f}"


@pytest.mark.parametrize(
    ("specification", "published"),
    [
        ("resnet:depth=18", Published("11.689512", "1.814", "1.82", "2.48")),
        ("resnet:depth=50", Published("25.557032", "4.089", "4.11", "11.11")),
        ("resnet:stem=deep32", Published("25.58", None, "4.35", "11.92")),
        ("resnet:stem=deep64", Published("25.680808", "5.444", "5.47", "13.52")),
        ("resnet:norm=group", Published("25.56", None, "4.14", "11.11")),
        ("resnet:output_stride=16", Published("25.557032", "6.209", None, "12.70")),
    ],
)
def test_published_figures_at_224_pixels(specification: str, published: Published) -> None:
    found = observed(specification)
    for figure, value in (
        (published.parameters, found.parameters / 1e6),
        (published.gmacs, found.macs / 1e9),
        (published.gmacs_with_norm, found.macs_with_norm / 1e9),
        (published.macts, found.activations / 1e6),
    ):
        if figure is not None:
            assert rounded_like(figure, value) == figure
    assert found.output_shape == (1, 1000)


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_torchvisions_metadata(depth: int) -> None:
    meta = getattr(torchvision.models, f"ResNet{depth}_Weights").IMAGENET1K_V1.meta
    found = observed(f"resnet:depth={depth}")
    assert found.parameters == meta["num_params"]
    assert round(found.macs / 1e9, 3) == meta["_ops"]


@pytest.mark.parametrize("specification", VARIANTS)
def test_macs_are_half_the_operations_of_pytorchs_counter(specification: str) -> None:
    variant = ablations.variant(specification)
    network = ablations.build(variant, device="meta").eval()
    image = torch.empty(1, dict(variant.levels)["in_channels"], 96, 96, device="meta")  # type: ignore[arg-type]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(image)
    assert 2 * observed(specification, 96).macs == counter.get_total_flops()


@pytest.mark.parametrize(
    ("layer", "channels"),
    [
        (nn.Conv2d(6, 12, (3, 5), stride=(2, 1), padding=1, groups=3, device="meta"), 6),
        (nn.ConvTranspose2d(6, 12, 4, stride=2, padding=1, groups=2, device="meta"), 6),
        (nn.Linear(16, 7, device="meta"), 2),
        (nn.Linear(16, 7, bias=False, device="meta"), 2),
    ],
)
def test_layers_of_other_families_count_as_pytorchs_counter_has_them(layer: nn.Module, channels: int) -> None:
    with FlopCounterMode(display=False) as counter:
        output = layer(torch.empty(1, channels, 16, 16, device="meta"))
    found = complexity(layer, 16, channels)
    assert 2 * found.macs == counter.get_total_flops()
    assert found.activations == output.numel()
    assert found.output_shape == tuple(output.shape)


@pytest.mark.parametrize("specification", VARIANTS)
def test_activations_and_norm_operations_are_those_of_the_modules(specification: str) -> None:
    variant = ablations.variant(specification)
    network = ablations.build(variant, device="meta").eval()
    elements = {"activations": 0, "batch": 0, "group": 0}

    def count(kind: str, output: torch.Tensor) -> None:
        elements[kind] += output.numel()

    for module in network.modules():
        for kind, types in (
            ("activations", (nn.Conv2d, nn.Linear)),
            ("batch", nn.BatchNorm2d),
            ("group", nn.GroupNorm),
        ):
            if isinstance(module, types):
                module.register_forward_hook(lambda module, inputs, output, kind=kind: count(kind, output))
    channels = dict(variant.levels)["in_channels"]
    network(torch.empty(1, channels, 96, 96, device="meta"))  # type: ignore[arg-type]
    found = observed(specification, 96)
    assert found.activations == elements["activations"]
    assert found.macs_with_norm - found.macs == 2 * elements["batch"] + 5 * elements["group"]


def test_observing_leaves_the_network_as_it_was() -> None:
    network = ablations.build(SMALL)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    for training in (True, False):
        network.train(training)
        fingerprint(network, 33)
        assert {module.training for module in network.modules()} == {training}
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_an_image_that_does_not_fit_is_an_error_that_says_so() -> None:
    network = ablations.build(f"{SMALL},pool_kernel=7,pool_padding=0", device="meta")
    assert complexity(network, 13).output_shape == (1, 1000)  # 13 px are 7 after the stem
    with pytest.raises(
        ValueError, match=r"^an image of 12 px does not fit through the network: .*too small\Z"
    ):
        complexity(network, 12)
    assert network.training


@pytest.mark.parametrize(
    ("one", "other", "image_size"),
    [
        ("first_dilation=own", "first_dilation=previous", 33),
        ("pool=none", "pool=none,pool_kernel=5,pool_padding=2", 33),
        # 33 px are 17 after the stem, where windows of 3 at every second cell end exactly
        ("pool_ceil_mode=false", "pool_ceil_mode=true", 33),
    ],
)
def test_the_fingerprint_is_equal_where_a_factor_is_inert(one: str, other: str, image_size: int) -> None:
    assert printed(f"{SMALL},{one}", image_size) == printed(f"{SMALL},{other}", image_size)
    if "ceil" not in one:  # an argument that changes and changes nothing else
        assert described(f"{SMALL},{one}", image_size) == described(f"{SMALL},{other}", image_size)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("relu=inplace", "relu=out_of_place"),
        ("shortcut=inplace", "shortcut=out_of_place"),
        ("pool=max", "pool=average"),
        ("pool=average", "pool=convolution"),
        ("pool_padding=1", "pool_padding=0"),
        ("pool_stride=2x1", "pool_stride=1x2"),
        ("pool_kernel=2", "pool_kernel=3"),
        ("norm=batch", "norm=frozen"),
        ("norm=batch", "norm=group"),
        ("norm=frozen", "norm=none"),
        ("stem=shallow", "stem=deep32"),
        ("width=8", "width=9"),
        ("output_stride=32", "output_stride=16"),
        ("output_stride=8", "output_stride=8,first_dilation=previous"),
    ],
)
def test_the_fingerprint_differs_where_a_factor_is_at_work(one: str, other: str) -> None:
    base = "resnet:depth=18" if "width" in one else SMALL
    for look in (printed, described):
        assert look(f"{base},{one}", 64) != look(f"{base},{other}", 64)


def test_the_fingerprint_sees_a_partial_window_that_ceil_mode_adds() -> None:
    assert printed(SMALL, 64) != printed(f"{SMALL},pool_ceil_mode=true", 64)


def test_the_fingerprint_is_a_function_of_network_and_image_size_alone() -> None:
    first = printed(SMALL)
    torch.manual_seed(5)
    assert printed(SMALL) == first
    assert re.fullmatch(r"[0-9a-f]{64}", first)
    assert fingerprint(ablations.build(SMALL).eval(), 33) == first
    assert fingerprint(ablations.build(SMALL, seed=1), 33) != first
    assert fingerprint(ablations.build(SMALL), 34) != first


def test_a_frozen_norm_costs_no_counted_operation() -> None:
    network = ablations.build("resnet:norm=frozen", device="meta")
    assert any(isinstance(module, FrozenBatchNorm2d) for module in network.modules())
    found = complexity(network, 64)
    assert found.macs_with_norm == found.macs
