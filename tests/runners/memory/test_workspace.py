"""Nothing that the allocator holds goes unexplained."""

import pytest
import torch
from torch import nn

from runners.memory.measure import measure_allocator
from runners.memory.settings import Mode, StepSettings
from tests.runners.memory.cases import VARIANTS, Joins, module, small, variant

QUICK = {VARIANTS[0], VARIANTS[5], VARIANTS[11], "joins"}
CASES = [
    case if case in QUICK else pytest.param(case, marks=pytest.mark.slow) for case in (*VARIANTS, "joins")
]


@pytest.mark.parametrize("mode", ["train", "inference"])
@pytest.mark.parametrize("case", CASES)
def test_tensors_and_workspaces_equal_the_peak_of_a_run_that_nobody_observed(case: str, mode: Mode) -> None:
    measured = measure_allocator(module(Joins) if case == "joins" else variant(case), small(mode))
    assert measured.peak is not None
    assert measured.peak.allocator_bytes == measured.allocator_peak_bytes
    assert measured.peak.lasting_bytes == 0
    assert measured.peak.unplaced_tensors == 0
    assert measured.peak.tensor_bytes <= measured.profile.peak_bytes
    assert 0 <= measured.workspace_bytes <= sum(w.nbytes for w in measured.peak.workspaces)


def test_scratch_is_laid_to_the_operator_the_module_and_the_kernel_that_asked() -> None:
    """A convolution of oneDNN holds a copy of its images, its weights and its result in another layout."""

    def build() -> nn.Module:
        return nn.Sequential(nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.Flatten(), nn.Linear(32 * 64, 2))

    settings = StepSettings((2, 16, 8, 8), mode="inference")
    peak = measure_allocator(module(build), settings).peak
    assert peak is not None
    assert peak.workspaces
    for workspace in peak.workspaces:
        assert workspace.operator == "aten.convolution.default"
        assert workspace.module == "0"
        assert workspace.kernel.startswith("aten::")
    assert peak.largest_by_operator["aten.convolution.default"] == sum(w.nbytes for w in peak.workspaces)


@torch.library.custom_op("ablation_tests::wasteful", mutates_args=())
def wasteful(x: torch.Tensor) -> torch.Tensor:
    scratch = torch.empty(1000, dtype=torch.uint8)
    result = x.sin()
    del scratch
    return result


_hoard: list[torch.Tensor] = []


@torch.library.custom_op("ablation_tests::hoarding", mutates_args=())
def hoarding(x: torch.Tensor) -> torch.Tensor:
    _hoard.append(torch.empty(777, dtype=torch.uint8))
    return x.sin()


class Apply(nn.Module):
    def __init__(self, *operators: object) -> None:
        super().__init__()
        self.operators = operators

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for operator in self.operators:
            x = operator(x)  # type: ignore[operator]
        return x


def test_the_scratch_of_one_operator_is_found_to_the_byte() -> None:
    settings = StepSettings((2, 3, 4, 4), mode="inference")
    measured = measure_allocator(module(lambda: Apply(wasteful)), settings)
    assert measured.peak is not None
    images = 2 * 3 * 4 * 4 * 4
    assert measured.allocator_peak_bytes == images + images + 1000
    assert measured.peak.tensor_bytes == images + images
    assert [(w.nbytes, w.operator) for w in measured.peak.workspaces] == [
        (1000, "ablation_tests.wasteful.default")
    ]


def test_memory_that_outlives_its_operator_and_is_no_tensor_is_pointed_out() -> None:
    settings = StepSettings((2, 3, 4, 4), mode="inference")
    try:
        measured = measure_allocator(module(lambda: Apply(hoarding, torch.sin, torch.cos)), settings)
    finally:
        _hoard.clear()
    assert measured.peak is not None
    assert measured.peak.lasting_bytes == 777
