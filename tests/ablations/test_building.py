"""Initial weights: their law, and that each is a function of (seed, name) alone."""

import math
import random
import re
from collections import OrderedDict

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

import ablations
from ablations.building import initialise

SMALL = "resnet:depth=18,width=16"


def weights(specification: str, seed: int = 0) -> dict[str, Tensor]:
    return {
        name: value.detach() for name, value in ablations.build(specification, seed=seed).named_parameters()
    }


def convolutions(network: nn.Module) -> dict[str, nn.Conv2d]:
    return {name: module for name, module in network.named_modules() if isinstance(module, nn.Conv2d)}


def test_convolutions_have_the_variance_of_he_et_al() -> None:
    network = ablations.build("resnet:depth=18")
    assert len(convolutions(network)) == 20
    for name, module in convolutions(network).items():
        drawn = module.weight.detach().double()
        variance = 2 / (module.out_channels * math.prod(module.kernel_size))
        # The mean and variance of n normal draws have standard errors s / sqrt(n) and s^2 sqrt(2 / n).
        assert abs(drawn.mean()) < 5 * math.sqrt(variance / drawn.numel()), name
        assert abs(drawn.var() / variance - 1) < 5 * math.sqrt(2 / drawn.numel()), name


def test_convolutions_are_drawn_from_a_normal_distribution() -> None:
    module = convolutions(ablations.build("resnet:depth=18"))["layer2.0.conv2"]
    scale = math.sqrt(2 / (module.out_channels * 9))
    assert stats.kstest(module.weight.detach().flatten().numpy(), "norm", (0, scale)).pvalue > 0.001


def test_linear_layers_have_pytorchs_default_law() -> None:
    network = ablations.build("resnet:depth=18")
    layer = network.get_submodule("fc")
    assert isinstance(layer, nn.Linear)
    bound = 1 / math.sqrt(512)
    for drawn in (layer.weight, layer.bias):
        values = drawn.detach().flatten().numpy()
        assert stats.kstest(values, "uniform", (-bound, 2 * bound)).pvalue > 0.001
        assert np.abs(values).max() <= bound


@pytest.mark.parametrize("norm", ["batch", "none", "group", "frozen"])
def test_normalisations_start_as_the_identity_and_biases_of_convolutions_at_zero(norm: str) -> None:
    network = ablations.build(f"{SMALL},norm={norm}")
    normalisations = [
        module for module in network.modules() if isinstance(module, nn.BatchNorm2d | nn.GroupNorm)
    ]
    assert len(normalisations) == (20 if norm in ("batch", "group") else 0)
    for module in normalisations:
        assert torch.equal(module.weight, torch.ones_like(module.weight))
        assert torch.equal(module.bias, torch.zeros_like(module.bias))
    biases = [module.bias for module in convolutions(network).values() if module.bias is not None]
    assert len(biases) == (20 if norm == "none" else 0)
    assert not any(bias.any() for bias in biases)


def test_the_same_seed_gives_the_same_weights_whatever_was_drawn_before() -> None:
    torch.manual_seed(1)
    first = weights(SMALL, seed=3)
    torch.manual_seed(2)
    second = weights(SMALL, seed=3)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_another_seed_gives_other_weights() -> None:
    first, second = weights(SMALL, seed=0), weights(SMALL, seed=1)
    drawn = [name for name, value in first.items() if value.std() > 0]
    assert len(drawn) == 22  # 20 convolutions, the linear layer's weight and bias
    assert not any(torch.equal(first[name], second[name]) for name in drawn)


def test_every_layer_has_draws_of_its_own() -> None:
    drawn = [weights(SMALL)[f"layer1.{block}.conv{layer}.weight"] for block in (0, 1) for layer in (1, 2)]
    correlations = torch.corrcoef(torch.stack([value.flatten() for value in drawn]))
    # Independent series of n draws correlate with a standard error of 1 / sqrt(n).
    assert (correlations - torch.eye(4)).abs().max() < 5 / math.sqrt(drawn[0].numel())


def test_a_deep_stem_leaves_every_other_weight_as_it_was() -> None:
    shallow, deep = weights(SMALL), weights(f"{SMALL},stem=deep32")
    stem = {"conv1.weight", "conv2.weight", "conv3.weight"}
    stem |= {f"bn{index}.{kind}" for index in (1, 2, 3) for kind in ("weight", "bias")}
    assert deep.keys() - stem == shallow.keys() - stem
    assert all(torch.equal(shallow[name], deep[name]) for name in shallow.keys() - stem)


