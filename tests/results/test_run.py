"""What `results.load` gives: its names, its short forms, and frames that are the reader's own."""

import math
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

import results
from results.run import Run
from results.tables.columns import FRAMES
from tests.results.planted import CONTROL, NORM, POOL, STEM, Plan, write_run

NASTY = '<script>alert("1")</script> & `|` % {{ x }} \x1b[31m'


class Text(HTMLParser):
    """Tags and text of a piece of HTML."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_dir_names_what_is_public_and_nothing_else(run: Run) -> None:
    assert dir(results) == ["Run", "columns", "load", "plots"]
    beside = ["analysis", "environments", "left_out", "path", "report", "study"]
    assert dir(run) == sorted([*FRAMES, *beside])
    public = {name for name in vars(Run) if not name.startswith("_")} | {"analysis"}
    assert public == set(dir(run))
    assert all(hasattr(results, name) for name in dir(results))
    assert all(hasattr(run, name) for name in dir(run))


def test_effects_leave_out_the_control_and_nothing_else(run: Run) -> None:
    usual, every = run.effects(), run.effects(control=True)
    control = every[every["factor"] == "(control)"]
    assert set(control["arm"]) == {CONTROL}
    assert len(control) == len(every) - len(usual) > 0
    assert CONTROL not in set(usual["arm"])
    others = every[every["factor"] != "(control)"].reset_index(drop=True)
    pd.testing.assert_frame_equal(usual, others)


def test_effects_csv_keeps_the_control(run: Run, report: object) -> None:
    written = pd.read_csv(run.path / "report" / "tables" / "effects.csv")
    assert len(written) == len(run.effects(control=True))
    assert (written["factor"] == "(control)").any()


def test_what_a_reader_changes_is_changed_for_no_one_else(run: Run) -> None:
    for name, described in FRAMES.items():
        first = getattr(run, name) if described.recorded else getattr(run, name)()
        before = first.copy()
        first["mine"] = 1
        if len(first):
            first.iloc[0, 0] = "changed"
        again = getattr(run, name) if described.recorded else getattr(run, name)()
        pd.testing.assert_frame_equal(again, before)


def wide(run: Run, metric: str, index: list[str], **where: str) -> pd.DataFrame:
    """The raw samples of a metric, an arm a column."""
    frame = run.measurements
    kept = frame[(frame["metric"] == metric) & (frame["role"] != "control")]
    for name, value in where.items():
        kept = kept[kept[name] == value]
    return kept.pivot(index=index, columns="arm", values="value")


def column(run: Run, metric: str, name: str, **where: str) -> dict[object, float]:
    rows = run.effects()
    rows = rows[rows["metric"] == metric]
    for key, value in where.items():
        rows = rows[rows[key] == value]
    return rows.set_index("arm")[name].to_dict()


def test_an_effect_on_time_is_what_pandas_makes_of_the_measurements(run: Run) -> None:
    samples = wide(run, "step_seconds", ["block", "round"], mode="train").map(math.log)
    told = column(run, "step_seconds", "effect", mode="train")
    for arm in (STEM, NORM, POOL):
        of_process = (samples[arm] - samples["baseline"]).groupby("block").median()
        assert told[arm] == pytest.approx(math.exp(of_process.mean()))


def test_an_interval_is_what_scipy_makes_of_the_measurements(run: Run) -> None:
    samples = wide(run, "test_accuracy", ["block"])
    low, high = (column(run, "test_accuracy", f"ci_{end}_unadjusted") for end in ("low", "high"))
    for arm in (STEM, POOL):
        found = stats.ttest_rel(samples[arm], samples["baseline"]).confidence_interval(0.95)
        assert (low[arm], high[arm]) == pytest.approx((found.low, found.high))


def test_the_short_form_names_study_arms_statuses_environments_and_frames(run: Run) -> None:
    told = repr(run)
    assert told.splitlines()[0].startswith("Run of study planted (resnet, one-at-a-time): Which details")
    assert "8 arms: baseline, (control), stem=deep64" in told
    assert "1 environment: laptop-1" in told
    outcomes = run.trials()["status"].value_counts()
    assert all(f"{count} {status}" in told for status, count in outcomes.items())
    flat = " ".join(told.split())
    assert all(f"{name}{'' if one.recorded else '()'}" in flat for name, one in FRAMES.items())
    assert len(told.splitlines()) <= 9
    assert max(map(len, told.splitlines())) <= 110


def test_a_notebook_shows_the_same_and_the_headline(run: Run) -> None:
    shown = Text(run._repr_html_())
    for line in repr(run).splitlines()[:4]:
        assert line.strip() in shown.text
    assert shown.tags.count("table") == 1
    assert "▼ +31 %" in shown.text
    for arm in (STEM, NORM, POOL):
        assert arm in shown.text
    assert CONTROL not in shown.text.split("What each change does")[1]


def test_names_come_out_as_text(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", Plan(processes=2, seeds=2, rename={STEM: NASTY}))
    run = results.load(path)
    shown = Text(run._repr_html_())
    assert "script" not in shown.tags
    assert '<script>alert("1")</script> & `|` % {{ x }}' in shown.text
    assert "\x1b" not in repr(run) + run._repr_html_()


def test_several_environments_have_a_headline_each(tmp_path: Path) -> None:
    plan = Plan(processes=2, seeds=2, environments=("laptop-1", "laptop-2"))
    run = results.load(write_run(tmp_path / "run", plan))
    shown = Text(run._repr_html_())
    assert shown.tags.count("table") == 2
    assert "against the baseline on laptop-2" in shown.text
    assert list(run.environments) == ["laptop-1", "laptop-2"]
    assert run.environments["laptop-1"]["torch"] == "2.9.1"


def test_a_run_without_records_has_a_short_form_too(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", Plan(processes=2, seeds=2))
    for file in (path / "records").iterdir():
        file.unlink()
    run = results.load(path)
    assert "no trial on record yet" in repr(run)
    assert "table" not in Text(run._repr_html_()).tags


def test_files_left_out_are_told(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", Plan(processes=2, seeds=2))
    file = next((path / "records").iterdir())
    file.write_text("{")
    run = results.load(path)
    assert [one.path.name for one in run.left_out] == [file.name]
    assert "1 file left out: see left_out" in repr(run)
