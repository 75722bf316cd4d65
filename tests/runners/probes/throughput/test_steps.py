"""What is timed: the step does the work it says, and settings change how, never what, is computed."""

import os
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

import ablations
from runners import study
from runners.outcomes import NotApplicable
from runners.plan import plan
from runners.probes.throughput import steps
from runners.probes.throughput.settings import ThroughputSettings
from runners.trial import Trial

SPEC = "resnet:depth=18,width=8"


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    path = tmp_path_factory.mktemp("steps") / "steps.toml"
    path.write_text(
        'architecture = "resnet"\n[factors]\nstem = ["shallow", "deep32"]\n'
        '[[workloads]]\nkind = "throughput"\nlevels = { depth = 18, width = 8 }\nimage_size = 32\n'
    )
    return next(t for t in plan(study.load(str(path))).trials if t.timed)


def settings(**changes: Any) -> ThroughputSettings:
    return ThroughputSettings.model_validate({"kind": "throughput", "image_size": 32} | changes)


def run_step(trial: Trial, network: nn.Module, mode: Any, **changes: Any) -> list[str]:
    """Run one step; the marks it made, by what the network's parameters looked like then."""
    step = steps.make_step(trial, settings(**changes), trial.arms[0], network, mode, 4)
    marks: list[str] = []

    def mark() -> None:
        grads = [parameter.grad is not None for parameter in network.parameters()]
        marks.append("gradients" if all(grads) else "none")

    step(mark)
    return marks


def test_a_training_step_is_forward_backward_and_optimizer_and_leaves_the_weights(trial: Trial) -> None:
    network = ablations.build(SPEC, seed=1)
    before = {name: value.clone() for name, value in network.named_parameters()}
    assert run_step(trial, network, "train") == ["none", "gradients", "none"]
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.named_parameters())
    assert len(steps.PHASES["train"]) == 3


def test_an_inference_step_makes_no_graph_and_leaves_the_statistics(trial: Trial) -> None:
    network = ablations.build(SPEC, seed=1)
    outputs: list[torch.Tensor] = []
    network.register_forward_hook(lambda *given: outputs.append(given[2]))
    before = {name: value.clone() for name, value in network.named_buffers()}
    assert run_step(trial, network, "inference") == ["none"]
    assert [output.is_inference() for output in outputs] == [True]
    assert not network.training
    assert all(torch.equal(value, before[name]) for name, value in network.named_buffers())


@pytest.mark.parametrize("norm", ["batch", "none", "group"])
def test_folding_leaves_the_function_and_takes_the_batchnorms_away(trial: Trial, norm: str) -> None:
    network = ablations.build(f"{SPEC},norm={norm}", seed=1).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    step: Any = steps.make_step(trial, settings(fold_batchnorm=True), trial.arms[0], network, "inference", 4)
    folded, images = step.args[0], step.args[1]
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    with torch.inference_mode():
        torch.testing.assert_close(folded(images), network(images), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("mode", ["train", "inference"])
def test_channels_last_reaches_weights_and_images(trial: Trial, mode: Any) -> None:
    network = ablations.build(SPEC, seed=1)
    step: Any = steps.make_step(trial, settings(channels_last=True), trial.arms[0], network, mode, 4)
    assert step.args[1].is_contiguous(memory_format=torch.channels_last)
    convolution = next(m for m in network.modules() if isinstance(m, nn.Conv2d))
    assert convolution.weight.is_contiguous(memory_format=torch.channels_last)


def test_autocast_is_on_during_the_forward_pass(trial: Trial) -> None:
    seen: list[torch.dtype] = []
    network = ablations.build(SPEC, seed=1)
    convolution = next(m for m in network.modules() if isinstance(m, nn.Conv2d))
    convolution.register_forward_hook(lambda *given: seen.append(given[2].dtype))
    run_step(trial, network, "inference", precision="bf16-autocast")
    run_step(trial, network, "inference")
    assert seen == [torch.bfloat16, torch.float32]


def test_backends_are_what_the_workload_says_whatever_they_were() -> None:
    before = (torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32)
    try:
        steps.set_backends(settings(cudnn_benchmark=True, tf32=True))
        assert torch.backends.cudnn.benchmark
        assert torch.backends.cuda.matmul.allow_tf32
        steps.set_backends(settings())
        assert not torch.backends.cudnn.benchmark
        assert not torch.backends.cudnn.allow_tf32
    finally:
        torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32 = before


def test_pinned_processes_take_turns_on_the_cores(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[set[int]] = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, cores: taken.append(set(cores)))
    for index in range(4):
        steps.pin(replace(trial, index=index, threads=2))
    assert taken == [{0, 1}, {2, 0}, {1, 2}, {0, 1}]


def test_companions_are_workloads_of_their_own() -> None:
    given = settings(
        name="speed", batch_sizes=[1, 32, 64], cards=["1 GiB"], spot_check=3, half_width=0.02, batch_size=32
    )
    found = {other.name: (relation, other) for relation, other in given.companions}
    assert list(found) == ["speed-batch-1", "speed-batch-64", "speed-1GiB", "speed-isolated"]
    assert {relation for relation, _ in found.values()} == {"sweep", "equal_memory", "spot_check"}
    for _, other in found.values():
        assert other.companions == ()
    assert found["speed-batch-64"][1].stopping == given.stopping
    isolated = found["speed-isolated"][1]
    assert (isolated.interleaved, isolated.replicates, isolated.stopping) == (False, 3, None)


def test_compiled_arms_never_share_a_process() -> None:
    assert settings().interleaved
    assert not settings(compile=True).interleaved
    assert settings(compile=True, spot_check=3).companions == ()


def test_an_arm_is_run_as_its_own_levels_say(trial: Trial) -> None:
    plain = trial.arms[0]
    for level, dtype in (("precision=bf16", torch.bfloat16), ("precision=fp32", torch.float32)):
        arm = replace(plain, complete_variant=f"{SPEC},{level}")
        network = ablations.build(SPEC)
        steps.make_step(trial, settings(precision="fp32"), arm, network, "train", 4)
        assert next(network.parameters()).dtype == dtype


def test_a_compiled_network_is_not_checkpointed(trial: Trial) -> None:
    with pytest.raises(NotApplicable, match=r"^torch\.compile takes no checkpointed blocks$"):
        steps.make_step(
            trial,
            settings(compile=True, checkpointing=True),
            trial.arms[0],
            ablations.build(SPEC),
            "train",
            4,
        )
