"""torchvision's and timm's networks by name: theirs to the bit, with factors that any network has."""

import importlib.util
from typing import Any

import pytest
import timm
import torch
import torchvision
from torch import Tensor

import ablations
from ablations import zoo
from ablations.factor import EQUIVALENT
from ablations.seeds import stream_seed

SIDE = 64
FAMILIES = (
    "torchvision.mobilenet_v3_small",
    "torchvision.vgg11",
    "torchvision.vgg11_bn",
    "torchvision.resnext50_32x4d",
    "torchvision.wide_resnet50_2",
    "torchvision.convnext_tiny",
    "torchvision.regnet_y_400mf",
    "torchvision.googlenet",
    "timm.resnet18",
    "timm.convnext_atto",
)
SMALL = (
    "torchvision.mobilenet_v3_small",
    "torchvision.shufflenet_v2_x0_5",
    "timm.resnet18",
    "timm.convnext_atto",
)


def theirs(name: str, **settings: Any) -> torch.nn.Module:
    library, _, model = name.partition(".")
    torch.manual_seed(stream_seed(0, "constructor"))
    if library == "timm":
        created: torch.nn.Module = timm.create_model(model, **settings)
        return created
    if model == "googlenet":
        settings |= {"aux_logits": False, "init_weights": True}
    network: torch.nn.Module = torchvision.models.get_model(model, weights=None, **settings)
    return network


@pytest.mark.parametrize("name", SMALL)
def test_the_baseline_is_the_librarys_network_with_its_own_initial_weights(name: str) -> None:
    ours, reference = ablations.build(f"{name}:num_classes=10"), theirs(name, num_classes=10)
    state, expected = ours.state_dict(), reference.state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[key], expected[key]) for key in state)
    image = torch.randn(2, 3, SIDE, SIDE)
    with torch.no_grad():
        assert torch.equal(ours.eval()(image), reference.eval()(image))


@pytest.mark.parametrize("name", FAMILIES)
def test_each_family_has_the_parameters_that_its_library_says(name: str) -> None:
    found = sum(value.numel() for value in ablations.build(name, device="meta").parameters())
    library, _, model = name.partition(".")
    if library == "torchvision" and model != "googlenet":  # whose figure has the auxiliary heads
        weights = torchvision.models.get_model_weights(model).DEFAULT
        assert found == weights.meta["num_params"]
    else:
        with torch.device("meta"):
            assert found == sum(value.numel() for value in theirs(name).parameters())


@pytest.mark.parametrize(
    "name", [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in FAMILIES if name not in SMALL)]
)
def test_every_level_builds_and_gives_one_answer_an_image(name: str) -> None:
    found = ablations.get(name)
    image = torch.empty(2, 3, SIDE, SIDE, device="meta")
    for factor in found.factors:
        for level in factor.levels:
            network = ablations.build(found.variant({factor.name: level}), device="meta").eval()
            channels = level if factor.name == "in_channels" else 3
            assert isinstance(channels, int)
            output: Tensor = network(image[:, :1].expand(-1, channels, -1, -1))
            classes = level if factor.name == "num_classes" else 1000
            assert output.shape == (2, classes)


@pytest.mark.parametrize("name", SMALL)
@torch.no_grad()
def test_equivalent_factors_change_no_bit_and_a_level_no_weight_that_it_does_not_replace(name: str) -> None:
    found = ablations.get(name)
    image = torch.randn(2, 3, SIDE, SIDE)
    reference = ablations.build(name).eval()
    usual, expected = dict(reference.named_parameters()), reference(image)
    for factor in found.factors:
        if factor.name == "num_classes":  # constructors draw layer after layer: another size shifts all draws
            continue
        for level in factor.levels[1:]:
            network = ablations.build(found.variant({factor.name: level})).eval()
            if factor.kind is EQUIVALENT:
                assert torch.equal(network(image), expected)
            for key, value in network.named_parameters():
                if key in usual and value.shape == usual[key].shape and value.ndim > 1:
                    assert torch.equal(value, usual[key]), (factor.name, level, key)


@pytest.mark.parametrize("name", ["timm.nfnet_l0", "timm.xception41"])
def test_in_place_is_refused_where_it_computes_something_else(name: str) -> None:
    refused = (
        r"relu=inplace would compute something else: what \S+ would overwrite is read again; use relu=own"
    )
    with pytest.raises(ValueError, match=refused):
        ablations.variant(f"{name}:relu=inplace")
    ablations.variant(f"{name}:relu=out_of_place")


def test_weights_are_a_function_of_the_seed_and_leave_no_trace() -> None:
    before = torch.get_rng_state()
    first, again, other = (
        ablations.build("timm.convnext_atto", seed=seed).state_dict()["stem.0.weight"] for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("torchvision.resnet81", r"torchvision has no network 'resnet81'; did you mean 'resnet18'\?"),
        ("timm.zzz", r"timm has no network 'zzz'; one of its \d+, e\.g\. \w+"),
        ("keras.resnet", r"no architecture 'keras\.resnet'; did you mean 'resnet'\?"),
        ("timm.resnet18:depth=50", r"architecture 'timm\.resnet18' has no factor 'depth'; one of: "),
        ("timm.resnet18:norm=layer", r"factor 'norm' has no level 'layer'"),
    ],
)
def test_a_wrong_name_is_one_line_with_the_nearest(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ablations.variant(name)


def test_a_library_that_is_not_there_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    zoo.get.cache_clear()
    with pytest.raises(ValueError, match=r"architecture 'timm\.resnet18' needs timm: run pip install timm"):
        ablations.variant("timm.resnet18")


def test_the_libraries_are_listed_without_being_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(zoo.families()) == ["torchvision", "timm"]
    assert [factor.name for factor in zoo.families()["timm"].factors] == [
        factor.name for factor in ablations.get("timm.resnet18").factors
    ]
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "timm" else there(name))
    assert list(zoo.families()) == ["torchvision"]


@pytest.mark.parametrize("activation", ["relu", "silu", "gelu", "hardswish", "leaky_relu"])
@pytest.mark.parametrize("relu", ["own", "out_of_place"])
def test_whatever_the_activation_a_network_with_dropout_in_place_trains(activation: str, relu: str) -> None:
    network = ablations.build(f"torchvision.mobilenet_v3_small:activation={activation},relu={relu}")
    network(torch.rand(2, 3, 64, 64)).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
