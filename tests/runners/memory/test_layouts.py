"""Results of operators without data are laid out as the CPU's kernels lay out theirs."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import torch

from runners.memory.layouts import layout_rules
from runners.memory.rules import kernel_rules
from runners.memory.shapes import ShapeMemo

aten = torch.ops.aten
SHAPE = (2, 8, 6, 6)


def images(*shape: int) -> list[torch.Tensor]:
    plain = torch.rand(shape or SHAPE)
    return [plain, plain.contiguous(memory_format=torch.channels_last)]


def calls() -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Every operator that has a rule for the CPU, in every order of its operands."""
    for x in images():
        yield from (
            (aten._log_softmax.default, (x, 1, False)),
            (aten._softmax.default, (x, 1, False)),
            (aten.log_sigmoid_forward.default, (x,)),
            (aten.channel_shuffle.default, (x, 2)),
            (aten.pixel_shuffle.default, (x, 2)),
            (aten.reflection_pad2d.default, (x, [1, 1, 1, 1])),
            (aten.replication_pad2d.default, (x, [1, 1, 1, 1])),
            (aten.upsample_bilinear2d.default, (x, [9, 9], False)),
            (aten.upsample_bicubic2d.default, (x, [9, 9], False)),
            (aten.im2col.default, (x, [1, 1], [1, 1], [0, 0], [2, 2])),
            (aten.roll.default, (x, [1], [2])),
            (aten.roll.default, (x, [-2], [1])),
        )
    yield aten.col2im.default, (torch.rand(2, 32, 25), [6, 6], [2, 2], [1, 1], [0, 0], [1, 1])
    for gradient, x in product(images(), images()):
        yield from (
            (aten.elu_backward.default, (gradient, 1.0, 1.0, 1.0, False, x)),
            (aten.hardsigmoid_backward.default, (gradient, x)),
            (aten.hardswish_backward.default, (gradient, x)),
            (aten.hardtanh_backward.default, (gradient, x, -1.0, 1.0)),
            (aten.mish_backward.default, (gradient, x)),
            (aten.softplus_backward.default, (gradient, x, 1, 20)),
            (aten._log_softmax_backward_data.default, (gradient, x, 1, torch.float32)),
            (aten._softmax_backward_data.default, (gradient, x, 1, torch.float32)),
            (aten.rrelu_with_noise.default, (x, gradient, 0.1, 0.3, True)),
            (aten.rrelu_with_noise_backward.default, (gradient, x, x, 0.1, 0.3, True, False)),
            (aten.rrelu_with_noise_backward.default, (x, x, gradient, 0.1, 0.3, True, False)),
        )
    for gradient, x in (*product(images(), images()), *product(images(2, 8, 1, 6), images(2, 8, 1, 6))):
        yield aten.log_sigmoid_backward.default, (gradient, x, torch.rand(x.shape))
    for gradient, x in product(images(2, 4, 6, 6), images()):
        yield aten.glu_backward.default, (gradient, x, 1)
    for gradient, x in product(images(2, 8, 8, 8), images()):
        yield aten.reflection_pad2d_backward.default, (gradient, x, [1, 1, 1, 1])
        yield aten.replication_pad2d_backward.default, (gradient, x, [1, 1, 1, 1])


def described(result: Any) -> list[tuple[Any, ...]]:
    items = result if isinstance(result, tuple) else (result,)
    return [(t.shape, t.stride(), t.dtype, t.untyped_storage().nbytes()) for t in items]


@pytest.mark.parametrize("twice", [False, True])
def test_results_are_laid_out_as_by_the_cpus_kernels(twice: bool) -> None:
    """The second time too, when they may be remembered."""
    memo = ShapeMemo(kernel_rules("cpu"))
    for func, args in calls():
        without_data = tuple(
            torch.empty_strided(a.shape, a.stride(), dtype=a.dtype, device="meta")
            if isinstance(a, torch.Tensor)
            else a
            for a in args
        )
        if twice:
            memo.run(func, without_data, {})
        strides = [a.stride() for a in args if isinstance(a, torch.Tensor)]
        assert described(memo.run(func, without_data, {})) == described(func(*args)), (func, strides)


def test_every_rule_for_the_cpu_is_tried() -> None:
    assert {func for func, _ in calls()} == set(layout_rules("cpu"))


def test_cuda_keeps_no_buffer_for_the_logarithm_of_a_sigmoid() -> None:
    memo = ShapeMemo(kernel_rules("cuda"))
    result, buffer = memo.run(aten.log_sigmoid_forward.default, (torch.empty(SHAPE, device="meta"),), {})
    assert (result.shape, buffer.numel()) == (SHAPE, 0)
