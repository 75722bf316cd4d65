"""Answers remembered for tensors without data are those that PyTorch gives."""

from typing import Any

import pytest
import torch

from runners.memory.rules import kernel_rules
from runners.memory.shapes import ShapeMemo

aten = torch.ops.aten


def meta(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.empty(shape, dtype=dtype, device="meta")


def test_numbers_that_are_equal_and_of_different_types_are_told_apart() -> None:
    memo = ShapeMemo({})
    whole = meta(3, dtype=torch.int64)
    types = [memo.run(aten.add.Tensor, (whole, number), {}).dtype for number in (1, 1.0, True, 1)]
    assert types == [torch.int64, torch.float32, torch.int64, torch.int64]


def test_every_answer_is_a_new_tensor() -> None:
    memo = ShapeMemo({})
    images = meta(2, 3)
    first, second = (memo.run(aten.sin.default, (images,), {}) for _ in range(2))
    assert first.untyped_storage()._cdata != second.untyped_storage()._cdata
    assert memo.run(aten.view.default, (images, [6]), {}).untyped_storage()._cdata == (
        images.untyped_storage()._cdata
    )


def test_a_view_that_its_schema_hides_is_no_new_tensor_the_second_time_either() -> None:
    memo = ShapeMemo({})
    images = meta(2, 3)
    for _ in range(2):
        flat = memo.run(aten._unsafe_view.default, (images, [6]), {})
        assert flat.untyped_storage()._cdata == images.untyped_storage()._cdata


def test_layouts_are_part_of_the_question() -> None:
    memo = ShapeMemo({})
    images = meta(2, 3, 4, 4)
    for asked in (images, images.contiguous(memory_format=torch.channels_last), images.transpose(2, 3)):
        assert memo.run(aten.sin.default, (asked,), {}).stride() == asked.sin().stride()


def test_operators_on_lists_are_answered_tensor_by_tensor() -> None:
    memo = ShapeMemo({})
    ones, twos = [meta(2), meta(3, 4), meta(2)], [meta(2), meta(3, 4), meta(2)]
    answer = memo.run(aten._foreach_add.List, (ones, twos), {"alpha": 2})
    assert [tensor.shape for tensor in answer] == [(2,), (3, 4), (2,)]
    assert memo.run(aten._foreach_add_.List, (ones, twos), {}) is None


def test_the_norms_and_convolutions_are_laid_out_as_the_cpu_lays_them_out() -> None:
    """The kernels themselves, on tensors with data, are the oracle."""
    memo = ShapeMemo(kernel_rules("cpu"))
    images, scale = torch.ones(2, 4, 5, 5), torch.ones(4)
    weight = torch.ones(6, 4, 3, 3)
    for layout in (torch.contiguous_format, torch.channels_last):
        x = images.contiguous(memory_format=layout)
        mean, deviation = torch.zeros(2, 2), torch.ones(2, 2)
        sequence, of_pixels = x.flatten(2).transpose(1, 2), torch.ones(2, 25, 1)
        for func, args in (
            (aten.native_batch_norm.default, (x, scale, scale, scale, scale, True, 0.1, 1e-5)),
            (aten.native_batch_norm.default, (x, scale, scale, scale, scale, False, 0.1, 1e-5)),
            (aten.native_batch_norm.default, (x, None, None, None, None, True, 0.1, 1e-5)),
            (aten.native_batch_norm.default, (x.bfloat16(), None, None, scale, scale, True, 0.1, 1e-5)),
            (aten.native_layer_norm.default, (sequence.bfloat16(), [4], None, None, 1e-5)),
            (aten.native_layer_norm.default, (sequence.bfloat16(), [4], scale, scale, 1e-5)),
            *(
                (
                    aten.native_batch_norm_backward.default,
                    (images, x, scale, scale, scale, scale, scale, True, 1e-5, wanted),
                )
                for wanted in ([True] * 3, [False, True, True], [True, False, False])
            ),
            (aten.native_group_norm.default, (x, scale, scale, 2, 4, 25, 2, 1e-5)),
            (
                aten.native_group_norm_backward.default,
                (images, x, mean, deviation, scale, 2, 4, 25, 2, [True] * 3),
            ),
            (aten.native_layer_norm.default, (sequence, [4], None, None, 1e-5)),
            (
                aten.native_layer_norm_backward.default,
                (sequence, sequence, [4], of_pixels, of_pixels, scale, scale, [True, True, False]),
            ),
            (aten.convolution.default, (x, weight, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1)),
        ):
            without_data = [_without_data(arg) if isinstance(arg, torch.Tensor) else arg for arg in args]
            assert layouts(memo.run(func, tuple(without_data), {})) == layouts(func(*args)), func


def layouts(result: object) -> list[object]:
    items = result if isinstance(result, tuple) else (result,)
    return [
        None if t is None else (tuple(t.shape), t.stride(), t.dtype)
        for t in items
        if t is None or isinstance(t, torch.Tensor)
    ]


@pytest.mark.parametrize("shape", [(1, 4, 1, 1), (2, 4, 1, 3), (2, 4, 3, 1), (2, 1, 4, 4), (1, 1, 1, 1)])
def test_maps_whose_layout_is_ambiguous_keep_the_strides_that_the_cpu_gives_them(
    shape: tuple[int, ...],
) -> None:
    """One pixel or one channel is contiguous either way; the strides alone tell, and poolings go by them."""
    memo = ShapeMemo(kernel_rules("cpu"))
    plain = torch.ones(shape)
    last = torch.empty_like(plain, memory_format=torch.channels_last).fill_(1)
    scale = torch.ones(shape[1])
    statistics = (scale, scale, scale, scale, scale, False, 1e-5, [True] * 3)
    weights = [torch.ones(6, shape[1], size, size) for size in (1, 3)]
    weights += [torch.empty_like(weight, memory_format=torch.channels_last) for weight in weights]
    asked: list[tuple[Any, tuple[Any, ...]]] = []
    for x in (plain, last):
        asked.append((aten.native_batch_norm.default, (x, scale, scale, scale, scale, False, 0.1, 1e-5)))
        asked += [(aten.native_batch_norm_backward.default, (y, x, *statistics)) for y in (plain, last)]
        asked += [
            (aten.convolution.default, (x, w, None, [1, 1], [w.shape[2] // 2] * 2, [1, 1], False, [0, 0], 1))
            for w in weights
        ]
        asked += [(f, (x,)) for f in (aten.relu.default, aten.sin.default, aten.clone.default)]
        asked += [(aten.threshold_backward.default, (x, x, 0)), (aten.div.Scalar, (x, 2))]
        for other in (plain, last, torch.ones(shape[1], 1, 1), 2.0):
            asked += [(f, (x, other)) for f in (aten.add.Tensor, aten.mul.Tensor)]
    for func, args in asked:
        # built anew rather than moved, which would lose the ambiguous strides
        without_data = [_without_data(arg) if isinstance(arg, torch.Tensor) else arg for arg in args]
        assert layouts(memo.run(func, tuple(without_data), {})) == layouts(func(*args)), (
            func,
            args[0].stride(),
        )


def _without_data(tensor: torch.Tensor) -> torch.Tensor:
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")
