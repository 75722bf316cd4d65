"""Specifications: what is written is what is read, in one canonical form."""

import re
import string
from collections.abc import Mapping
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from ablations import registry
from ablations.factor import BEHAVIOURAL, Factor, Level, Range
from ablations.registry import Architecture
from ablations.variant import parse

patient = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = st.text(string.ascii_letters + string.digits + "_-.", min_size=1, max_size=8)


@pytest.fixture(autouse=True, scope="module")
def _discovered() -> None:
    registry.architectures()  # before a test puts the registry back to what it found


def build_nothing(**levels: Level) -> nn.Module:
    return nn.Identity()


@st.composite
def factors(draw: st.DrawFn, name: str) -> Factor:
    """A factor of words, numbers, flags, or a range with or without pairs."""
    choices: tuple[Level, ...] = ()
    span = None
    match draw(st.sampled_from(["words", "numbers", "flag", "range"])):
        case "words":
            choices = tuple(draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)))
        case "numbers":
            choices = tuple(draw(st.lists(st.integers(-99, 999), min_size=1, max_size=4, unique=True)))
        case "flag":
            choices = (False, True)
        case "range":
            low = draw(st.integers(-9, 9))
            span = Range(low, low + draw(st.integers(0, 9)))
    pairs = span is not None and draw(st.booleans())
    baseline = draw(st.sampled_from(choices)) if span is None else draw(st.integers(span.low, span.high))
    return Factor(name, BEHAVIOURAL, baseline, choices, span, pairs, (), "Drawn at random.")


@st.composite
def levels_of(draw: st.DrawFn, factor: Factor) -> Level:
    if factor.range is None:
        return draw(st.sampled_from(factor.choices))
    numbers = st.integers(factor.range.low, factor.range.high)
    return draw(numbers | st.tuples(numbers, numbers)) if factor.pairs else draw(numbers)


@st.composite
def designs(draw: st.DrawFn) -> tuple[Architecture, dict[str, Level]]:
    """An architecture with names of all allowed characters, and levels for some of its factors."""
    names = draw(st.lists(NAMES, max_size=5, unique=True))
    found = tuple(draw(factors(name)) for name in names)
    architecture = Architecture(draw(NAMES), "Drawn.", found, build_nothing, Path(__file__))
    chosen = {factor.name: draw(levels_of(factor)) for factor in found if draw(st.booleans())}
    return architecture, chosen


def assignments(specification: str) -> dict[str, str]:
    """What a specification says, read with plain string methods."""
    text = specification.partition(":")[2]
    return dict(part.split("=") for part in text.split(",")) if text else {}


def in_one_form(level: Level) -> Level:
    return level[0] if isinstance(level, tuple) and len(set(level)) == 1 else level


@given(designs())
@patient
def test_the_canonical_and_the_complete_form_read_back_as_the_same_variant(
    design: tuple[Architecture, dict[str, Level]],
) -> None:
    architecture, chosen = design
    made = architecture.variant(chosen)
    with mock.patch.dict(registry._architectures, {architecture.name: architecture}):
        assert registry.variant(str(made)) == made
        assert registry.variant(made.complete_specification) == made
        assert str(registry.variant(str(made))) == str(made)


@given(designs())
@patient
def test_the_canonical_form_is_sorted_and_leaves_out_the_baseline(
    design: tuple[Architecture, dict[str, Level]],
) -> None:
    architecture, chosen = design
    written = assignments(str(architecture.variant(chosen)))
    baseline = {factor.name: factor.baseline for factor in architecture.factors}
    changed = {name for name, level in chosen.items() if in_one_form(level) != baseline[name]}
    assert list(written) == sorted(changed)


@given(designs())
@patient
def test_the_complete_form_holds_every_level_in_order(
    design: tuple[Architecture, dict[str, Level]],
) -> None:
    architecture, chosen = design
    made = architecture.variant(chosen)
    names = sorted(factor.name for factor in architecture.factors)
    assert list(assignments(made.complete_specification)) == names
    expected: Mapping[str, Level] = {
        factor.name: in_one_form(chosen.get(factor.name, factor.baseline)) for factor in architecture.factors
    }
    assert made.levels == tuple((name, expected[name]) for name in names)


