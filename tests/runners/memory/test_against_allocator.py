"""Simulations held to an allocator that knows nothing of them, over layers of every kind.

A simulation and the follower of a real step share their code, and can be wrong together: they agreed on
SiLU, both too high. Here the expectation comes from the allocator's events of a step that nobody follows.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import get_args

import pytest
import torch
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from torch import nn

from runners.memory.measure import measure_allocator
from runners.memory.profile import MemoryProfile
from runners.memory.settings import Mode, StepSettings
from runners.memory.simulate import follow, simulate
from runners.memory.step import Build
from tests.runners.memory.drawn_layers import LAYERS, WITHOUT_INFERENCE, Shape, network
from tests.runners.memory.unobserved import NUMBER_BYTES, unobserved

pytestmark = [
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths"),
    pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight"),
]
IMAGE = Shape(3, 12, 12)


def tensor_sizes(profile: MemoryProfile, phase: str) -> Counter[int]:
    return Counter(
        tensor.nbytes
        for tensor in profile.tensors
        if tensor.nbytes > NUMBER_BYTES and tensor.born >= 0 and profile.timeline[tensor.born].phase == phase
    )


def tensor_peak_bytes(profile: MemoryProfile, phase: str) -> int:
    large = [tensor for tensor in profile.tensors if tensor.nbytes > NUMBER_BYTES]
    return max(
        sum(tensor.nbytes for tensor in large if tensor.alive(index))
        for index, operation in enumerate(profile.timeline)
        if operation.phase == phase
    )


def check(names: list[str], step: StepSettings, image: Shape, *, residual: bool = False) -> bool:
    """The simulated tensors are those that the allocator handed out; or neither step runs, which is False."""
    return agrees(network(names, image, residual=residual), step)


def agrees(build: Build, step: StepSettings) -> bool:
    """The simulated tensors are those that the allocator handed out; or neither step runs, which is False."""
    try:
        simulated = simulate(build, step, target="cpu")
    except ValueError:
        with pytest.raises((RuntimeError, ValueError)):
            follow(build, step)
        return False
    phases = unobserved(build, step)
    assert list(phases) == list(simulated.peaks)
    for phase, seen in phases.items():
        assert tensor_sizes(simulated, phase) == seen.tensor_sizes, (phase, seen.temporaries)
        assert tensor_peak_bytes(simulated, phase) == seen.tensor_peak_bytes
        assert simulated.peaks[phase].live_bytes <= seen.peak_bytes
    followed = follow(build, step)
    assert simulated.timeline == followed.timeline
    assert simulated.tensors == followed.tensors
    return True


def in_mixed_precision(mode: Mode) -> StepSettings:
    return StepSettings((2, *IMAGE), mode=mode, precision="bf16-autocast", memory_format="channels_last")


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(StepSettings((2, *IMAGE)), id="train"),
        pytest.param(in_mixed_precision("inference"), id="inference-mixed"),
        pytest.param(in_mixed_precision("train"), id="train-mixed", marks=pytest.mark.slow),
        pytest.param(StepSettings((2, *IMAGE), mode="inference"), id="inference", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("name", LAYERS)
def test_each_layer_takes_the_tensors_that_its_simulation_says(name: str, step: StepSettings) -> None:
    if step.mode == "inference" and name in WITHOUT_INFERENCE:
        pytest.skip("refused: see the test of attention in inference")
    runs = check([name], step, IMAGE)
    assert runs or (name == "Bilinear" and step.precision != "fp32")  # which PyTorch refuses under autocast


@pytest.mark.parametrize("name", ["Linear-sequence", "Upsample-bilinear", "RMSNorm", "InstanceNorm"])
def test_what_is_composed_in_inference_has_the_parts_that_it_has_unobserved(name: str) -> None:
    assert check([name], StepSettings((2, *IMAGE), mode="inference"), IMAGE)


def activated(activation: Callable[[], nn.Module]) -> Build:
    def build(_: torch.device) -> nn.Module:
        layers: list[nn.Module] = []
        for channels in (3, 16, 16, 16):
            layers += [nn.Conv2d(channels, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), activation()]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))

    return build


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (partial(nn.ReLU, inplace=True), partial(nn.SiLU, inplace=True)),
        (nn.ReLU, nn.SiLU),
        (partial(nn.SiLU, inplace=True), nn.SiLU),
        (nn.SiLU, nn.Mish),
    ],
)
def test_what_an_activation_adds_to_the_peak_is_what_it_adds_to_the_allocators(
    before: Callable[[], nn.Module], after: Callable[[], nn.Module]
) -> None:
    """Simulated, followed and unobserved alike: an activation has no scratch, and the rest has the same."""
    step = StepSettings((8, 3, 32, 32))
    builds = activated(before), activated(after)
    simulated, followed, allocators = (
        peaks[1] - peaks[0]
        for peaks in (
            [simulate(build, step, target="cpu").peak_bytes for build in builds],
            [measure_allocator(build, step).profile.peak_bytes for build in builds],
            [max(seen.peak_bytes for seen in unobserved(build, step).values()) for build in builds],
        )
    )
    assert simulated == followed == allocators


@pytest.mark.parametrize("name", ["SiLU", "Mish", "ChannelShuffle", "RMSNorm", "Linear", "Upsample-bilinear"])
def test_nothing_that_is_followed_goes_beyond_what_the_allocator_handed_out(name: str) -> None:
    for mode in get_args(Mode):
        measured = measure_allocator(network([name], IMAGE), StepSettings((2, *IMAGE), mode=mode))
        assert measured.fault is None
        assert measured.peak is not None
        assert measured.peak.allocator_bytes == measured.allocator_peak_bytes
        assert (measured.peak.lasting_bytes, measured.peak.unplaced_tensors) == (0, 0)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[str], StepSettings, Shape, bool]:
    mode: Mode = draw(st.sampled_from(["train", "inference"]))
    known = sorted(LAYERS if mode == "train" else LAYERS.keys() - WITHOUT_INFERENCE)
    names = draw(st.lists(st.sampled_from(known), min_size=1, max_size=6))
    image = Shape(3, draw(st.integers(4, 20)), draw(st.integers(4, 20)))
    step = StepSettings(
        (draw(st.integers(2, 3)), *image),
        mode=mode,
        precision=draw(st.sampled_from(["fp32", "bf16-autocast"])),
        memory_format=draw(st.sampled_from(["contiguous", "channels_last"])),
    )
    return names, step, image, draw(st.booleans())


SLOW_CASES = [HealthCheck.too_slow, HealthCheck.filter_too_much]


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW_CASES)
@given(cases())
def test_drawn_networks_take_the_tensors_that_their_simulations_say(
    case: tuple[list[str], StepSettings, Shape, bool],
) -> None:
    names, step, image, residual = case
    event("ran" if check(names, step, image, residual=residual) else "refused")


@pytest.mark.slow
@settings(max_examples=1000, deadline=None, suppress_health_check=SLOW_CASES)
@given(cases())
def test_many_drawn_networks_take_the_tensors_that_their_simulations_say(
    case: tuple[list[str], StepSettings, Shape, bool],
) -> None:
    names, step, image, residual = case
    event("ran" if check(names, step, image, residual=residual) else "refused")
