"""Variants and inputs drawn from the whole space that the architectures span."""

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from ablations import Architecture, Factor, Level, Variant
from ablations.registry import architectures
from runners.memory.settings import StepSettings
from runners.memory.simulate import follow, simulate
from tests.runners.memory.cases import variant

LARGEST_NUMBER = 12
"""Of levels that may be any number, such as the width, so that a case takes a second at most."""


def levels(factor: Factor) -> st.SearchStrategy[Level]:
    if factor.range is None:
        return st.sampled_from(factor.choices)
    numbers = st.integers(factor.range.low, max(factor.range.low, min(factor.range.high, LARGEST_NUMBER)))
    return numbers | st.tuples(numbers, numbers) if factor.pairs else numbers


@st.composite
def variants(draw: st.DrawFn, architecture: Architecture) -> Variant:
    """A variant that the architecture does not refuse; few of its factors away from the baseline."""
    names = [factor.name for factor in architecture.factors if factor.name not in ("width", "in_channels")]
    changed = draw(st.lists(st.sampled_from(names), unique=True, max_size=6))
    drawn: dict[str, Level] = {"width": 2 * draw(st.integers(1, 6)), "depth": 18}
    drawn |= {name: draw(levels(architecture.factor(name))) for name in changed}
    drawn = {name: level for name, level in drawn.items() if name in {f.name for f in architecture.factors}}
    try:
        return architecture.variant(drawn)
    except ValueError:
        return draw(st.nothing())


@st.composite
def cases(draw: st.DrawFn) -> tuple[Variant, StepSettings]:
    architecture = draw(st.sampled_from(list(architectures().values())))
    drawn = draw(variants(architecture))
    shape = (draw(st.integers(1, 3)), 3, draw(st.integers(24, 72)), draw(st.integers(24, 72)))
    return drawn, StepSettings(
        shape,
        mode=draw(st.sampled_from(["train", "inference"])),
        optimizer=draw(st.sampled_from(["sgd", "adamw"])),
        optimizer_kind=draw(st.sampled_from(["single", "foreach", "fused"])),
        momentum=draw(st.sampled_from([0.0, 0.9])),
        weight_decay=draw(st.sampled_from([0.0, 1e-4])),
        precision=draw(st.sampled_from(["fp32", "bf16-autocast", "bf16"])),
        memory_format=draw(st.sampled_from(["contiguous", "channels_last"])),
        gradients=draw(st.sampled_from(["none", "zero"])),
        checkpointing=draw(st.booleans()),
    )


def check(case: tuple[Variant, StepSettings]) -> None:
    """The simulation equals the real tensors at every operation, or both refuse."""
    drawn, step = case
    build = variant(drawn.specification)
    try:
        simulated = simulate(build, step, target="cpu")
    except ValueError as error:
        event(f"refused: {str(error)[:60]}")
        with pytest.raises((ValueError, RuntimeError)):
            follow(build, step)
        return
    real = follow(build, step)
    assert simulated.timeline == real.timeline
    assert simulated.tensors == real.tensors
    if step.precision != "bf16-autocast":  # whose cache is emptied in no particular order
        assert simulated.events == real.events
    assert simulated.peaks == real.peaks


SLOW_CASES = [HealthCheck.too_slow, HealthCheck.filter_too_much]


@settings(max_examples=12, deadline=None, suppress_health_check=SLOW_CASES)
@given(cases())
def test_drawn_variants_simulate_as_they_run(case: tuple[Variant, StepSettings]) -> None:
    check(case)


@pytest.mark.slow
@settings(max_examples=120, deadline=None, suppress_health_check=SLOW_CASES)
@given(cases())
def test_many_drawn_variants_simulate_as_they_run(case: tuple[Variant, StepSettings]) -> None:
    check(case)