@given(designs(), st.data())
@patient
def test_the_order_of_assignments_does_not_matter(
    design: tuple[Architecture, dict[str, Level]], data: st.DataObject
) -> None:
    architecture, chosen = design
    shuffled = dict(data.draw(st.permutations(list(chosen.items()))))
    assert architecture.variant(shuffled) == architecture.variant(chosen)


@given(st.text(max_size=30) | st.text("resnet:dph=150,stm_-.\n", max_size=30).map("resnet:".__add__))
@patient
def test_any_text_is_a_variant_or_a_refusal_of_one_line(text: str) -> None:
    try:
        said = str(registry.variant(text))
    except ValueError as error:
        said = str(error)
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("specification", "canonical"),
    [
        ("resnet", "resnet"),
        ("resnet:depth=50", "resnet"),
        ("resnet:stem=deep64,depth=18", "resnet:depth=18,stem=deep64"),
        ("resnet:pool_kernel=3x2", "resnet:pool_kernel=3x2"),
        ("resnet:pool_kernel=3x3", "resnet"),
        ("resnet:pool_kernel=5x5", "resnet:pool_kernel=5"),
        ("resnet:pool_ceil_mode=true", "resnet:pool_ceil_mode=true"),
        ("resnet:pool_ceil_mode=false,norm=none", "resnet:norm=none"),
        ("resnet:width=016", "resnet:width=16"),
    ],
)
def test_people_read_the_shortest_form(specification: str, canonical: str) -> None:
    assert str(registry.variant(specification)) == canonical


def test_levels_given_in_python_name_the_same_variant_as_levels_written() -> None:
    resnet = registry.get("resnet")
    assert resnet.variant({"pool_kernel": (3, 3)}) == registry.variant("resnet")
    assert str(resnet.variant({"pool_stride": (2, 1), "depth": 18})) == "resnet:depth=18,pool_stride=2x1"


@pytest.mark.parametrize(
    ("specification", "expected"),
    [
        ("", "variant '': expected ARCHITECTURE[:factor=level,...], e.g. resnet:depth=50,stem=deep64"),
        (
            "re snet",
            "variant 're snet': expected ARCHITECTURE[:factor=level,...], e.g. resnet:depth=50,stem=deep64",
        ),
        ("resnet:", "variant 'resnet:': '' is not factor=level, e.g. stem=deep64"),
        ("resnet:depth", "variant 'resnet:depth': 'depth' is not factor=level, e.g. stem=deep64"),
        ("resnet:depth=", "variant 'resnet:depth=': 'depth=' is not factor=level, e.g. stem=deep64"),
        ("resnet:depth=18,", "variant 'resnet:depth=18,': '' is not factor=level, e.g. stem=deep64"),
        (
            "resnet:depth=18, norm=none",
            "variant 'resnet:depth=18, norm=none': ' norm=none' is not factor=level, e.g. stem=deep64",
        ),
        (
            "resnet:depth=18,depth=18",
            "variant 'resnet:depth=18,depth=18': factor 'depth' is given twice; give it once",
        ),
        ("resnett", "no architecture 'resnett'; did you mean 'resnet'?"),
        ("resnet:stemm=deep64", "architecture 'resnet' has no factor 'stemm'; did you mean 'stem'?"),
        ("resnet:stem=deep65", "factor 'stem' has no level 'deep65'; did you mean 'deep64'?"),
        (
            "resnet:pool_padding=2",
            "variant resnet:pool_padding=2: pool_padding 2 is over half of pool_kernel 3 (rows):"
            " a window could lie wholly in the padding; at most 1",
        ),
        (
            "resnet:pool=average,pool_dilation=2,depth=18",
            "variant resnet:depth=18,pool=average,pool_dilation=2: pool=average has no dilation;"
            " set pool_dilation=1 or pool=max",
        ),
    ],
)
def test_a_refusal_says_what_was_wrong_and_what_was_expected(specification: str, expected: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        registry.variant(specification)


def test_names_may_hold_letters_digits_underscore_hyphen_and_dot() -> None:
    parsed = parse("Net-2.x_y:a.b=c-d_e,F-1=0.5")
    assert parsed == ("Net-2.x_y", {"a.b": "c-d_e", "F-1": "0.5"})


def test_a_variant_is_frozen_and_can_be_a_key() -> None:
    made = registry.variant("resnet:depth=18")
    assert {made: 1}[registry.variant("resnet:depth=18")] == 1
    with pytest.raises(AttributeError):
        made.architecture = "other"  # type: ignore[misc]