def test_the_order_of_layers_does_not_matter() -> None:
    names = ["first", "second", "third"]
    networks = [
        nn.Sequential(OrderedDict((name, nn.Conv2d(4, 4, 3)) for name in order))
        for order in (names, names[::-1])
    ]
    for network in networks:
        initialise(network, seed=5)
    one, other = (network.state_dict() for network in networks)
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("norm", ["none", "frozen"])
@pytest.mark.parametrize(
    ("depth", "last", "blocks"), [(18, "conv2", 8), (50, "conv3", 16), (101, "conv3", 33)]
)
def test_without_a_norm_that_rescales_each_branch_ends_smaller_by_the_root_of_the_blocks(
    norm: str, depth: int, last: str, blocks: int
) -> None:
    usual = weights(f"resnet:width=8,depth={depth}")
    calmed = weights(f"resnet:width=8,depth={depth},norm={norm}")
    kernels = [name for name, value in calmed.items() if value.ndim == 4]
    ends = [name for name in kernels if re.fullmatch(rf"layer\d\.\d+\.{last}\.weight", name)]
    assert len(ends) == blocks
    for name in kernels:
        expected = usual[name] / math.sqrt(blocks) if name in ends else usual[name]
        torch.testing.assert_close(calmed[name], expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("depth", [18, 50, 152])
def test_without_a_norm_the_residual_sum_stays_bounded_at_every_depth(depth: int) -> None:
    network = ablations.build(f"resnet:depth={depth},width=16,norm=none").eval()
    squares = {}
    for name in ("pool", "layer4"):
        network.get_submodule(name).register_forward_hook(
            lambda module, inputs, output, name=name: squares.update({name: output.square().mean().item()})
        )
    with torch.no_grad():
        network(torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    # Each of L blocks adds a share of order 1 / L, and (1 + 1 / L)^L < e; room is for the projections.
    # Without the smaller branches the factor is 3 at depth 18, 546 at 50 and 3e12 at 152.
    assert 1 / 50 < squares["layer4"] / squares["pool"] < 50


class Unknown(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))


class Own(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.empty(100))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.normal_(self.scale)


def test_a_module_that_no_rule_covers_is_refused() -> None:
    network = nn.Sequential(OrderedDict(stem=nn.Conv2d(3, 3, 1), odd=Unknown()))
    expected = "module 'odd' (Unknown) has parameters but no reset_parameters()"
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        initialise(network, seed=0)


def test_a_module_with_its_own_rule_is_reset_by_seed_and_name() -> None:
    drawn = {}
    for seed in (0, 1):
        network = nn.ModuleDict({"a": Own(), "b": Own()})
        for attempt in ("first", "again"):
            initialise(network, seed)
            drawn[seed, attempt] = {name: value.clone() for name, value in network.named_parameters()}
    assert torch.equal(drawn[0, "first"]["a.scale"], drawn[0, "again"]["a.scale"])
    assert not torch.equal(drawn[0, "first"]["a.scale"], drawn[0, "first"]["b.scale"])
    assert not torch.equal(drawn[0, "first"]["a.scale"], drawn[1, "first"]["a.scale"])


def test_an_initial_gain_multiplies_the_weight_that_would_have_been_drawn() -> None:
    usual, doubled = nn.Linear(5, 5), nn.Linear(5, 5)
    doubled.initial_gain = 2.0  # type: ignore[assignment]
    for layer in (usual, doubled):
        initialise(layer, seed=0)
    assert torch.equal(doubled.weight, 2 * usual.weight)
    assert torch.equal(doubled.bias, usual.bias)


def test_building_leaves_every_global_random_state_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    seeded: list[int] = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
    own = nn.ModuleDict({"a": Own()})
    states = [(torch.get_rng_state(), np.random.get_state(legacy=False)["state"]["key"], random.getstate())]
    ablations.build(SMALL)
    initialise(own, seed=0)
    states.append(
        (torch.get_rng_state(), np.random.get_state(legacy=False)["state"]["key"], random.getstate())
    )
    for before, after in zip(*states, strict=True):
        assert np.array_equal(np.asarray(before, dtype=object), np.asarray(after, dtype=object))
    assert seeded == []


def test_a_network_is_built_in_training_mode_from_a_specification_or_a_variant() -> None:
    built = [ablations.build(SMALL), ablations.build(ablations.variant(SMALL))]
    assert all(network.training for network in built)
    one, other = (network.state_dict() for network in built)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_on_meta_nothing_is_allocated() -> None:
    network = ablations.build("resnet:norm=frozen", device="meta")
    assert {tensor.device.type for tensor in network.state_dict().values()} == {"meta"}
