"""Shared layers against PyTorch's own functions and the arithmetic of their geometry."""

import re
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - PyTorch's own abbreviation

from ablations.layers import NormLevel, PoolLevel, add_shortcut, conv2d, make_pool, make_relu, norm_factory


def pool(level: PoolLevel, **changes: Any) -> nn.Module:
    geometry: dict[str, Any] = {
        "kernel": 3,
        "stride": 2,
        "padding": 1,
        "dilation": 1,
        "ceil_mode": False,
        "norm": "batch",
        "relu": "inplace",
    }
    return make_pool(level, 8, **(geometry | changes))


@pytest.mark.parametrize(
    ("geometry", "size"),
    [
        ({}, 56),
        ({"kernel": 2, "padding": 0}, 56),
        ({"padding": 0}, 55),
        ({"dilation": 2}, 55),
        ({"stride": 1}, 112),
        ({"padding": 0, "ceil_mode": True}, 56),  # ceil((112 - 3) / 2) + 1, against floor's 55
    ],
)
def test_pooling_after_the_stem_leaves_the_sizes_of_the_published_arithmetic(
    geometry: dict[str, Any], size: int
) -> None:
    assert pool("max", **geometry)(torch.empty(1, 8, 112, 112, device="meta")).shape == (1, 8, size, size)


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 2, 1), ((3, 2), (2, 1), (0, 1)), (5, 3, 2)])
def test_pooling_is_pytorchs_function_of_that_geometry(
    kernel: Any, stride: Any, padding: Any, ceil_mode: bool
) -> None:
    image = torch.randn(2, 8, 21, 17, generator=torch.Generator().manual_seed(0))
    geometry = {"kernel": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    dilated = pool("max", dilation=(1, 2), **geometry)(image)
    assert torch.equal(dilated, F.max_pool2d(image, kernel, stride, padding, (1, 2), ceil_mode))
    averaged = pool("average", **geometry)(image)
    assert torch.equal(averaged, F.avg_pool2d(image, kernel, stride, padding, ceil_mode))


@pytest.mark.parametrize("norm", ["batch", "none", "group", "frozen"])
def test_a_convolution_in_place_of_the_pooling_has_its_geometry(norm: NormLevel) -> None:
    geometry = {"kernel": (3, 2), "stride": (2, 1), "padding": (1, 0), "dilation": (2, 1)}
    image = torch.randn(2, 8, 21, 17, generator=torch.Generator().manual_seed(0))
    convolved = pool("convolution", norm=norm, **geometry)(image.clone())
    assert convolved.shape == pool("max", **geometry)(image).shape
    assert (convolved >= 0).all()


def test_no_pooling_is_the_identity_whatever_the_geometry() -> None:
    image = torch.randn(2, 8, 5, 5)
    assert pool("none", kernel=1, padding=3, dilation=4)(image) is image


@pytest.mark.parametrize(
    ("level", "geometry", "expected"),
    [
        (
            "max",
            {"padding": (1, 2)},
            "pool_padding 2 is over half of pool_kernel 3 (columns):"
            " a window could lie wholly in the padding; at most 1",
        ),
        (
            "average",
            {"kernel": (1, 3)},
            "pool_padding 1 is over half of pool_kernel 1 (rows):"
            " a window could lie wholly in the padding; at most 0",
        ),
        (
            "average",
            {"dilation": (1, 2)},
            "pool=average has no dilation; set pool_dilation=1 or pool=max",
        ),
        (
            "convolution",
            {"ceil_mode": True},
            "pool=convolution has no ceil mode; set pool_ceil_mode=false or pool=max",
        ),
    ],
)
def test_a_geometry_that_a_pooling_does_not_have_is_refused(
    level: PoolLevel, geometry: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        pool(level, **geometry)


def test_what_the_padding_rule_allows_pytorch_accepts_and_what_it_refuses_pytorch_does_too() -> None:
    for kernel in range(1, 8):
        for padding in range(4):
            module = nn.MaxPool2d(kernel, 2, padding)
            image = torch.zeros(1, 8, 20, 20)
            if 2 * padding <= kernel:
                assert torch.equal(pool("max", kernel=kernel, padding=padding)(image), module(image))
            else:
                with pytest.raises(RuntimeError, match="half of"):
                    module(image)
                with pytest.raises(ValueError, match="over half"):
                    pool("max", kernel=kernel, padding=padding)


@pytest.mark.parametrize(
    ("channels", "groups"),
    [(1, 1), (2, 1), (3, 1), (8, 4), (48, 24), (62, 31), (64, 32), (66, 22), (2048, 32)],
)
def test_group_norm_has_32_groups_or_the_most_that_leave_two_channels_in_each(
    channels: int, groups: int
) -> None:
    module = norm_factory("group")(channels)
    assert isinstance(module, nn.GroupNorm)
    assert module.num_groups == groups


def test_frozen_norm_is_a_fixed_map_without_parameters() -> None:
    module = norm_factory("frozen")(3)
    assert list(module.parameters()) == []
    before = {name: buffer.clone() for name, buffer in module.state_dict().items()}
    image = 5 + torch.randn(4, 3, 6, 6)
    reference = F.batch_norm(image, torch.zeros(3), torch.ones(3), torch.ones(3), torch.zeros(3))
    torch.testing.assert_close(module.train()(image), reference)
    assert all(torch.equal(before[name], buffer) for name, buffer in module.state_dict().items())


@pytest.mark.parametrize("kernel", [1, 3, 5, 7, (3, 1), (1, 7)])
@pytest.mark.parametrize("dilation", [1, 2, (1, 3)])
def test_a_convolution_keeps_the_size_at_stride_1(kernel: Any, dilation: Any) -> None:
    module = conv2d(2, 4, kernel, norm="batch", dilation=dilation)
    assert module(torch.zeros(1, 2, 19, 23)).shape == (1, 4, 19, 23)


def test_a_convolution_has_a_bias_only_where_no_normalisation_follows() -> None:
    levels: tuple[NormLevel, ...] = ("batch", "none", "group", "frozen")
    assert [conv2d(2, 4, 3, norm=norm).bias is not None for norm in levels] == [False, True, False, False]


def test_relu_in_place_overwrites_its_input_and_out_of_place_does_not() -> None:
    for level, overwritten in (("inplace", True), ("out_of_place", False)):
        given = torch.tensor([-1.0, 2.0])
        out = make_relu(level)(given)  # type: ignore[arg-type]
        assert out.tolist() == [0.0, 2.0]
        assert (given.tolist() == [0.0, 2.0]) is overwritten
        assert (out.data_ptr() == given.data_ptr()) is overwritten


def test_the_sum_in_place_overwrites_the_branch_and_never_the_shortcut() -> None:
    for inplace in (True, False):
        branch, shortcut = torch.tensor([1.0, 2.0]), torch.tensor([10.0, 20.0])
        out = add_shortcut(branch, shortcut, inplace=inplace)
        assert out.tolist() == [11.0, 22.0]
        assert shortcut.tolist() == [10.0, 20.0]
        assert branch.tolist() == ([11.0, 22.0] if inplace else [1.0, 2.0])
        assert (out.data_ptr() == branch.data_ptr()) is inplace
