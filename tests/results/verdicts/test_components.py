"""Where the spread of a timed contrast comes from, against what was drawn."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from results.verdicts.cells import Cell
from results.verdicts.components import Components, components
from tests.results.planted import BASELINE, METRICS, POOL, STEM, Plan, study

PROCESSES, ROUNDS = 1_000, 32


def cell(process_sd: float, round_sd: float, *arms: str, in_turns: float = 0.0) -> Cell:
    """Step times whose logarithm scatters by process and by round for each arm; the machine drifts beside.

    `in_turns` is by how much being first or second in a round matters, which mirrored orders take turns in.
    """
    rng = np.random.default_rng(12)
    index = pd.MultiIndex.from_product(
        [[f"process-{i}" for i in range(PROCESSES)], ["all"], range(ROUNDS)], names=["block", "pair", "round"]
    )
    shared = np.cumsum(rng.normal(0, 0.01, len(index)))
    logs = {BASELINE: shared}
    for arm in arms:
        born = np.repeat(rng.normal(0, process_sd, PROCESSES), ROUNDS)
        turns = in_turns * (-1.0) ** np.arange(len(index))
        logs[arm] = shared + born + turns + rng.normal(0, round_sd, len(index))
    (timed,) = (workload for workload in study(Plan()).workloads if workload.block_unit == "process")
    (metric,) = (one for one in METRICS if one.name == "step_seconds")
    wide = pd.DataFrame({arm: np.exp(values) for arm, values in logs.items()}, index=index)
    return Cell("laptop", timed, metric, "train", None, "measured", "cpu", wide, {})


@pytest.mark.parametrize(("process_sd", "round_sd"), [(0.01, 0.02), (0.002, 0.05), (0.02, 0.0)])
def test_spread_is_told_apart_as_it_was_drawn(process_sd: float, round_sd: float) -> None:
    found = components(cell(process_sd, round_sd, STEM, POOL), [STEM, POOL], BASELINE)
    assert found is not None
    assert found.rounds == ROUNDS
    # A median of many rounds varies pi/2 times as much as their mean.
    of_round = math.pi / 2 * round_sd**2
    assert found.between_rounds == pytest.approx(of_round, rel=0.15, abs=1e-9)
    assert found.between_processes == pytest.approx(process_sd**2, rel=0.15, abs=0.1 * of_round / ROUNDS)
    whole = process_sd**2 + of_round / ROUNDS
    assert found.process_share == pytest.approx(process_sd**2 / whole, abs=0.1)


def test_what_mirrored_orders_cancel_is_no_spread_of_rounds() -> None:
    found = components(cell(0.005, 0.02, STEM, in_turns=0.01), [STEM], BASELINE)
    assert found is not None
    assert found.between_processes == pytest.approx(0.005**2, rel=0.3)


def test_of_too_few_processes_or_rounds_nothing_is_said() -> None:
    known = cell(0.01, 0.02, STEM)
    block, turn = (known.wide.index.get_level_values(name) for name in ("block", "round"))
    assert components(replace(known, wide=known.wide[block == "process-0"]), [STEM], BASELINE) is None
    assert components(replace(known, wide=known.wide[turn < 3]), [STEM], BASELINE) is None
    assert components(known, [POOL], BASELINE) is None


@pytest.mark.parametrize(
    ("process_seconds", "expected"),
    [(0.0, 8), (9.0, 12), (25.0, 20), (1_000.0, 32)],
)
def test_rounds_of_least_cost_are_kalibera_and_joness(process_seconds: float, expected: int) -> None:
    """The square root of what a process costs and a round scatters, each as a multiple of the other's."""
    assert Components(1e-4, 16e-4, ROUNDS).best_rounds(process_seconds, 1.0) == expected


def test_where_processes_are_alike_all_rounds_are_of_use() -> None:
    assert Components(0.0, 16e-4, ROUNDS).best_rounds(0.0, 1.0) == ROUNDS
