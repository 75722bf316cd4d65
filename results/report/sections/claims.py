"""Claims, and what became of them; no study declares any yet."""

import pandas as pd

from results.report.section import Section, Topic
from results.tables.analysis import Analysis

CLAIM_COLUMNS = [
    *("claim", "source", "statement", "predicted", "measured"),
    *("ci_low", "ci_high", "verdict", "reason", "evidence"),
]


def build(_: Analysis, __: str) -> Section:
    """An empty table for those who read it."""
    return Section(data={"claims": pd.DataFrame(columns=CLAIM_COLUMNS)})


TOPIC = Topic(
    "claims", "Claims", 15, build, per_environment=False, summary="sentences of others, put to the test"
)
