"""Profiles worked out by hand, byte by byte, and closed forms."""

from typing import Any

import torch
import torchvision
from torch import nn

from runners.memory.profile import CATEGORIES
from runners.memory.settings import StepSettings
from runners.memory.simulate import follow, simulate
from runners.memory.step import Build
from tests.runners.memory.cases import VARIANTS, module, one_convolution, small, variant

SETTINGS = StepSettings(input_shape=(2, 3, 4, 4), target_shape=(2, 4, 4))
# 3x3 convolution of 3 to 8 channels on two images of 4x4 pixels, cross-entropy at each pixel
WEIGHT = 8 * 3 * 3 * 3 * 4  # 864
IMAGES = 2 * 3 * 4 * 4 * 4  # 384
LABELS = 2 * 4 * 4 * 8  # 256, int64
MAP = 2 * 8 * 4 * 4 * 4  # 1024
SCALAR = 4
STATIC = WEIGHT + WEIGHT + IMAGES + LABELS  # weight, its momentum, images, labels


def test_every_byte_of_one_convolution_on_the_cpu() -> None:
    profile = simulate(one_convolution, SETTINGS, target="cpu")
    saved = MAP + MAP + SCALAR + SCALAR  # the output, its log-softmax, the loss, the weight of all pixels
    live = [(o.operator.removeprefix("aten."), o.live_bytes - STATIC) for o in profile.timeline]
    seed = SCALAR  # the gradient of the loss, 1, which `backward` holds to its end
    after = saved - SCALAR + seed  # the loss's node gave back its weight of all pixels
    kept = MAP + SCALAR + WEIGHT  # when backward is over: output, loss, gradient
    assert live == [
        ("convolution.default", MAP),
        ("_log_softmax.default", MAP + MAP),
        ("detach.default", MAP + MAP),
        ("nll_loss2d_forward.default", saved),
        ("ones_like.default", saved + seed),
        ("nll_loss2d_backward.default", saved + seed + MAP),
        ("detach.default", after + MAP),
        ("_log_softmax_backward_data.default", after + MAP + MAP),
        ("convolution_backward.default", after - MAP + MAP + WEIGHT),
        ("detach.default", kept + seed),
        ("add.Tensor", kept + WEIGHT),  # weight decay: gradient + 1e-4 weight
        ("mul_.Tensor", kept + WEIGHT),
        ("add_.Tensor", kept + WEIGHT),  # momentum + decayed gradient, which is dropped
        ("add_.Tensor", kept),
    ]
    assert profile.static_bytes == STATIC
    assert profile.saved_bytes == saved
    maps, weights, scalars = 4, 2, 3  # output, log-softmax and their gradients; gradient, decayed; as above
    assert profile.allocations == maps + weights + scalars
    assert profile.allocated_bytes == maps * MAP + weights * WEIGHT + scalars * SCALAR


def test_cuda_rounds_every_tensor_of_the_same_step_to_512_bytes() -> None:
    profile = simulate(one_convolution, SETTINGS, target="cuda")
    weight, images, labels, scalar = 1024, 512, 512, 512
    assert profile.static_bytes == weight + weight + images + labels
    assert profile.saved_bytes == MAP + MAP + scalar + scalar
    assert profile.peak.operator == "aten._log_softmax_backward_data.default"
    assert profile.peak_bytes == profile.static_bytes + MAP + MAP + scalar + scalar + MAP + MAP
    assert profile.by_category == {
        "parameters": weight,
        "gradients": 0,
        "optimizer_state": weight,
        "buffers": 0,
        "inputs": images + labels,
        "activations": MAP + MAP + scalar,
        "transient": scalar + MAP + MAP,
    }
    assert profile.by_module == {
        "(model)": weight + weight + MAP,  # the weight, its momentum and the output
        "(loss)": MAP + scalar + scalar + MAP + MAP,
        "(input)": images + labels,
    }


def test_inference_keeps_the_output_alone() -> None:
    profile = simulate(one_convolution, StepSettings((2, 3, 4, 4), mode="inference"), target="cpu")
    assert profile.static_bytes == WEIGHT + IMAGES
    assert profile.peak_bytes == WEIGHT + IMAGES + MAP
    assert profile.saved_bytes == 0
    assert list(profile.peaks) == ["inference"]


