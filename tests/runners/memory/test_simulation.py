"""Tensors without data against real ones, and both against the allocator of a step that nobody observes."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from runners.memory.attribution import ModuleTracker
from runners.memory.events import memory_events
from runners.memory.follow import Follower
from runners.memory.settings import Mode, StepSettings
from runners.memory.simulate import follow, simulate
from runners.memory.step import Build, Step
from tests.runners.memory.cases import VARIANTS, Joins, module, small, variant

CASES = [*VARIANTS, "joins"]
CPU = torch.device("cpu")


def build(case: str) -> Build:
    return module(Joins) if case == "joins" else variant(case)


@pytest.mark.parametrize("mode", ["train", "inference"])
@pytest.mark.parametrize("case", CASES)
def test_a_simulation_equals_real_tensors_at_every_operation(case: str, mode: Mode) -> None:
    simulated = simulate(build(case), small(mode), target="cpu")
    real = follow(build(case), small(mode))
    assert simulated.peak_bytes == real.peak_bytes
    assert simulated.timeline == real.timeline
    assert simulated.tensors == real.tensors
    assert simulated.events == real.events
    assert (simulated.static_bytes, simulated.saved_bytes) == (real.static_bytes, real.saved_bytes)
    assert (simulated.allocations, simulated.allocated_bytes) == (real.allocations, real.allocated_bytes)


@pytest.mark.parametrize(
    "settings", [{"optimizer": "adamw"}, {"optimizer_kind": "foreach"}, {"momentum": 0.0}]
)
def test_the_optimizers_of_a_simulation_allocate_what_real_ones_do(settings: dict[str, Any]) -> None:
    simulated = simulate(build(CASES[0]), small(**settings), target="cpu")
    real = follow(build(CASES[0]), small(**settings))
    assert simulated.timeline == real.timeline
    assert simulated.tensors == real.tensors


@pytest.mark.parametrize("mode", ["train", "inference"])
@pytest.mark.parametrize("case", [CASES[0], CASES[4], CASES[5], CASES[8], CASES[11], "joins"])
def test_following_a_step_changes_nothing_that_its_allocator_sees(case: str, mode: Mode) -> None:
    """Every size handed out and taken back, in order, is the same with and without the follower.

    But for the eight bytes of a Python number that an operator is given: passing through any dispatch
    mode makes it a tensor once more.
    """
    step = Step(build(case), small(mode), CPU, "cpu")
    step.prepare()
    step.run()
    unobserved = _events(step, lambda run: run)
    tracker = ModuleTracker(step.model)
    follower = Follower(tracker, CPU, 1, host=True, target="cpu")

    def observed(run: Callable[[], None]) -> Callable[[], None]:
        def observe() -> None:
            with follower:
                run()

        return observe

    with tracker.attached(), follower.attached():
        assert _events(step, observed, follower) == unobserved


def _events(
    step: Step,
    wrap: Callable[[Callable[[], None]], Callable[[], None]],
    follower: Follower | None = None,
) -> list[int]:
    changes: list[int] = []
    for phase, run in step.phases():
        if follower is not None:
            follower.phase = phase
        changes += [event.nbytes for event in memory_events(wrap(run)) if abs(event.nbytes) != 8]
    step.reset()
    return changes


def test_a_simulation_is_the_same_twice() -> None:
    first, second = (simulate(build(CASES[0]), small()) for _ in range(2))
    assert (first.timeline, first.tensors, first.events) == (second.timeline, second.tensors, second.events)


def test_a_batch_costs_only_what_depends_on_it() -> None:
    """Static memory aside from inputs, and the number of operations, are the same at any batch."""
    one, many = (simulate(build(CASES[0]), StepSettings((n, 3, 48, 48)), target="cpu") for n in (1, 64))
    assert [o.operator for o in one.timeline] == [o.operator for o in many.timeline]
    inputs = 3 * 48 * 48 * 4 + 8
    assert many.static_bytes - one.static_bytes == 63 * inputs
