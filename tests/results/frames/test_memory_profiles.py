import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import results
from results import plots
from results.frames.memory_profiles import most_changed, preferred
from results.report.write import Report
from results.run import Run
from results.tables.in_place import equivalent_pairs
from tests.results.planted import ARMS, BASELINE, CONTROL, HUGE, MEMORY, NORM, RELU, STEM, Plan, write_run
from tests.results.planted_memory import MIB, arms, truth, write_factorial
from tests.results.plots.test_plots import texts
from tests.results.report.test_write import HOSTILE, REASON, Page, page


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose memory trials kept their profiles."""
    path = tmp_path_factory.mktemp("runs") / "explained"
    return results.load(write_run(path, Plan(profiles=True, processes=2, seeds=2)))


@pytest.fixture(scope="module")
def written(explained: Run) -> Report:
    return results.load(explained.analysis.path).report()


@pytest.fixture(scope="module")
def factorial(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A memory study of 48 arms."""
    return results.load(write_factorial(tmp_path_factory.mktemp("runs") / "factorial"))


def with_saved(run: Run, saved: dict[str, int]) -> pd.DataFrame:
    frame = run.analysis.memory_profiles
    return frame.assign(saved_by_module=pd.Series([saved] * len(frame), index=frame.index, dtype=object))


def drawn(profiles: pd.DataFrame) -> dict[str, Figure]:
    return {
        "categories": plots.memory_categories(profiles),
        "timeline": plots.memory_timeline(profiles),
        "saved": plots.memory_saved(profiles),
    }


def test_there_is_a_row_per_arm_mode_and_source_in_the_order_of_the_study(explained: Run) -> None:
    frame = explained.analysis.memory_profiles
    keys = ["environment", "workload", "arm", "mode", "source", "device"]
    assert not frame.duplicated(keys).any()
    assert list(frame["arm"].drop_duplicates()) == [arm.name for arm in ARMS if arm.name != HUGE]
    first = frame[frame["arm"] == BASELINE]
    assert list(zip(first["mode"], first["source"], strict=True)) == [
        ("train", "simulated"),
        ("train", "measured"),
        ("inference", "simulated"),
    ]
    for _, row in frame.iterrows():
        assert sum(row["by_category"].values()) == row["peak_bytes"]
    stem = frame[(frame["arm"] == STEM) & (frame["mode"] == "train")].iloc[0]
    assert stem["by_category"]["activations"] == round(800 * MIB * MEMORY[STEM])


def test_records_without_profiles_show_nothing_of_it(run: Run, report: Report) -> None:
    assert run.analysis.memory_profiles.empty
    assert {"arm", "peak_bytes", "against_baseline"} <= set(run.analysis.memory_profiles.columns)
    markdown = (report.index.parent / "details.md").read_text(encoding="utf-8")
    for said in ("Against the baseline:", "Largest batch", "in-place operations"):
        assert said not in report.index.read_text(encoding="utf-8")
        assert said not in markdown
    assert not list((report.index.parent / "figures").glob("memory-*"))


def test_a_profile_that_lacks_a_field_is_named_with_its_record(tmp_path: Path) -> None:
    path = write_factorial(tmp_path / "run")
    file = path / "records" / "memory-03-laptop-1-1.json"
    file.write_text(file.read_text().replace('"by_category"', '"by_colour"'))
    (left,) = results.load(path).analysis.left_out
    assert left.path == file
    assert left.reason == "not a record: no field outcomes[0].details.profiles[0].by_category"


def test_the_arm_shown_is_the_one_whose_peak_differs_most(explained: Run) -> None:
    frame = explained.analysis.memory_profiles
    train = preferred(frame[frame["mode"] == "train"])
    assert set(train["source"]) == {"simulated"}
    assert list(most_changed(train)["arm"]) == [BASELINE, NORM], (
        "a quarter less is further than a quarter more"
    )
    without = train[train["arm"] != NORM]
    assert list(most_changed(without)["arm"]) == [BASELINE, STEM]
    assert most_changed(train[train["role"] != "baseline"]).empty


def test_bars_by_category_are_as_long_as_the_bytes(explained: Run) -> None:
    frame = explained.analysis.memory_profiles
    figure = plots.memory_categories(frame)
    assert [axis.get_title(loc="left") for axis in figure.axes] == [
        "train, simulated (cuda) [memory-224]",
        "inference, simulated (cuda) [memory-224]",
    ]
    shown = [name for name in frame["arm"].drop_duplicates() if name != CONTROL]
    ends = [0.0] * len(shown)
    for container in figure.axes[0].containers:
        for i, bar in enumerate(container):
            assert bar.get_x() == pytest.approx(ends[i]), "each category starts where the last one ends"
            ends[i] += bar.get_width()
    train = frame[(frame["mode"] == "train") & (frame["source"] == "simulated")].set_index("arm")
    assert ends == [train.loc[name, "peak_bytes"] for name in shown]
    assert CONTROL not in texts(figure)


