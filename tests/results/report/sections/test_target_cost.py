"""The section on what a target takes: a row an arm, the baseline's own figures first."""

from dataclasses import replace

import pandas as pd
import pytest

from results.report.section import Group, Table
from results.report.sections.target_cost import TOPIC
from results.run import Run
from results.tables.analysis import Analysis
from results.verdicts.target_cost import target_cost
from tests.results.report.sections.test_sections import text_of


@pytest.fixture
def together(run: Run) -> Analysis:
    """The planted run, had it been timed in the context that it trains in."""
    analysis = replace(run.analysis)
    costs = target_cost(run.analysis.effects.assign(input_size=32, batch_size=32))
    analysis.__dict__["target_cost"] = costs  # in the place of what is computed once
    return analysis


def test_each_arm_has_steps_seconds_change_and_verdict(together: Analysis) -> None:
    section = TOPIC.build(together, together.names[0])
    meaning, group = section.evidence
    assert "multiplied" in text_of(meaning)
    assert isinstance(group, Group)
    (table,) = group.parts
    assert isinstance(table, Table)
    costs = together.target_cost
    baseline, *arms = table.rows
    assert [cell.text for cell in baseline[:2]] == [
        "baseline",
        f"{costs['baseline_steps'].iloc[0]:.3g} steps",
    ]
    assert [row[0].text for row in arms] == costs["arm"].tolist()
    for row, verdict in zip(arms, costs["verdict"], strict=True):
        assert len(row) == len(table.columns)
        assert verdict in row[5].text
        assert row[5].verdict == verdict
    pd.testing.assert_frame_equal(section.data["target_cost"], costs)


def test_nothing_is_told_of_another_machine_or_of_contexts_that_differ(together: Analysis, run: Run) -> None:
    assert not TOPIC.build(together, "another").parts
    section = TOPIC.build(run.analysis, run.analysis.names[0])
    assert not section.parts
    assert not section.data
