"""What a composite operator does to its parts, where the steps of layers do not show it."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from runners.memory.settings import StepSettings
from runners.memory.simulate import follow, simulate
from tests.runners.memory.drawn_layers import Apply

SETTINGS = StepSettings((2, 3, 6, 6), mode="inference", precision="bf16-autocast")


def alike(images: torch.Tensor) -> torch.Tensor:
    return functional.cosine_similarity(images, images + 1, dim=1)


def test_autocast_that_has_treated_a_composition_leaves_its_parts_alone() -> None:
    """On CUDA it computes a cosine in float32, and knows the norms within only outside of one."""
    profile = simulate(lambda _: nn.Sequential(nn.Conv2d(3, 8, 1), Apply(alike)), SETTINGS)
    dtypes = {t.dtype for t in profile.tensors if t.operator == "aten.linalg_vector_norm.default"}
    assert dtypes == {"float32"}


def test_autocast_of_the_parts_ends_with_the_composition() -> None:
    def padded(images: torch.Tensor) -> torch.Tensor:
        return functional.pad(images, (1, 1, 1, 1), mode="reflect").bfloat16().sin()

    def build(_: torch.device) -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, 8, 1), Apply(padded))

    simulated, real = simulate(build, SETTINGS, target="cpu"), follow(build, SETTINGS)
    assert simulated.timeline == real.timeline
    assert simulated.tensors == real.tensors
    dtypes = {t.operator: t.dtype for t in real.tensors}
    assert dtypes["aten.reflection_pad2d.default"] == "float32"
    assert dtypes["aten.sin.default"] == "bfloat16"


class Scattering(torch.autograd.Function):
    """A formula of the user's own, which goes on using its zeros."""

    @staticmethod
    def forward(ctx: Any, images: torch.Tensor) -> torch.Tensor:
        return images.clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        zeros = torch.zeros(gradient.shape)
        index = torch.zeros(gradient.shape, dtype=torch.int64)
        result = zeros.scatter(1, index, gradient) + zeros.index_put((torch.tensor([0]),), gradient[:1])
        assert not zeros.any()
        return result


def test_zeros_that_somebody_else_holds_are_not_written_to() -> None:
    def scattered(images: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = Scattering.apply(images)
        return result.flatten(1)

    def build(_: torch.device) -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, 8, 1), Apply(scattered))

    profile = follow(build, StepSettings((2, 3, 6, 6)))
    operators = [operation.operator for operation in profile.timeline]
    assert operators.count("aten.scatter.src") == operators.count("aten.index_put.default") == 1


class Adding(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: torch.Tensor) -> torch.Tensor:
        return images.clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        fresh = gradient.sin()
        before = fresh.tolist()
        result = fresh + gradient
        assert fresh.tolist() == before
        return result


def test_a_gradient_that_somebody_else_holds_is_not_added_to_in_place() -> None:
    def added(images: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = Adding.apply(images)
        return result.flatten(1)

    follow(lambda _: nn.Sequential(nn.Conv2d(3, 8, 1), Apply(added)), StepSettings((2, 3, 6, 6)))
