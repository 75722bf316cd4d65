import json
import math
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy import stats

import results
from results import plots
from results.report import disturbances
from results.run import Run
from tests.results.planted import BASELINE, CONTROL, HUGE, NORM, STEM, Plan, write_run
from tests.results.planted_timing import BATCH, MACS, PHASES, STEPS, STRETCHES, TimingPlan, write_timed_run


def warnings(run: Run) -> list[str]:
    found = run.analysis
    return disturbances.warnings(found.stretches, found.timed_arms, found.isolation)


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of timed workloads on a quiet machine."""
    return results.load(write_timed_run(tmp_path_factory.mktemp("runs") / "timed"))


def row(run: Run, workload: str, mode: str, arm: str) -> "pd.Series[float]":
    table = run.analysis.speed
    found = table[(table["workload"] == workload) & (table["mode"] == mode) & (table["arm"] == arm)]
    assert len(found) == 1
    return found.iloc[0]


def pooled(run: Run, workload: str, mode: str, arm: str, metric: str) -> float:
    """By plain pandas and scipy: the geometric mean over processes of medians over rounds."""
    frame = run.measurements
    wanted = {"workload": workload, "mode": mode, "arm": arm, "metric": metric}
    for name, value in wanted.items():
        frame = frame[frame[name] == value]
    return float(stats.gmean(frame.groupby("block")["value"].median()))


def texts(figure: Figure) -> str:
    return "\n".join(t.get_text() for t in figure.findobj(mpl.text.Text))


def test_images_per_second_are_the_batch_over_the_pooled_step(timed: Run) -> None:
    found = row(timed, "speed", "train", STEM)
    step = pooled(timed, "speed", "train", STEM, "step_seconds")
    assert found["step_seconds"] == pytest.approx(step)
    assert found["images_per_second"] == pytest.approx(BATCH / step)
    assert found["gmacs_per_second"] == pytest.approx(MACS[STEM] / 1e9 * BATCH / step)
    assert found["step_seconds_per_gmac"] == pytest.approx(step / (BATCH * MACS[STEM] / 1e9))
    assert found["processes"] == 6, "processes, not rounds"
    assert found["steps_timed"] == 6 * 5 * STEPS


def test_phases_belong_to_training_and_latency_to_inference(timed: Run) -> None:
    train, infer = (row(timed, "speed", mode, NORM) for mode in ("train", "inference"))
    for name, part in PHASES.items():
        assert train[name] == pytest.approx(part * train["step_seconds"])
        assert math.isnan(infer[name])
    p99 = pooled(timed, "speed", "inference", NORM, "latency_p99_seconds")
    assert infer["latency_p99_seconds"] == pytest.approx(p99)
    assert math.isnan(train["latency_p99_seconds"])


def test_energy_is_that_of_an_image_where_a_process_holds_one_arm(timed: Run) -> None:
    joules = [STRETCHES * (2.0 + process) for process in range(5)]  # of a process and mode, as planted
    expected = stats.gmean(joules) / (STEPS * 5 * BATCH)
    alone = row(timed, "speed-isolated", "train", STEM)["energy_joules_per_image"]
    assert alone == pytest.approx(expected)
    # Arms that take turns share what the counter says.
    assert math.isnan(row(timed, "speed", "train", STEM)["energy_joules_per_image"])


def test_equal_memory_counts_each_arm_at_its_own_batch(timed: Run) -> None:
    batches = {BASELINE: 64, STEM: 48, NORM: 96}
    found = {arm: row(timed, "speed-4GiB", "train", arm) for arm in batches}
    assert {arm: row["batch_size"] for arm, row in found.items()} == batches
    rate = pooled(timed, "speed-4GiB", "train", STEM, "images_per_second")
    assert found[STEM]["images_per_second"] == pytest.approx(rate)
    assert math.isnan(found[STEM]["step_seconds"])


def test_a_percentile_that_only_some_processes_have_is_not_set_beside_those_of_all(tmp_path: Path) -> None:
    path = write_timed_run(tmp_path / "run", TimingPlan(isolated=1))
    found_in = {(r.workload, r.block): r.file_name for r in results.load(path).analysis.records}
    file = path / "records" / found_in["speed", "process-0"]
    content = json.loads(file.read_text())
    for outcome in content["outcomes"]:
        outcome["measurements"] = [m for m in outcome["measurements"] if m["metric"] != "latency_p99_seconds"]
    file.write_text(json.dumps(content))
    found = row(results.load(path), "speed", "inference", STEM)
    assert math.isnan(found["latency_p99_seconds"])
    assert found["latency_p95_seconds"] > 0
    assert found["processes"] == 6


def test_an_arm_that_failed_keeps_its_row(timed: Run) -> None:
    found = row(timed, "speed", "train", HUGE)
    assert math.isnan(found["images_per_second"])
    assert found["processes"] == 0


def test_rows_stand_in_the_order_of_the_study(timed: Run) -> None:
    table = timed.analysis.speed
    assert list(table["workload"].unique()) == [w.name for w in timed.analysis.study.workloads]
    assert list(table["arm"].unique()) == [BASELINE, CONTROL, STEM, NORM, HUGE]
    assert list(table["mode"].unique()) == ["train", "inference"]


def test_the_noise_floor_stands_beside_every_figure_that_varies(timed: Run) -> None:
    effects = timed.effects(control=True)
    control = effects[(effects["arm"] == CONTROL) & (effects["metric"] == "step_seconds")]
    control = control[control["workload"] == "speed"]
    for mode in ("train", "inference"):
        one = control[control["mode"] == mode].iloc[0]
        half_width = stats.t.ppf(0.975, one["freedom"]) * one["sd"] / math.sqrt(6)
        floor = math.exp(abs(math.log(one["effect"])) + half_width) - 1
        assert row(timed, "speed", mode, STEM)["noise_floor"] == pytest.approx(floor)
        mine = effects[(effects["metric"] == "step_seconds") & (effects["workload"] == "speed")]
        assert mine[mine["mode"] == mode]["noise_floor"].to_numpy() == pytest.approx(floor)


def test_exact_metrics_have_no_noise_floor_and_accuracy_has_it_in_its_unit(run: Run) -> None:
    effects, noise = run.effects(), run.analysis.noise_floor.set_index("metric")
    assert effects[effects["metric"] == "peak_bytes"]["noise_floor"].isna().all()
    accuracy = effects[effects["metric"] == "test_accuracy"]["noise_floor"]
    assert set(accuracy) == {noise.loc["test_accuracy", "half_width"]}
    pd.testing.assert_series_equal(
        run.interactions().query("metric == 'step_seconds'")["noise_floor"].drop_duplicates(),
        effects.query("metric == 'step_seconds'")["noise_floor"].drop_duplicates(),
        check_index=False,
    )


def test_records_without_details_still_load_and_report(run: Run, tmp_path: Path) -> None:
    table = run.analysis.speed
    assert run.analysis.stretches.empty
    assert run.analysis.machine.empty
    assert warnings(run) == []
    assert table["marked_share"].isna().all()
    found = table[(table["arm"] == STEM) & (table["mode"] == "train")].iloc[0]
    step = pooled(run, "throughput-64", "train", STEM, "step_seconds")
    assert found["images_per_second"] == pytest.approx(32 / step)
    bare = write_timed_run(tmp_path / "run", TimingPlan(details=False, processes=2, isolated=1))
    assert [alert.title for alert in results.load(bare).report().document.alerts] == []


@pytest.mark.parametrize("timing", [{}, {"train": {}}, {"train": {"seconds": [1.0]}}])
def test_details_that_lack_parts_count_as_not_read(tmp_path: Path, timing: object) -> None:
    path = write_timed_run(tmp_path / "run", TimingPlan(processes=2, isolated=1))
    for file in (path / "records").iterdir():
        content = json.loads(file.read_text())
        content["details"] = {"machine": timing}
        for outcome in content["outcomes"]:
            outcome["details"] = {"timing": timing}
        file.write_text(json.dumps(content))
    run = results.load(path)
    assert run.analysis.speed["images_per_second"].notna().any()
    assert warnings(run) == []
    assert run.analysis.machine["others_cores_median"].isna().all()


def test_bars_are_as_long_as_an_image_takes_and_split_by_phase(timed: Run) -> None:
    table = timed.analysis.speed.query("workload == 'speed'")
    axis = plots.image_seconds(table).axes[0]
    ends = {round(patch.get_x() + patch.get_width(), 12) for patch in axis.patches}  # type: ignore[attr-defined]
    step = pooled(timed, "speed", "train", STEM, "step_seconds")
    assert round(step / BATCH, 12) in ends
    assert round(0.3 * step / BATCH, 12) in ends, "the forward pass comes first"
    said = texts(plots.image_seconds(table))
    assert CONTROL not in said
    assert {"forward", "backward", "optimizer", "whole step", "noise floor (A/A)"} <= set(said.split("\n"))


def test_the_noise_floor_is_drawn_around_the_baseline(timed: Run) -> None:
    table = timed.analysis.speed.query("workload == 'speed' and mode == 'train'")
    axis = plots.image_seconds(table).axes[0]
    per_image = pooled(timed, "speed", "train", BASELINE, "step_seconds") / BATCH
    floor = 1 + table["noise_floor"].iloc[0]
    drawn = sorted(float(np.asarray(line.get_xdata())[0]) for line in axis.lines)
    assert drawn == pytest.approx([per_image / floor, per_image * floor])


def test_a_sweep_is_a_line_over_its_batch_sizes(timed: Run) -> None:
    members = timed.analysis.study.sweeps
    assert members == {"speed": "speed", "speed-batch-8": "speed", "speed-batch-128": "speed"}
    table = timed.speed()
    figure = plots.batch_sweep(table)
    line = next(line for line in figure.axes[0].lines if line.get_label() == STEM)
    assert list(np.asarray(line.get_xdata())) == [8, 32, 128]
    rates = [
        batch / pooled(timed, name, "train", STEM, "step_seconds")
        for batch, name in ((8, "speed-batch-8"), (32, "speed"), (128, "speed-batch-128"))
    ]
    assert np.asarray(line.get_ydata()) == pytest.approx(rates)
    many = [table.assign(arm=f"arm-{i}", role="arm") for i in range(30)]
    assert "other arms" in texts(plots.batch_sweep(pd.concat([table, *many])))


def test_figures_without_data_say_so(timed: Run) -> None:
    nothing = timed.analysis.speed.iloc[:0]
    assert "No throughput" in texts(plots.image_seconds(nothing))
    assert "No sweep" in texts(plots.batch_sweep(nothing))


def test_the_tradeoff_shades_the_noise_floor_of_both_axes(run: Run) -> None:
    effects = run.effects()
    axis = plots.tradeoff(run.analysis.study, effects).axes[0]
    boxes = [patch.get_path().get_extents(patch.get_patch_transform()) for patch in axis.patches]
    noise = run.analysis.noise_floor.query("mode != 'inference'").set_index("metric")
    cost = 1 + float(noise["noise_floor"]["step_seconds"])
    gain = float(noise["half_width"]["test_accuracy"])
    assert (boxes[0].x0, boxes[0].x1) == pytest.approx((1 / cost, cost))
    assert (boxes[1].y0, boxes[1].y1) == pytest.approx((-gain, gain))
    assert "noise floor" in texts(plots.tradeoff(run.analysis.study, effects))
    assert "noise floor" not in texts(plots.tradeoff(run.analysis.study, effects.assign(noise_floor=np.nan)))


def test_curves_carry_a_bar_as_high_as_the_noise_floor(run: Run) -> None:
    figure = plots.convergence_curves(run.analysis.curves, noise=run.analysis.noise_floor)
    noise = float(run.analysis.noise_floor.set_index("metric")["half_width"]["validation_accuracy"])
    bar = figure.axes[0].containers[0].lines[2][0]  # type: ignore[attr-defined]
    ((_, low), (_, high)) = bar.get_segments()[0]
    assert high - low == pytest.approx(2 * noise)
    assert "noise floor" in texts(figure)
    assert "noise floor" not in texts(plots.convergence_curves(run.analysis.curves))


def test_a_run_without_any_throughput_has_neither_section_nor_table(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", Plan(seeds=2))
    for file in (path / "records").glob("throughput*"):
        file.unlink()
    report = results.load(path).report()
    assert not (path / "report" / "tables" / "throughput.csv").exists()
    assert 'id="throughput"' not in report.index.read_text(encoding="utf-8")
