"""The ResNet family against torchvision's and timm's networks with the same weights, bit for bit."""

import re
from collections.abc import Callable
from typing import NamedTuple

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

import ablations

SIDE = 64


class Step(NamedTuple):
    """What one forward and backward pass gives: logits, gradients by name, and state by name."""

    logits: Tensor
    gradients: dict[str, Tensor]
    state: dict[str, Tensor]


def step(network: nn.Module, *, training: bool) -> Step:
    network.train(training)
    draw = torch.Generator().manual_seed(0)
    image = torch.randn(2, 3, SIDE, SIDE, generator=draw).requires_grad_()
    logits = network(image)
    (logits * torch.randn(logits.shape, generator=draw)).sum().backward()
    gradients = {name: value.grad for name, value in [("image", image), *network.named_parameters()]}
    assert all(gradient is not None for gradient in gradients.values())
    return Step(logits.detach(), {k: v for k, v in gradients.items() if v is not None}, network.state_dict())


def mature(network: nn.Module) -> nn.Module:
    """A network whose norms have seen data: scales, offsets and statistics are not what they start as."""
    draw = torch.Generator().manual_seed(1)
    for name, value in network.state_dict().items():
        if value.ndim == 1 and not name.startswith("fc."):
            value.copy_(torch.rand(value.shape, generator=draw) + 0.5)
    return network


def assert_bitwise_equal(
    specification: str, reference: nn.Module, renamed: Callable[[str], str] = str
) -> None:
    """Our variant with the reference's weights computes what the reference computes.

    Args:
        specification: Our variant.
        reference: The other network.
        renamed: From the reference's name of a parameter or buffer to ours.
    """
    ours = ablations.build(specification, seed=9)
    mature(reference)
    ours.load_state_dict(
        {renamed(name): value for name, value in reference.state_dict().items()}, strict=True
    )
    for training in (False, True):
        for network in (ours, reference):
            network.zero_grad()
        mine, theirs = step(ours, training=training), step(reference, training=training)
        assert torch.equal(mine.logits, theirs.logits), f"logits, {training=}"
        for kind, own, other in (
            ("gradient", mine.gradients, theirs.gradients),
            ("state", mine.state, theirs.state),
        ):
            expected = {renamed(name): value for name, value in other.items()}
            assert own.keys() == expected.keys()
            unequal = [name for name in own if not torch.equal(own[name], expected[name])]
            assert unequal == [], f"{kind}, {training=}"


def pspnet_dilation(network: nn.Module, rule: dict[str, int]) -> nn.Module:
    """Dilate stages in place as semseg's PSPNet does: every 3x3 the same, strides 1."""
    for stage, dilation in rule.items():
        for name, module in network.get_submodule(stage).named_modules():
            if name.endswith("conv2"):
                assert isinstance(module, nn.Conv2d)
                module.dilation = module.padding = (dilation, dilation)
                module.stride = (1, 1)
            elif name.endswith("downsample.0"):
                assert isinstance(module, nn.Conv2d)
                module.stride = (1, 1)
    return network


def deep_stem(name: str) -> str:
    """From timm's names, conv1 a sequence and bn1 after it, to PSPNet's conv1, bn1 ... conv3, bn3."""
    places = {"conv1.0": "conv1", "conv1.1": "bn1", "conv1.3": "conv2", "conv1.4": "bn2", "conv1.6": "conv3"}
    stem = re.match(r"(conv1\.\d|bn1)(?=\.)", name)
    return name if stem is None else places.get(stem[0], "bn3") + name[stem.end() :]


@pytest.mark.parametrize("depth", [18, 50])
def test_the_baseline_is_torchvisions_network(depth: int) -> None:
    assert_bitwise_equal(f"resnet:depth={depth}", getattr(torchvision.models, f"resnet{depth}")())


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_state_dicts_of_torchvision_load_strictly(depth: int) -> None:
    with torch.device("meta"):
        theirs = getattr(torchvision.models, f"resnet{depth}")().state_dict()
    ours = ablations.build(f"resnet:depth={depth}", device="meta")
    ours.load_state_dict(theirs, strict=True)
    assert list(ours.state_dict()) == list(theirs)


@pytest.mark.parametrize(
    ("depth", "stem", "stem_width"), [(18, "deep32", 32), (18, "deep64", 64), (50, "deep64", 64)]
)
def test_the_deep_stems_are_timms(depth: int, stem: str, stem_width: int) -> None:
    reference = timm.create_model(f"resnet{depth}", stem_type="deep", stem_width=stem_width)
    assert_bitwise_equal(f"resnet:depth={depth},stem={stem}", reference, deep_stem)


def test_the_deep_stem_of_64_channels_is_resnet50s_of_timm() -> None:
    with torch.device("meta"):
        published = timm.create_model("resnet50s").state_dict()
    ours = ablations.build("resnet:stem=deep64", device="meta")
    ours.load_state_dict({deep_stem(name): value for name, value in published.items()}, strict=True)


def test_group_norm_is_timms_resnet50_gn() -> None:
    assert_bitwise_equal("resnet:norm=group", timm.create_model("resnet50_gn"))


def test_frozen_norm_is_torchvisions() -> None:
    reference = torchvision.models.resnet18(norm_layer=torchvision.ops.FrozenBatchNorm2d)
    assert_bitwise_equal("resnet:depth=18,norm=frozen", reference)


@torch.no_grad()
def test_convolutions_without_norm_can_be_what_a_frozen_norm_makes_of_them() -> None:
    reference = torchvision.models.resnet18()
    for name, module in mature(reference).eval().named_modules():
        if not isinstance(module, nn.Conv2d):
            continue
        place = name.replace("conv", "bn") if "conv" in name else name.replace("downsample.0", "downsample.1")
        folded = fuse_conv_bn_eval(module, reference.get_submodule(place))
        reference.set_submodule(name, folded)
        reference.set_submodule(place, nn.Identity())
    ours = ablations.build("resnet:depth=18,norm=none").eval()
    ours.load_state_dict(reference.state_dict(), strict=True)
    image = torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    assert torch.equal(ours(image), reference(image))


@pytest.mark.parametrize(("output_stride", "dilated"), [(16, [False, False, True]), (8, [False, True, True])])
def test_output_stride_with_the_previous_dilation_first_is_torchvisions(
    output_stride: int, dilated: list[bool]
) -> None:
    reference = torchvision.models.resnet50(replace_stride_with_dilation=dilated)
    assert_bitwise_equal(f"resnet:output_stride={output_stride},first_dilation=previous", reference)


@pytest.mark.parametrize("output_stride", [16, 8])
def test_output_stride_with_the_previous_dilation_first_is_timms_for_basic_blocks(
    output_stride: int,
) -> None:
    reference = timm.create_model("resnet18", output_stride=output_stride)
    assert_bitwise_equal(f"resnet:depth=18,output_stride={output_stride},first_dilation=previous", reference)


@pytest.mark.parametrize(("output_stride", "rule"), [(16, {"layer4": 2}), (8, {"layer3": 2, "layer4": 4})])
def test_output_stride_with_its_own_dilation_first_is_pspnets(
    output_stride: int, rule: dict[str, int]
) -> None:
    reference = pspnet_dilation(torchvision.models.resnet50(), rule)
    assert_bitwise_equal(f"resnet:output_stride={output_stride},first_dilation=own", reference)


def test_the_two_rules_for_the_first_dilation_compute_different_things() -> None:
    image = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        own, previous = (
            ablations.build(f"resnet:output_stride=8,first_dilation={level}").eval()(image)
            for level in ("own", "previous")
        )
    assert not torch.equal(own, previous)
