"""Compositions that look at the device are simulated as the target would choose, or refused."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.attention import SDPBackend

from runners.memory.choices import check_fast_paths
from runners.memory.settings import StepSettings
from runners.memory.simulate import follow, simulate
from tests.runners.memory.cases import module
from tests.runners.memory.drawn_layers import Apply, Shape, network

IMAGE = Shape(3, 6, 6)


def test_dropout_on_cuda_keeps_a_byte_per_element_and_on_the_cpu_a_factor() -> None:
    kept = {}
    for layer in ("Dropout", "Dropout-in-place"):
        for target in ("cuda", "cpu"):
            profile = simulate(network([layer], IMAGE), StepSettings((2, *IMAGE)), target=target)
            dtypes = [t.dtype for t in profile.tensors if t.category == "activations" and t.module == "1"]
            kept[layer, target] = dtypes.count("bool"), dtypes.count("float32")
    assert kept["Dropout", "cuda"] == (1, 0)
    assert kept["Dropout", "cpu"] == (0, 1)
    assert kept["Dropout-in-place", "cuda"] == kept["Dropout-in-place", "cpu"] == (0, 1)


def test_dropout_of_nothing_and_of_everything_is_not_cudas_kernel() -> None:
    for p in (0.0, 1.0):
        layers = nn.Sequential(nn.Conv2d(3, 2, 1), nn.Dropout(p), nn.Flatten()).to("meta")
        profile = simulate(module(partial(nn.Sequential, layers)), StepSettings((2, *IMAGE)))
        assert "aten.native_dropout.default" not in {o.operator for o in profile.timeline}


@pytest.mark.parametrize("mode", ["train", "inference"])
def test_attention_on_cuda_is_refused_in_a_line_that_names_its_module(mode: str) -> None:
    settings = StepSettings((2, *IMAGE), mode=mode)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^1, input .*scaled_dot_product_attention: which .*CUDA.*$"):
        simulate(network(["attention"], IMAGE), settings)


def attention(heads: int, mask: torch.dtype | None, dropout: float = 0.0) -> nn.Module:
    def attend(images: torch.Tensor) -> torch.Tensor:
        sequence = images.flatten(2).transpose(1, 2).unflatten(2, (heads, -1)).transpose(1, 2).contiguous()
        kept = None if mask is None else torch.ones(36, 36, dtype=mask, device=images.device)
        return functional.scaled_dot_product_attention(sequence, sequence, sequence, kept, dropout).flatten(1)

    return nn.Sequential(nn.Conv2d(3, 8, 1), Apply(attend))


@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("mask", [None, torch.float32])
def test_attention_on_the_cpu_takes_the_kernel_that_the_cpu_chooses(
    mask: torch.dtype | None, dropout: float
) -> None:
    """A fused one, or a product of matrices, to which the mask is added in place."""
    settings = StepSettings((2, *IMAGE))
    simulated, real = (
        run(lambda _: attention(2, mask, dropout), settings)
        for run in (lambda build, s: simulate(build, s, target="cpu"), follow)
    )
    assert simulated.timeline == real.timeline
    operators = {operation.operator for operation in simulated.timeline}
    assert ("aten._scaled_dot_product_flash_attention_for_cpu.default" in operators) == (dropout == 0)
    assert ("aten.add_.Tensor" in [o.operator for o in simulated.timeline if o.phase == "forward"]) == (
        dropout > 0 and mask is not None
    )


def test_a_mask_of_truth_values_in_the_cpus_fused_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match="a mask of other than numbers is not known"):
        simulate(lambda _: attention(2, torch.bool), StepSettings((2, *IMAGE)), target="cpu")


def test_the_kernels_of_attention_have_the_numbers_that_the_choice_is_read_by() -> None:
    query = torch.rand(1, 1, 4, 4)
    choices = [torch.ops.aten._fused_sdp_choice.default(query, query, query, None, p) for p in (0.0, 0.5)]
    assert choices == [SDPBackend.FLASH_ATTENTION.value, SDPBackend.MATH.value]


def test_attention_modules_are_refused_in_inference_unless_their_own_path_is_closed() -> None:
    build = network(["MultiheadAttention"], IMAGE)
    settings = StepSettings((2, *IMAGE), mode="inference")
    with pytest.raises(
        ValueError, match=r"^1\.layer\.attention: nn\.MultiheadAttention .*\(False\) closes it$"
    ):
        simulate(build, settings, target="cpu")
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        simulated = simulate(build, settings, target="cpu")
        assert simulated.timeline == follow(build, settings).timeline
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    check_fast_paths(nn.Sequential(nn.Conv2d(3, 3, 1)))