def test_the_timeline_draws_both_arms_and_names_the_phases(explained: Run) -> None:
    frame = explained.analysis.memory_profiles
    axis = plots.memory_timeline(frame).axes[0]
    train = frame[(frame["mode"] == "train") & (frame["source"] == "simulated")].set_index("arm")
    timelines = dict(zip(train.index, train["timeline"], strict=True))
    for line, arm in zip((axis.lines[0], axis.lines[2]), (BASELINE, NORM), strict=True):
        assert str(line.get_label()).startswith(f"{arm} (peak ")
        assert list(np.asarray(line.get_ydata())) == list(timelines[arm].live_bytes)
    said = texts(plots.memory_timeline(frame))
    assert all(phase in said for phase in ("forward", "backward", "optimizer step"))


def test_saved_activations_are_summed_by_top_level_module(explained: Run) -> None:
    frame = explained.analysis.memory_profiles
    axis = plots.memory_saved(frame).axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["layer1", "(model)", "conv1"]
    baseline = [bar.get_width() for bar in axis.containers[0]]
    assert baseline == [600 * MIB, 100 * MIB, 100 * MIB]
    total = sum(bar.get_width() for bar in axis.containers[1])
    assert total == round(800 * MIB * MEMORY[NORM])


def test_beyond_sixteen_modules_the_rest_is_one_bar(explained: Run) -> None:
    saved = {f"{i}.conv": (41 - i) * MIB for i in range(40)}
    frame = with_saved(explained, saved)
    axis = plots.memory_saved(frame).axes[0]
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert (names[0], names[-1], len(names)) == ("0", "(25 others)", 16)
    assert sum(bar.get_width() for bar in axis.containers[0]) == sum(range(2, 42)) * MIB


@pytest.mark.parametrize("count", [1, 2, 40])
def test_profiles_of_any_number_of_arms_can_be_drawn(factorial: Run, count: int) -> None:
    frame = factorial.analysis.memory_profiles
    names = list(frame["arm"].drop_duplicates())[:count]
    figures = drawn(frame[frame["arm"].isin(names)])
    assert all(name in texts(figures["categories"]) for name in names)
    assert BASELINE in texts(figures["timeline"])
    assert BASELINE in texts(figures["saved"])


def test_figures_without_profiles_say_so(explained: Run) -> None:
    figures = drawn(explained.analysis.memory_profiles.iloc[:0])
    assert "No memory profile" in texts(figures["categories"])
    assert "No training step" in texts(figures["timeline"])
    assert "Nothing saved" in texts(figures["saved"])


@pytest.mark.parametrize("measured", [True, False])
def test_pairs_differ_in_the_equivalent_factor_alone(factorial: Run, tmp_path: Path, measured: bool) -> None:
    run = factorial if measured else results.load(write_factorial(tmp_path / "run", measured=False))
    pairs = equivalent_pairs(run.analysis.study, run.analysis.memory_profiles, run.analysis.series)
    levels = {arm.name: found for arm, found in arms()}
    assert len(pairs) == 2 * 2 * 24, "two factors, two modes, and half of the 48 arms have the change"
    for row in pairs.to_dict("records"):
        before = levels[row["others"]]
        assert before[row["factor"]] == "inplace"
        one = truth(before | {row["factor"]: "out_of_place"}, row["mode"])
        other = truth(before, row["mode"])
        less = {name: one[name] - other[name] for name in one}
        assert row["saved_bytes"] == less["saved_bytes"]
        assert row["allocations"] == less["allocations"]
        assert row["peak_bytes"] == less["saved_bytes"] + less["transient"]
    baseline = pairs[(pairs["others"] == "baseline") & (pairs["mode"] == "train")]
    assert [[tensor.module for tensor in tensors] for tensors in baseline["tensors"]] == [
        ["layer1.0.relu"],
        ["layer1.0.relu"],
    ]
    bare = pairs[(pairs["others"] == "norm=none") & (pairs["mode"] == "train")].iloc[0]
    assert (bare["tensors"], bare["by_category"]) == (None, {"activations": 50 * MIB})


def test_what_is_not_on_record_has_no_pair(explained: Run) -> None:
    pairs = equivalent_pairs(
        explained.analysis.study, explained.analysis.memory_profiles, explained.analysis.series
    )
    assert set(pairs["others"]) == {BASELINE}, "one at a time, only the baseline differs in nothing else"
    assert len(pairs) == 3
    frame = explained.analysis.memory_profiles
    alone = frame[frame["arm"] != BASELINE]
    assert equivalent_pairs(explained.analysis.study, alone, explained.analysis.series).empty


