"""Precision, layout, checkpoints and optimizers: each simulated as it runs."""

from collections.abc import Mapping
from typing import Any, get_args

import pytest
import torch
from torch import nn

from runners.memory.autocast import POLICIES, registered
from runners.memory.settings import Gradients, Mode, OptimizerKind, OptimizerName, StepSettings, Target
from runners.memory.simulate import follow, simulate
from tests.runners.memory.cases import module, small, variant

NETWORKS = (
    "resnet:depth=18,width=8",
    "resnet:depth=18,width=8,norm=group,pool=average,shortcut=out_of_place",
    "resnet:depth=18,width=8,norm=none,stem=deep64,relu=out_of_place",
    "resnet:depth=18,width=8,norm=frozen,pool=convolution",
    "resnet:depth=50,width=8,output_stride=8",
)
SETTINGS: tuple[Mapping[str, Any], ...] = (
    {"precision": "bf16"},
    {"precision": "bf16-autocast"},
    {"memory_format": "channels_last"},
    {"precision": "bf16-autocast", "memory_format": "channels_last"},
    {"checkpointing": True},
    {"checkpointing": True, "precision": "bf16-autocast"},
    {"optimizer_kind": "fused"},
    {"optimizer_kind": "fused", "optimizer": "adamw"},
    {"gradients": "zero"},
    {"gradients": "zero", "optimizer_kind": "foreach"},
)
ONLY_IN_TRAINING = {"checkpointing", "optimizer_kind", "gradients"}
CASES = [
    (settings, mode)
    for settings in SETTINGS
    for mode in ("train", "inference")
    if mode == "train" or not ONLY_IN_TRAINING & set(settings)
]


@pytest.mark.parametrize(("settings", "mode"), CASES, ids=str)
@pytest.mark.parametrize(
    "network", [*NETWORKS[:2], *(pytest.param(network, marks=pytest.mark.slow) for network in NETWORKS[2:])]
)
def test_each_setting_simulates_as_it_runs(network: str, settings: Mapping[str, Any], mode: Mode) -> None:
    simulated = simulate(variant(network), small(mode, **settings), target="cpu")
    real = follow(variant(network), small(mode, **settings))
    assert simulated.timeline == real.timeline
    assert simulated.tensors == real.tensors


def test_autocast_knows_a_policy_for_operators_that_the_device_treats() -> None:
    """A name that PyTorch does not register would never be asked for: a mistake in writing."""
    for target, policies in POLICIES.items():
        names = [name for text in policies.values() for name in text.split()]
        assert len(set(names)) == len(names)
        assert set(names) <= set(registered(target))


def test_autocast_refuses_an_operator_whose_policy_it_does_not_know() -> None:
    class Renormalised(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(3, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y: torch.Tensor = self.fc(x).renorm(2, 0, 1.0)
            return y

    settings = StepSettings((2, 3), precision="bf16-autocast")
    with pytest.raises(ValueError, match="aten::renorm: how autocast treats it is not known here"):
        simulate(module(Renormalised), settings, target="cuda")


def test_autocast_leaves_nothing_behind() -> None:
    simulate(variant(NETWORKS[0]), small(precision="bf16-autocast"))
    assert nn.Linear(3, 3, device="meta")(torch.ones(2, 3, device="meta")).dtype == torch.float32


def test_the_cpu_casts_the_logits_to_float32_and_cuda_their_log_softmax() -> None:
    """`cross_entropy_loss` is cast on the CPU as a whole; on CUDA only `nll_loss`, which it ends in, is.

    Its log-softmax names the logits' own type, so that autocast's wish for float32 does not apply.
    """
    softmax = {}
    for target in get_args(Target):
        profile = simulate(variant(NETWORKS[0]), small(precision="bf16-autocast"), target=target)
        saved = [b for b in profile.tensors if b.category == "activations"]
        assert {b.dtype for b in saved if b.operator == "aten.convolution.default"} == {"bfloat16"}
        assert {b.dtype for b in saved if b.operator == "aten.nll_loss_forward.default"} == {"float32"}
        (softmax[target],) = [b.dtype for b in profile.tensors if b.operator == "aten._log_softmax.default"]
    assert softmax == {"cpu": "float32", "cuda": "bfloat16"}


def test_checkpoints_lower_what_is_saved_and_raise_what_is_computed() -> None:
    shape = (8, 3, 96, 96)
    plain, checkpointed = (
        simulate(variant(NETWORKS[4]), StepSettings(shape, checkpointing=c)) for c in (False, True)
    )
    assert checkpointed.saved_bytes < 0.5 * plain.saved_bytes
    assert checkpointed.peak_bytes < plain.peak_bytes
    assert len(checkpointed.timeline) > len(plain.timeline)


def test_a_model_without_blocks_cannot_be_checkpointed() -> None:
    with pytest.raises(ValueError, match=r"^Linear: no block to checkpoint; expected sequences of blocks$"):
        simulate(module(lambda: nn.Linear(3, 3)), StepSettings((2, 3), checkpointing=True))


def test_fused_optimizers_need_no_copy_of_the_gradients() -> None:
    transient = {}
    for kind in get_args(OptimizerKind):
        for optimizer in get_args(OptimizerName):
            settings = small(optimizer_kind=kind, optimizer=optimizer)
            update = simulate(variant(NETWORKS[0]), settings, target="cuda").peaks["optimizer_step"]
            transient[kind, optimizer] = update.by_category["transient"]
    assert transient["fused", "sgd"] == 0
    assert transient["default", "sgd"] == transient["foreach", "sgd"] > transient["single", "sgd"] > 0
    assert transient["fused", "adamw"] == 0 < transient["single", "adamw"] < transient["foreach", "adamw"]


def test_gradients_that_are_kept_are_static_and_those_of_the_step_are_added_to_them() -> None:
    freed, kept = (simulate(variant(NETWORKS[0]), small(gradients=g)) for g in get_args(Gradients))
    gradients = kept.peaks["forward"].by_category["gradients"]
    assert gradients == freed.peaks["optimizer_step"].by_category["gradients"]
    assert freed.peaks["forward"].by_category["gradients"] == 0
    assert kept.static_bytes == freed.static_bytes + gradients


def test_pure_bfloat16_halves_weights_and_what_comes_of_them() -> None:
    full, half = (simulate(variant(NETWORKS[2]), small(precision=p), target="cpu") for p in ("fp32", "bf16"))
    for category in ("parameters", "optimizer_state"):
        assert 2 * half.by_category[category] == full.by_category[category]
