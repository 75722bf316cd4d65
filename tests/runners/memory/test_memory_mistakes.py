"""What cannot be simulated is said in one line that names it."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from runners.memory.settings import StepSettings
from runners.memory.simulate import simulate
from tests.runners.memory.cases import VARIANTS, module, one_convolution, small, variant


@torch.library.custom_op("ablation_tests::without_a_shape_rule", mutates_args=())
def without_a_shape_rule(x: torch.Tensor) -> torch.Tensor:
    return x + 1


class Unsupported(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 1)
        self.odd = Odd()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.odd(self.conv(x))
        return y


class Odd(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = without_a_shape_rule(x)
        return y


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ValueError, match=r"\A[^\n]+\Z") as error:
        call()
    return str(error.value)


def test_a_batch_of_none_is_refused() -> None:
    text = refusal(lambda: StepSettings((0, 3, 32, 32)))
    assert text == "input_shape (0, 3, 32, 32): every size must be 1 or more, the batch included"


@pytest.mark.parametrize("field", ["mode", "optimizer", "optimizer_kind"])
def test_an_unknown_choice_is_refused_with_those_there_are(field: str) -> None:
    with pytest.raises(ValueError, match=f"{field} 'nonsense': expected one of [a-z, ]+$"):
        small(**{"mode": "train", field: "nonsense"})  # type: ignore[arg-type]


def test_training_without_parameters_is_refused() -> None:
    text = refusal(lambda: simulate(module(nn.Flatten), StepSettings((2, 3, 4, 4))))
    assert text == "Flatten: no parameter to train; expected one at least, or mode inference"


def test_inference_without_parameters_is_not() -> None:
    profile = simulate(module(lambda: nn.AvgPool2d(2)), StepSettings((2, 3, 4, 4), mode="inference"))
    assert profile.by_category["parameters"] == 0


def test_an_operator_without_a_shape_rule_is_named_with_its_module() -> None:
    text = refusal(lambda: simulate(module(Unsupported), StepSettings((2, 3, 4, 4), mode="inference")))
    assert text.startswith("odd, input (2, 3, 4, 4): cannot be simulated: ")
    assert "ablation_tests::without_a_shape_rule" in text


@pytest.mark.parametrize("shape", [(2**40, 3, 2**20, 2**20), (2**31, 3, 2**15, 2**14)])
def test_sizes_that_overflow_are_refused(shape: tuple[int, ...]) -> None:
    text = refusal(lambda: simulate(one_convolution, StepSettings(shape, mode="inference")))
    assert str(shape) in text


def test_an_input_of_other_channels_is_refused_where_it_fails() -> None:
    text = refusal(lambda: simulate(variant(VARIANTS[0]), StepSettings((2, 1, 32, 32))))
    assert text.startswith("conv1, input (2, 1, 32, 32): cannot be simulated: ")


def test_a_model_built_elsewhere_is_refused() -> None:
    text = refusal(lambda: simulate(lambda _: nn.Linear(3, 3, device="cpu"), StepSettings((2, 3))))
    assert text == "weight was built on cpu; expected meta, the device asked for"
