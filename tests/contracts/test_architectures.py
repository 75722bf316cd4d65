"""What every registered architecture and every level in the listing keeps to, newcomers included."""

import re
from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils._pytree import tree_leaves

import ablations
from ablations import Level, Variant, registry
from ablations.factor import Factor, format_level
from ablations.registry import Architecture
from tests.ablations.small import small

SIDE = 65
"""Pixels: the last of five halvings still has more than one cell, and it is one more than a multiple of 8."""


class Case(NamedTuple):
    """One level of one factor of one architecture, all else small or at its baseline."""

    found: Architecture
    factor: Factor
    level: Level

    @property
    def levels(self) -> dict[str, Level]:
        return {**small(self.found), self.factor.name: self.level}

    @property
    def refusal(self) -> str | None:
        """Why this level cannot stand alone, or None where it can."""
        try:
            self.variant()
        except ValueError as error:
            return str(error)
        return None

    def variant(self) -> Variant:
        return self.found.variant(self.levels)

    def __str__(self) -> str:
        return f"{self.found.name}:{self.factor.name}={format_level(self.level)}"


ARCHITECTURES = list(registry.architectures().values())
FACTORS = [(found, factor) for found in ARCHITECTURES for factor in found.factors]
CASES = [Case(found, factor, level) for found, factor in FACTORS for level in factor.levels]
POSSIBLE = [case for case in CASES if case.refusal is None]

each_architecture = pytest.mark.parametrize("found", ARCHITECTURES, ids=lambda found: found.name)
each_factor = pytest.mark.parametrize(
    ("found", "factor"), FACTORS, ids=[f"{found.name}:{factor.name}" for found, factor in FACTORS]
)
each_possible_level = pytest.mark.parametrize("case", POSSIBLE, ids=str)


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # small layers wait for busy cores longer than they compute
    yield
    torch.set_num_threads(threads)


@each_architecture
def test_an_architecture_says_what_it_is(found: Architecture) -> None:
    assert found.summary.endswith(".")
    assert found.factors
    assert found.source.is_file()


@each_factor
def test_a_factor_says_what_it_is_and_has_levels_to_compare(found: Architecture, factor: Factor) -> None:
    assert factor.help.endswith(".")
    assert len(factor.levels) >= 2
    assert len(set(factor.levels)) == len(factor.levels)
    assert factor.levels[0] == factor.baseline


@each_factor
def test_every_level_is_written_and_read_back(found: Architecture, factor: Factor) -> None:
    for level in factor.levels:
        read = factor.parse(format_level(level))
        assert (type(read), read) == (type(level), level)


def test_a_level_that_cannot_stand_alone_is_refused_in_words_that_name_what_it_conflicts_with() -> None:
    for case in CASES:
        if case.refusal is None:
            continue
        others = [factor.name for factor in case.found.factors if factor.name != case.factor.name]
        assert case.refusal.startswith(f"variant {case.found.name}:")
        reason = case.refusal.partition(": ")[2]
        assert len(reason.splitlines()) == 1
        assert any(re.search(rf"\b{name}\b", reason) for name in others), case.refusal


def pairs(found: Architecture) -> Iterator[dict[str, Level]]:
    """Any two levels of two factors, those that set the size aside."""
    cases = [
        case
        for case in CASES
        if case.found is found and case.level != case.factor.baseline and case.factor.name not in small(found)
    ]
    for one, other in combinations(cases, 2):
        if one.factor is not other.factor:
            yield {**one.levels, other.factor.name: other.level}


@each_architecture
def test_any_two_levels_build_together_or_are_refused_in_one_line(found: Architecture) -> None:
    for levels in pairs(found):
        try:
            found.variant(levels)
        except ValueError as error:
            said = str(error)
        else:
            continue
        assert re.fullmatch(rf"variant {found.name}:[^ ]+: .+", said)


