"""Run directories that an earlier version recorded and reported: reported anew, they say the same.

`tests/data/recorded/*.tar.gz` hold what `ablate run` left behind at version 0.1.0 on two cores, its tables
included: a full factorial with an inert factor, and a study with planted faults.
"""

import tarfile
from pathlib import Path

import pandas as pd
import pytest

import results

DATA = Path(__file__).parents[1] / "data" / "recorded"
ADDED = {
    "effects": [
        *("exact", "placebo", "identical", "detectable", "cause", "fault", "fault_detail"),
        *("lost", "baseline_lost", "censored", "baseline_censored", "isolation"),
        *("at_chance", "heap_low", "heap_high", "heap_low_n"),
        *("n_needed_low", "n_needed_high", "smallest_detectable", "beyond_margin"),
        *("control_differs", "baseline_n", "freedom", "aliases", "sets", "sets_planned"),
    ],
    "variants": [],
    "trials": ["occasion", "log"],
}
INERT = "inert: changes no shape, operator or output at this input"
DUPLICATE = "the baseline's duplicate differs here too"
OF_NUMBERS = ("would decide", "would be needed", "discordant pairs", "no pair of runs ended")
AT_CHANCE = "at chance level in 6 of 6 seeds: there the arm learnt nothing"


@pytest.fixture(scope="module", params=["crossed", "planted"])
def both(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """The name of a recorded run, its tables as they were, and as they are now."""
    folder = tmp_path_factory.mktemp("recorded")
    with tarfile.open(DATA / f"{request.param}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    run = folder / str(request.param)
    before = tables(run)
    assert results.load(run).report().index.is_file()
    after = tables(run)
    # How many seeds failed has rows of its own now, at the end.
    effects = after["effects"]
    after["effects"] = effects[effects["metric"] != "failed_fraction"]
    return str(request.param), before, after


def tables(run: Path) -> dict[str, pd.DataFrame]:
    return {name: pd.read_csv(run / "report" / "tables" / f"{name}.csv") for name in ADDED}


def differences(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, list[int]]:
    """Rows that differ, by column; numbers count as equal to the last digits of a double."""
    found = {}
    for name in before:
        one, other = before[name], after[name]
        if one.dtype.kind == other.dtype.kind == "f":
            same = ((one - other).abs() <= 1e-12 * one.abs()) | (one.isna() & other.isna())
        else:
            same = one.astype(object).where(one.notna(), "") == other.astype(object).where(other.notna(), "")
        if not same.all():
            found[str(name)] = list(before.index[~same])
    return found


@pytest.mark.parametrize("name", ADDED)
def test_no_row_or_column_went_and_only_known_columns_came(
    both: tuple[str, dict[str, pd.DataFrame], dict[str, pd.DataFrame]], name: str
) -> None:
    _, before, after = both
    assert len(before[name]) == len(after[name])
    assert [column for column in after[name] if column not in ADDED[name]] == list(before[name])
    assert [column for column in after[name] if column not in before[name]] == ADDED[name]


@pytest.mark.parametrize("name", ["variants", "trials"])
def test_variants_and_trials_are_what_they_were(
    both: tuple[str, dict[str, pd.DataFrame], dict[str, pd.DataFrame]], name: str
) -> None:
    _, before, after = both
    assert differences(before[name], after[name]) == {}


def test_effects_differ_where_a_fault_was_mended_and_nowhere_else(
    both: tuple[str, dict[str, pd.DataFrame], dict[str, pd.DataFrame]],
) -> None:
    name, before, after = both
    old, new = before["effects"], after["effects"]
    found = differences(old, new)
    # The noise floor is now told per mode, and reaches as far as the interval of its own A/A row.
    floors = found.pop("noise_floor")
    assert set(old.loc[floors, "workload"]) <= {"throughput", "convergence"}
    # The arms of what is timed have their spread in common; divergence is told by Fisher's test.
    for column in (
        "ci_low",
        "ci_high",
        "sd",
        "p_value",
        "p_adjusted",
        "ci_low_unadjusted",
        "ci_high_unadjusted",
    ):
        rows = new.loc[found.pop(column)]
        assert set(rows[rows["workload"] != "throughput"]["metric"]) <= {"diverged_fraction"}
    # How many blocks are needed follows from the spread alone.
    rows = old.loc[found.pop("n_needed")]
    assert set(rows["workload"]) <= {"throughput", "convergence"}
    told = found.pop("note")
    others = [i for i in told if not any(said in str(old.loc[i, "note"]) for said in OF_NUMBERS)]
    decided = new.loc[found.pop("verdict", []), ["metric", "arm", "verdict"]].to_numpy().tolist()
    if name == "crossed":
        # The complexity workload has no control arm, and yet it covers the networks of the others.
        newly = new.loc[found.pop("inert")]
        assert set(newly["arm"]) == {"first_dilation=previous"}
        assert set(newly["workload"]) == {"throughput", "convergence"}
        assert set(newly["inert"]) == {True}
        assert decided == []
        ours = (INERT, DUPLICATE, "differs where nothing does", "detectable, below the margin", "nan")
        notes = new.loc[others, "note"].map(str)
        assert (notes.str.startswith(ours) | notes.str.contains(DUPLICATE)).all()
        assert new.loc[told, "note"].str.contains(AT_CHANCE.replace("6 of", "1 of")).any()
    else:
        # An arm that cannot learn is told so; six runs of six that diverge are told from none of six.
        assert [new.loc[i, "arm"] for i in others if new.loc[i, "note"] == AT_CHANCE] == [
            "fault=cannot_learn"
        ]
        assert decided == [["diverged_fraction", "fault=diverge", "worse"]]
        assert new.loc[new.index.isin(found.pop("family")), "factor"].tolist() == ["(control)"]
    assert found == {}