def test_relu_in_place_saves_a_map_while_it_runs_and_nothing_for_the_backward_pass() -> None:
    """ReLU keeps its output, a convolution its input: the map between them is dropped either way."""

    def build(in_place: bool) -> Build:
        layers = (nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(in_place), nn.Conv2d(64, 2, 3, padding=1))
        return module(lambda: nn.Sequential(*layers).to("meta"))

    inside, outside = (simulate(build(in_place), SETTINGS, target="cpu") for in_place in (True, False))
    wide_map = 2 * 64 * 4 * 4 * 4
    assert inside.saved_bytes == outside.saved_bytes
    assert outside.timeline[1].operator == "aten.relu.default"
    assert outside.timeline[1].live_bytes - inside.timeline[1].live_bytes == wide_map
    assert outside.allocations - inside.allocations == 1


def test_parameters_gradients_and_optimizer_state_equal_closed_forms() -> None:
    settings: dict[str, dict[str, Any]] = {
        "sgd": {},
        "adamw": {"optimizer": "adamw"},
        "plain": {"momentum": 0.0},
    }
    # float32 each: momentum is one per element, Adam two and a step count (float32) per parameter
    network = torchvision.models.resnet18()
    elements = sum(p.numel() for p in network.parameters())
    tensors = len(list(network.parameters()))
    buffers = sum(b.numel() * b.element_size() for b in network.buffers())
    state = {"sgd": 4 * elements, "adamw": 8 * elements + 4 * tensors, "plain": 0}
    for name, arguments in settings.items():
        profile = simulate(module(torchvision.models.resnet18), small(**arguments), target="cpu")
        at_the_update = profile.peaks["optimizer_step"].by_category
        assert at_the_update["parameters"] == 4 * elements
        assert at_the_update["gradients"] == 4 * elements
        assert at_the_update["optimizer_state"] == state[name]
        assert at_the_update["buffers"] == buffers


def test_foreach_adds_weight_decay_to_all_gradients_at_once() -> None:
    """CUDA's default holds a second copy of all gradients in the update; one by one, only of the largest."""
    elements = [p.numel() for p in torchvision.models.resnet18().parameters()]
    transient = {}
    for kind in ("foreach", "single"):
        profile = simulate(module(torchvision.models.resnet18), small(optimizer_kind=kind), target="cpu")
        transient[kind] = profile.peaks["optimizer_step"].by_category["transient"]
    assert transient == {"foreach": 4 * sum(elements), "single": 4 * max(elements)}


def test_categories_and_modules_sum_to_what_is_alive() -> None:
    for specification in VARIANTS[:4]:
        profile = follow(variant(specification), small())
        totals = [sum(at.values()) for at in profile.category_timeline()]
        assert totals == [operation.live_bytes for operation in profile.timeline]
        for peak in profile.peaks.values():
            assert sum(peak.by_category.values()) == peak.live_bytes == sum(peak.by_module.values())
            assert set(peak.by_category) == set(CATEGORIES)


def test_every_byte_saved_or_computed_belongs_to_a_module_of_the_network() -> None:
    network = torchvision.models.resnet18()
    names = {name for name, _ in network.named_modules()}
    profile = simulate(module(torchvision.models.resnet18), small())
    for block in profile.tensors:
        if block.category == "activations":
            assert block.module in names | {"(loss)"}
        if block.category == "gradients":
            assert block.module in names
    backward = [o for o in profile.timeline if "convolution_backward" in o.operator]
    forward = [o for o in profile.timeline if "convolution.default" in o.operator]
    assert [o.module for o in backward][-1] == forward[0].module == "conv1"
    assert sorted(o.module for o in backward) == sorted(o.module for o in forward)


def test_tied_weights_count_once() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(8, 8, bias=False)
            self.second = nn.Linear(8, 8, bias=False)
            self.second.weight = self.first.weight

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y: torch.Tensor = self.second(self.first(x))
            return y

    profile = simulate(module(Tied), StepSettings((4, 8)), target="cpu")
    assert profile.by_category["parameters"] == 8 * 8 * 4
    assert profile.peaks["optimizer_step"].by_category["gradients"] == 8 * 8 * 4