def unlearning(variant: Variant) -> list[str]:
    """Parameters that one forward and backward pass leaves without a finite gradient."""
    levels = dict(variant.levels)
    network = ablations.build(variant)
    channels = levels.get("in_channels", 3)
    assert isinstance(channels, int)
    draw = torch.Generator().manual_seed(0)
    given = network(torch.randn(2, channels, SIDE, SIDE, generator=draw))
    outputs = [leaf for leaf in tree_leaves(given) if isinstance(leaf, Tensor)]  # an auxiliary head's too
    for output in outputs:
        assert output.shape[:2] == (2, levels.get("num_classes", output.shape[1]))
        assert output.isfinite().all()
    torch.stack([(one * torch.randn(one.shape, generator=draw)).sum() for one in outputs]).sum().backward()
    return [
        name
        for name, value in network.named_parameters()
        if value.grad is None or not value.grad.isfinite().all()
    ]


@each_possible_level
def test_a_forward_and_backward_pass_gives_every_parameter_a_finite_gradient(case: Case) -> None:
    assert unlearning(case.variant()) == []


@pytest.mark.slow
@each_architecture
def test_any_two_levels_learn_together(found: Architecture) -> None:
    for levels in pairs(found):
        try:
            variant = found.variant(levels)
        except ValueError:
            continue
        assert unlearning(variant) == [], str(variant)


@each_possible_level
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(case: Case) -> None:
    first, again, other = (ablations.build(case.variant(), seed=seed).state_dict() for seed in (0, 0, 1))
    assert first.keys() == again.keys() == other.keys()
    assert all(torch.equal(first[name], again[name]) for name in first)
    drawn = [name for name, value in first.items() if value.ndim > 1]
    assert drawn
    assert not any(torch.equal(first[name], other[name]) for name in drawn)


def layers(network: nn.Module) -> dict[str, tuple[nn.Module, dict[str, Tensor]]]:
    """Modules with parameters or buffers of their own, and those."""
    found = {}
    for name, module in network.named_modules():
        own = dict([*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)])
        if own:
            found[name] = module, own
    return found


@each_possible_level
def test_a_level_changes_no_layer_that_it_does_not_reshape(case: Case) -> None:
    baseline = layers(ablations.build(case.found.variant(small(case.found))))
    network = layers(ablations.build(case.variant()))
    for name in network.keys() & baseline.keys():
        (module, own), (twin, usual) = network[name], baseline[name]
        shared = own.keys() & usual.keys()
        if any(own[kind].shape != usual[kind].shape for kind in shared):
            continue
        for kind in shared:
            # A declared gain is the one way to start a weight of the same shape elsewhere.
            declared = [
                getattr(layer, "initial_gain", 1.0) if kind == "weight" else 1.0 for layer in (module, twin)
            ]
            if declared[0] == declared[1]:
                assert torch.equal(own[kind], usual[kind]), f"{name}.{kind}"
            else:
                expected = usual[kind] * (declared[0] / declared[1])
                torch.testing.assert_close(own[kind], expected, rtol=1e-6, atol=0)


@each_possible_level
def test_a_network_on_meta_has_the_names_and_shapes_of_the_real_one(case: Case) -> None:
    real, described = (ablations.build(case.variant(), device=device) for device in ("cpu", "meta"))

    def layout(network: nn.Module) -> list[tuple[str, torch.Size, torch.dtype, bool]]:
        tensors = [*network.named_parameters(), *network.named_buffers()]
        return [(name, value.shape, value.dtype, value.requires_grad) for name, value in tensors]

    assert layout(real) == layout(described)
    assert str(real) == str(described)
    assert all(value.is_meta for value in described.state_dict().values())


@each_architecture
def test_a_network_is_ready_to_train_and_its_norms_have_seen_nothing(found: Architecture) -> None:
    network = ablations.build(found.variant(small(found)))
    assert all(module.training for module in network.modules())
    assert all(value.requires_grad for value in network.parameters())
    counters = [module.num_batches_tracked for module in network.modules() if isinstance(module, _BatchNorm)]
    assert all(counter == 0 for counter in counters)