@pytest.mark.usefixtures("quick")
def test_a_study_of_many_arms_stays_readable(factorial: Run, tmp_path: Path) -> None:
    copied = tmp_path / "run"
    shutil.copytree(factorial.analysis.path, copied, ignore=shutil.ignore_patterns("report"))
    report = results.load(copied).report()
    source = report.index.read_text(encoding="utf-8")
    assert "<details>\n<summary>Against the baseline: train, simulated cuda</summary>" in source
    assert "<details>\n<summary>Largest batch: train, simulated cuda</summary>" in source
    for said in (
        "relu out_of_place instead of inplace (train, simulated cuda; 24 pairs): "
        "peak ±0 in 18 of 24, else +50.0 MiB, saved for backward ±0 in 18 of 24, else +50.0 MiB, "
        "tensors made +33",
        "shortcut out_of_place instead of inplace (inference, simulated cuda; 24 pairs): "
        "peak +11.0 MiB, saved for backward ±0, tensors made +16",
    ):
        assert said in page(report).text
        assert said in (report.index.parent / "details.md").read_text(encoding="utf-8")
    section = source[source.index("Against the baseline: train") :]
    names = [arm.name for arm, _ in arms() if arm.changes]
    places = [section.index(f'<th scope="row">{name}</th>') for name in names]
    assert places == sorted(places), "sorted as in the study"


def test_page_and_markdown_explain_the_change(written: Report) -> None:
    markdown = (written.index.parent / "details.md").read_text(encoding="utf-8")
    source = written.index.read_text(encoding="utf-8")
    for said in (
        "+120 MiB (+12 %)",
        "256 × 64 × 112 × 112",
        "+392 MiB",
        "not one image",
        "10.0 % of the card is left free",
        "By simulation, not tried on the card",
        "relu out_of_place instead of inplace (train, simulated cuda; 1 pair): peak +120 MiB",
    ):
        assert said in source
        assert said in markdown
    assert "| change | 8GiB | 24GiB | 80GiB |" in markdown, "the smallest card first"
    assert "Largest batch: train, measured" not in source
    assert "<details open>\n<summary>Against the baseline: train, simulated cuda</summary>" in source
    assert "<details>\n<summary>Against the baseline: train, measured cpu</summary>" in source
    assert '<details class="group">\n<summary>The tensors behind it</summary>' in source
    assert "the change whose peak differs most" in source


def test_the_page_with_profiles_is_accessible(written: Report) -> None:
    tags = page(written).tags
    images = [a.get("aria-label") or "" for _, a in tags if a.get("class") == "drawing"]
    assert len(images) == 13
    assert all(len(alt) > 20 for alt in images)
    ids = [a["id"] for _, a in tags if a.get("id")]
    assert len(ids) == len(set(ids))
    assert {(a.get("href") or "")[1:] for tag, a in tags if tag == "a"} <= set(ids)


@pytest.mark.usefixtures("quick")
def test_hostile_modules_and_reasons_come_out_as_text(tmp_path: Path) -> None:
    plan = Plan(
        profiles=True,
        module=HOSTILE,
        reason=REASON,
        rename={RELU: HOSTILE},
        processes=1,
        seeds=1,
        environments=("laptop-1", "server-2"),
    )
    report = results.load(write_run(tmp_path / "run", plan)).report()
    found: Page = page(report)
    assert found.text.count(HOSTILE) > 20
    assert [tag for tag, _ in found.tags].count("script") == 1, "the page's own"
    assert not [a for _, a in found.tags if "onerror" in a]
    ids = [a["id"] for _, a in found.tags if a.get("id")]
    assert ids.count("memory") == 1
    markdown = (report.index.parent / "details.md").read_text(encoding="utf-8")
    assert "<" not in markdown
    assert "activations | &lt;script&gt;alert('arm')&lt;/script&gt;\\|\\*x\\*" in markdown


def test_hostile_modules_can_be_drawn(explained: Run) -> None:
    saved = {HOSTILE: 5, "$\\frac{": 3}
    frame = with_saved(explained, saved)
    svg, _ = plots.drawn(plots.memory_saved(frame))
    assert b"<script>" not in svg


def test_the_same_profiles_give_the_same_bytes(explained: Run, written: Report) -> None:
    again = {f"memory-{name}": figure for name, figure in drawn(_shown(explained)).items()}
    for name, figure in again.items():
        for content, end in zip(plots.drawn(figure), ("svg", "png"), strict=True):
            assert content == (written.index.parent / "figures" / f"{name}.{end}").read_bytes()
    tables = {path.stem for path in (written.index.parent / "tables").iterdir()}
    assert tables == {"effects", "interactions", "variants", "claims", "trials", "throughput", "noise_floor"}


def _shown(run: Run) -> pd.DataFrame:
    return run.analysis.memory_profiles[run.analysis.memory_profiles["role"] != "control"]
