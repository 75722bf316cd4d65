"""PSPNet against torchvision's backbone, and its heads as the authors' code (hszhao/semseg) chains them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - PyTorch's own abbreviation

import ablations
from ablations.outputs import Auxiliary
from runners.operator_counts import complexity
from tests.ablations.architectures.test_resnet import mature, pspnet_dilation

SIDE = 65
"""Pixels, less one a multiple of 8."""


def conv(state: dict[str, Tensor], name: str, x: Tensor, norm: str | None, **geometry: int) -> Tensor:
    """A convolution, and BatchNorm with its running statistics and ReLU where there is one."""
    x = F.conv2d(x, state[f"{name}.weight"], state.get(f"{name}.bias"), **geometry)
    if norm is None:
        return x
    mean, variance, scale, offset = (
        state[f"{norm}.{key}"] for key in ("running_mean", "running_var", "weight", "bias")
    )
    return F.batch_norm(x, mean, variance, scale, offset).relu()


@torch.no_grad()
@pytest.mark.parametrize("pool", ["average", "max"])
def test_the_published_network_is_stem_stages_pyramid_and_head_chained(pool: str) -> None:
    ours = mature(ablations.build(f"pspnet:num_classes=21,pyramid_pool={pool}", seed=3)).eval()
    state = ours.state_dict()
    trunk = pspnet_dilation(torchvision.models.resnet50(), {"layer3": 2, "layer4": 4}).eval()
    for name, planes in (("conv1", 64), ("downsample.0", 256)):  # behind the deep stem's 128 channels
        trunk.set_submodule(f"layer1.0.{name}", nn.Conv2d(128, planes, 1, bias=False))
    stages = {
        name.removeprefix("backbone."): value
        for name, value in state.items()
        if name.startswith("backbone.layer")
    }
    missing = trunk.load_state_dict(stages, strict=False)
    assert missing.unexpected_keys == []
    assert {key.partition(".")[0] for key in missing.missing_keys} == {"conv1", "bn1", "fc"}

    image = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    x = conv(state, "backbone.conv1", image, "backbone.bn1", stride=2, padding=1)
    x = conv(state, "backbone.conv2", x, "backbone.bn2", padding=1)
    x = conv(state, "backbone.conv3", x, "backbone.bn3", padding=1)
    x = F.max_pool2d(x, 3, stride=2, padding=1)
    for stage in ("layer1", "layer2", "layer3", "layer4"):
        x = trunk.get_submodule(stage)(x)
    assert x.shape == (1, 2048, 9, 9), "an eighth of the image, both ends counted"
    pooled: Callable[[Tensor, int], Tensor] = (
        F.adaptive_avg_pool2d if pool == "average" else F.adaptive_max_pool2d
    )
    branches = [x]
    for place, cells in enumerate((1, 2, 3, 6)):
        name = f"ppm.features.{place}"
        branch = conv(state, f"{name}.1", pooled(x, cells), f"{name}.2")
        assert branch.shape == (1, 512, cells, cells)
        branches.append(F.interpolate(branch, size=(9, 9), mode="bilinear", align_corners=True))
    x = torch.cat(branches, 1)
    x = conv(state, "cls.0", x, "cls.1", padding=1)
    x = conv(state, "cls.4", x, None)
    expected = F.interpolate(x, size=(SIDE, SIDE), mode="bilinear", align_corners=True)
    assert torch.equal(ours(image), expected)


def test_while_it_trains_a_second_head_reads_the_third_stage() -> None:
    ours = ablations.build("pspnet:width=8,num_classes=5,dropout=0")
    seen: dict[str, Tensor] = {}
    stage = ours.get_submodule("backbone.layer3")
    stage.register_forward_hook(lambda _, __, output: seen.update(output=output))
    given = ours(torch.randn(2, 3, SIDE, SIDE))
    assert isinstance(given, Auxiliary)
    assert given.weight == 0.4
    assert given.logits.shape == given.auxiliary.shape == (2, 5, SIDE, SIDE)
    small = ours.get_submodule("aux")(seen["output"])
    expected = F.interpolate(small, size=(SIDE, SIDE), mode="bilinear", align_corners=True)
    assert torch.equal(given.auxiliary, expected)
    ours.eval()
    assert ours(torch.randn(1, 3, SIDE, SIDE)).shape == (1, 5, SIDE, SIDE)
    without = ablations.build("pspnet:width=8,num_classes=5,auxiliary_weight=0")
    assert isinstance(without(torch.randn(2, 3, SIDE, SIDE)), Tensor)


def backbone_cost(side: int, stem: int = 128) -> tuple[int, int, int]:
    """Parameters and MACs of ResNet-50 at output stride 8 behind a deep stem, and the cells of a side."""
    parameters = macs = 0

    def layer(inputs: int, outputs: int, kernel: int, cells: int) -> None:
        nonlocal parameters, macs
        weights = inputs * outputs * kernel**2
        parameters += weights + 2 * outputs  # with a BatchNorm's scale and offset
        macs += weights * cells**2

    cells = (side - 1) // 2 + 1
    for inputs, outputs in ((3, 64), (64, 64), (64, stem)):
        layer(inputs, outputs, 3, cells)
    cells = (cells - 1) // 2 + 1
    channels = stem
    for planes, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 1), (512, 3, 1)):
        for block in range(blocks):
            layer(channels, planes, 1, cells)  # before the stride, which the 3x3 takes
            if block == 0:
                cells = (cells - 1) // stride + 1
                layer(channels, 4 * planes, 1, cells)
            layer(planes, planes, 3, cells)
            layer(planes, 4 * planes, 1, cells)
            channels = 4 * planes
    return parameters, macs, cells


def head_cost(inputs: int, cells: int, classes: int) -> tuple[int, int]:
    """Parameters and MACs of 3x3 to 512 or 256, BatchNorm, and 1x1 to classes with a bias."""
    middle = 512 if inputs > 1024 else 256
    weights = inputs * middle * 9 + middle * classes
    return weights + 2 * middle + classes, weights * cells**2


@pytest.mark.parametrize(("side", "cells"), [(473, 60), (713, 90)])
def test_parameters_and_macs_follow_from_the_published_structure(side: int, cells: int) -> None:
    parameters, macs, reached = backbone_cost(side)
    assert reached == cells
    for bins in (1, 2, 3, 6):
        parameters += 2048 * 512 + 2 * 512
        macs += 2048 * 512 * bins**2
    head = head_cost(4096, cells, 150)
    parameters, macs = parameters + head[0], macs + head[1]
    auxiliary, _ = head_cost(1024, cells, 150)
    for specification, more in (("pspnet", auxiliary), ("pspnet:auxiliary_weight=0", 0)):
        found = complexity(ablations.build(specification, device="meta"), side)
        assert found.parameters == parameters + more
        assert found.macs == macs, "an auxiliary head is for training alone"
        assert found.output_shape == (1, 150, side, side)


def test_the_docs_add_up_to_what_is_built() -> None:
    page = (Path(__file__).parents[3] / "docs" / "pspnet.md").read_text()
    rows = [
        [cell.strip(" *").replace(",", "") for cell in line.split("|")[1:-1]]
        for line in page.splitlines()
        if line.startswith("| ") and "| part |" not in line and "---" not in line
    ]
    (place,) = (index for index, row in enumerate(rows) if row[0] == "in evaluation")
    layers, total, auxiliary = rows[:place], rows[place], rows[place + 1]
    for column in (2, 3, 4):
        assert sum(int(row[column]) for row in layers) == int(total[column])
    for side, column in ((473, 3), (713, 4)):
        found = complexity(ablations.build("pspnet:auxiliary_weight=0", device="meta"), side)
        assert (found.parameters, found.macs) == (int(total[2]), int(total[column]))
    built = complexity(ablations.build("pspnet", device="meta"), 473)
    assert built.parameters == int(total[2]) + int(auxiliary[2])


def test_without_reduction_a_branch_keeps_all_channels_and_without_pyramid_there_is_none() -> None:
    shapes = {}
    for level in ("pyramid=none", "pyramid_reduction=false", "pyramid=1-2"):
        network = ablations.build(f"pspnet:{level}", device="meta")
        shapes[level] = tuple(network.get_parameter("cls.0.weight").shape)
    assert shapes == {
        "pyramid=none": (512, 2048, 3, 3),
        "pyramid_reduction=false": (512, 5 * 2048, 3, 3),
        "pyramid=1-2": (512, 4096, 3, 3),
    }
    with pytest.raises(ValueError, match=r"pyramid=none has nothing to pool or reduce"):
        ablations.variant("pspnet:pyramid=none,pyramid_pool=max")


@pytest.mark.parametrize("dropout", [0.1, 0, 0.5])
def test_whole_channels_are_dropped_before_the_logits_of_both_heads(dropout: float) -> None:
    network = ablations.build(f"pspnet:depth=18,width=4,dropout={dropout}", device="meta")
    assert [module.p for module in network.modules() if isinstance(module, nn.Dropout2d)] == [dropout] * 2
