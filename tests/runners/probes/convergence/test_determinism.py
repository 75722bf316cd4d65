"""What PyTorch and its libraries choose for speed is pinned down while a network is trained."""

import os
from dataclasses import replace

import torch
from torch.nn.modules.module import register_module_forward_hook

from runners.probes import convergence
from runners.probes.convergence.determinism import deterministic
from runners.trial import TrialArm
from tests.runners.test_sources import trial

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"


def switches() -> tuple[object, ...]:
    cudnn = torch.backends.cudnn
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        cudnn.deterministic,
        cudnn.benchmark,
        os.environ.get(WORKSPACE),
        torch.utils.deterministic.fill_uninitialized_memory,  # type: ignore[attr-defined]
    )


def test_every_forward_pass_of_a_training_is_deterministic_and_what_was_set_before_comes_back() -> None:
    small = "resnet:depth=18,width=2,in_channels=1,num_classes=10"
    one = trial("convergence", epochs=1, train_images=32, batch_size=16, image_size=8)
    one = replace(one, arms=(TrialArm("baseline", small, small),))
    before, seen = switches(), set[tuple[object, ...]]()
    hook = register_module_forward_hook(lambda *_: seen.add(switches()))
    try:
        (outcome,) = convergence.run(one).outcomes
    finally:
        hook.remove()
    assert outcome.status == "ok", outcome.reason
    assert seen == {(True, True, True, False, ":4096:8", False)}
    assert switches() == before


def test_it_comes_back_from_a_failure_too_whatever_it_was() -> None:
    torch.backends.cudnn.benchmark = True
    os.environ[WORKSPACE] = ":16:8"
    torch.use_deterministic_algorithms(True)
    before = switches()
    try:
        with deterministic():
            assert switches() == (True, True, True, False, ":4096:8", False)
            raise KeyError
    except KeyError:
        assert switches() == before
    finally:
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.benchmark = False
        del os.environ[WORKSPACE]
