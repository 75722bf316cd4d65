"""What a backend runs whole, held to the table that PyTorch's dispatcher prints of itself."""

import re

import pytest
import torch

from runners.memory import dispatch
from runners.memory.dispatch import CUDA_KERNELS, backend, composite, kernels_of
from runners.memory.settings import StepSettings, Target
from runners.memory.simulate import simulate
from tests.runners.memory.drawn_layers import Shape, network

BUILT_WITH_CUDA = torch._C._dispatch_has_kernel_for_dispatch_key("aten::relu", "CUDA")
needs_cudas_kernels = pytest.mark.skipif(not BUILT_WITH_CUDA, reason="PyTorch was built without CUDA")
KEYS = ["CPU", pytest.param("CUDA", marks=needs_cudas_kernels)]


def table(name: str) -> dict[str, str]:
    """The kind of kernel that the dispatcher would run for each key: `math kernel` for a composite one."""
    lines = torch._C._dispatch_dump_table(name).splitlines()
    found = (re.fullmatch(r"(\w+): .*\[(.+)\]", line) for line in lines)
    return {match[1]: match[2] for match in found if match is not None}


def operators() -> list[str]:
    names = torch._C._dispatch_get_all_op_names()
    return [name for name in names if name.startswith("aten::")]


@pytest.mark.parametrize("key", KEYS)
def test_composite_is_what_the_dispatcher_itself_would_compose(key: str) -> None:
    kinds = {name: table(name).get(key) for name in operators()}
    assert sum(kind == "math kernel" for kind in kinds.values()) > 500
    wrong = [name for name, kind in kinds.items() if composite(name, key) != (kind == "math kernel")]
    assert wrong == []


@pytest.mark.parametrize("key", KEYS)
def test_tensors_without_data_go_whole_through_what_the_backend_runs_whole_also_below_autograd(
    key: str,
) -> None:
    with kernels_of(key):
        for name in operators():
            kinds = table(name)
            theirs = [kinds.get(k) == "math kernel" for k in (key, f"Autograd{key}")]
            assert [kinds.get(k) == "math kernel" for k in ("Meta", "AutogradMeta")] == theirs, name


def test_the_backends_kernels_are_forgotten_afterwards() -> None:
    name = "aten::mish_backward"
    before = table(name)
    assert before["Meta"] == "math kernel"
    with kernels_of("CPU"):
        assert table(name)["Meta"] != "math kernel"
    assert table(name) == before


@needs_cudas_kernels
def test_without_cudas_registrations_a_list_says_what_they_are() -> None:
    registered = torch._C._dispatch_get_registrations_for_dispatch_key("CUDA")
    both = {
        name
        for name in registered
        if name.startswith("aten::")
        and torch._C._dispatch_has_kernel_for_dispatch_key(name, "CompositeImplicitAutograd")
    }
    assert both == CUDA_KERNELS


def test_a_build_without_cuda_goes_by_that_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_knows_cuda", lambda: False)
    monkeypatch.setattr(dispatch, "composite", composite.__wrapped__)
    assert not dispatch.composite("aten::silu_backward", "CUDA")
    assert dispatch.composite("aten::native_channel_shuffle", "CUDA")
    assert not dispatch.composite("aten::relu", "CUDA")
    assert not dispatch.composite("aten::convolution", "CUDA")


def test_tensors_without_data_stand_for_the_target_and_others_for_themselves() -> None:
    assert backend(torch.device("meta"), "cuda") == "CUDA"
    assert backend(torch.device("meta"), "cpu") == "CPU"
    assert backend(torch.device("cpu"), "cpu") == "CPU"
    assert backend(torch.device("xpu"), "cuda") == "XPU"
    assert backend(torch.device("meta")) == "Meta"


def made_by(layer: str, target: Target) -> set[str]:
    image = Shape(3, 6, 6)
    profile = simulate(network([layer], image), StepSettings((2, *image)), target=target)
    return {operation.operator for operation in profile.timeline if operation.module.startswith("1")}


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_a_gradient_that_both_backends_compute_in_one_kernel_is_not_taken_apart(target: Target) -> None:
    assert made_by("SiLU", target) == {"aten.silu.default", "aten.silu_backward.default"}
    assert made_by("Mish", target) == {"aten.mish.default", "aten.mish_backward.default"}


def test_a_norm_that_only_cuda_has_a_kernel_for_is_taken_apart_on_the_cpu() -> None:
    assert "aten._fused_rms_norm.default" in made_by("RMSNorm", "cuda")
    assert "aten.rsqrt.default" not in made_by("RMSNorm", "cuda")
    assert "aten.rsqrt.default" in made_by("RMSNorm", "cpu")
