"""What the report says of a run's own diagnostics: sentences where one matters, else a short line."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from results.report import timing_diagnostics
from results.report.section import Alert, Bullets, Table
from results.report.sections import throughput
from results.run import Run
from results.verdicts.diagnostics import DIAGNOSTIC_COLUMNS
from tests.results.planted import ENVIRONMENT


def frame(**told: Any) -> pd.DataFrame:
    common = {"environment": ENVIRONMENT, "workload": "speed", "mode": "train", "metric": "step_seconds"}
    numbers = {"p_value": 0.5, "p_adjusted": 1.0, "n": 12, "matters": False}
    rows = [
        {"check": "built", "estimate": 0.008, "ci_low": 0.003, "ci_high": 0.012},
        {"check": "warmed_up", "estimate": -0.007, "ci_low": -0.011, "ci_high": -0.002},
        {"check": "neighbours", "estimate": 0.41},
        {"check": "drift", "arm": "stem", "estimate": -0.031},
        {"check": "between_process_share", "estimate": 0.83},
    ]
    rows[-1] |= {"between_process_sd": 0.01, "between_round_sd": 0.02, "rounds": 20}
    found = [common | numbers | row | told.get(str(row["check"]), {}) for row in rows]
    return pd.DataFrame(found, columns=DIAGNOSTIC_COLUMNS)


def said(diagnostics: pd.DataFrame) -> list[str]:
    group = timing_diagnostics.in_words(diagnostics)
    assert group is not None
    bullets, table = group.parts
    assert isinstance(bullets, Bullets)
    assert isinstance(table, Table)
    assert len(table.rows) == 1
    assert all(len(row) == len(table.columns) for row in table.rows)
    return [sentence.text for sentence in bullets.sentences]


def test_where_nothing_matters_a_line_says_what_was_checked() -> None:
    assert said(frame()) == [
        "Checked, and nothing stood out: the order of building, the order of warming up, likeness of "
        "neighbouring processes, drift from the first process to the last.",
        "Of the spread (variance) of a process's effect, 83 % is between processes, the rest between rounds: "
        "more rounds would help little, more processes would.",
    ]
    assert timing_diagnostics.unsound(frame()) == []


@pytest.mark.parametrize(
    ("check", "sentence", "bends"),
    [
        (
            "built",
            "The arm built first read 0.8 % slower (0.3 % to 1.2 %) in speed, train: the order is drawn "
            "anew in each process, so it falls on all arms alike and widens intervals.",
            False,
        ),
        (
            "warmed_up",
            "The arm warmed up first read 0.7 % faster (0.2 % to 1.1 %) in speed, train: the order is "
            "drawn anew in each process, so it falls on all arms alike and widens intervals.",
            False,
        ),
        (
            "neighbours",
            "Neighbouring processes are alike in speed, train (correlation 0.4): intervals are too narrow; "
            "run fewer at a time or further apart (--again).",
            True,
        ),
        (
            "drift",
            "Effects drift in speed, train (stem: −3.1 % from the first process to the last): what is told "
            "is their average meanwhile; let the machine settle, or add an occasion (--again).",
            True,
        ),
    ],
)
def test_what_matters_has_a_sentence_and_what_bends_intervals_an_alert(
    check: str, sentence: str, bends: bool
) -> None:
    found = frame(**{check: {"matters": True}})
    assert said(found)[0] == sentence
    assert not any("nothing stood out" in other for other in said(found))
    assert len(timing_diagnostics.unsound(found)) == bends


@pytest.mark.parametrize(("share", "end"), [(0.2, "narrow intervals, too."), (0.6, "more processes would.")])
def test_what_would_narrow_intervals_follows_from_the_share(share: float, end: str) -> None:
    assert said(frame(between_process_share={"estimate": share}))[-1].endswith(end)


def test_the_section_holds_them_and_its_alert_names_them(run: Run) -> None:
    analysis = replace(run.analysis)
    section = throughput.build(analysis, ENVIRONMENT)
    assert "diagnostics" in section.data
    assert any(getattr(part, "title", "") == timing_diagnostics.TITLE for part in section.evidence)
    vars(analysis)["diagnostics"] = frame(neighbours={"matters": True})
    alerts = throughput.build(analysis, ENVIRONMENT).alerts
    assert [isinstance(alert, Alert) and "neighbouring processes" in alert.items[-1] for alert in alerts] == [
        True
    ]


def test_of_nothing_nothing_is_said() -> None:
    assert timing_diagnostics.in_words(frame()[:0]) is None
