"""Networks that label pixels: scored as scikit-learn scores them, trained, recorded and reported."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, jaccard_score, log_loss
from torch import Tensor, nn

import results
from results.records.resolved_study import read_study
from results.verdicts.events import events_of
from runners import study
from runners.datasets import IGNORED
from runners.images import Images, standardizing
from runners.plan import plan
from runners.probes import convergence
from runners.probes.convergence.course import Course, Scores, evaluate, intersection_over_union
from runners.probes.convergence.findings import findings
from runners.probes.convergence.settings import ConvergenceSettings
from runners.running import Running
from runners.trial import Trial
from tests.runners.trained_runs import run

CLASSES = 4


class Given(nn.Module):
    """Gives logits that were drawn, batch after batch."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits, self.given = logits, 0

    def forward(self, images: Tensor) -> Tensor:
        self.given += len(images)
        return self.logits[self.given - len(images) : self.given]


def test_scores_are_scikit_learns_over_the_pixels_that_count() -> None:
    draw = torch.Generator().manual_seed(0)
    count, side = 7, 400  # two batches
    labels = torch.randint(CLASSES, (count, side, side), generator=draw, dtype=torch.uint8)
    labels[:3, :50] = IGNORED
    logits = torch.randn(count, CLASSES, side, side, generator=draw)
    pixels = torch.zeros(count, 1, side, side, dtype=torch.uint8)
    images = Images(pixels, labels, standardizing(torch.zeros(1), torch.ones(1), side))
    scores = evaluate(
        Given(logits), images, Running("fp32", torch.contiguous_format, checkpointing=False, device="cpu")
    )

    counted = (labels != IGNORED).flatten().numpy()
    truth = labels.flatten().numpy()[counted]
    shares = logits.softmax(1).permute(0, 2, 3, 1).reshape(-1, CLASSES).numpy()[counted]
    told = shares.argmax(1)
    each = jaccard_score(truth, told, average=None)
    assert scores.of_pixels
    assert scores.accuracy == pytest.approx(accuracy_score(truth, told))
    assert scores.mean_iou == pytest.approx(each.mean())
    assert scores.foreground_iou == pytest.approx(each[1:].mean())
    assert scores.cross_entropy == pytest.approx(log_loss(truth, shares, labels=range(CLASSES)), rel=1e-5)
    assert scores.true_class_probability == pytest.approx(
        shares[np.arange(len(truth)), truth].mean(), rel=1e-5
    )


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_the_mean_is_over_classes_that_are_there_or_were_given(pairs: list[tuple[int, int]]) -> None:
    truth, told = (np.array(side) for side in zip(*pairs, strict=True))
    confusion = torch.zeros(CLASSES, CLASSES, dtype=torch.int64)
    for pair in pairs:
        confusion[pair] += 1
    found = intersection_over_union(confusion)
    seen = sorted({*truth.tolist(), *told.tolist()})
    for name, classes in (("mean_iou", seen), ("foreground_iou", [one for one in seen if one])):
        if classes:
            expected = jaccard_score(truth, told, labels=classes, average="macro", zero_division=0)
            assert found[name] == pytest.approx(expected)
        else:
            assert math.isnan(found[name])


STUDY = """
architecture = "pspnet"
[factors]
shortcut = ["inplace", "out_of_place"]
pyramid = ["1-2-3-6", "none"]
[[workloads]]
kind = "convergence"
levels = { depth = 18, width = 4 }
dataset = "scenes"
image_size = 33
epochs = 2
train_images = 32
batch_size = 16
learning_rate = 0.1
augmentation = "shift"
seeds = 1
target = 0.05
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    (folder / "scenes.toml").write_text(STUDY)
    run(plan(study.load(str(folder / "scenes.toml"))), folder / "run")
    return folder / "run"


def test_a_study_of_pixels_ends_in_a_report_on_mean_iou(out: Path) -> None:
    found = results.load(out)
    assert set(found.trials()["status"]) == {"ok"}
    effects = found.effects()
    trained = effects[effects["workload"] == "convergence"]
    assert {"test_mean_iou", "test_foreground_iou", "test_pixel_accuracy"} <= set(trained["metric"])
    assert not {"test_accuracy", "test_true_class_probability"} & set(trained["metric"])
    placebo = trained[(trained["factor"] == "shortcut") & (trained["metric"] == "test_mean_iou")]
    assert set(placebo["effect"]) == {0.0}, "bit for bit, dropout and all"
    report = found.report().index
    page = report.read_text()
    assert "mean IoU" in page
    assert "pyramid=none" in page
    figures = {path.stem for path in (report.parent / "figures").glob("*.svg")}
    assert any("seeds" in name for name in figures)


def test_the_same_trial_gives_the_same_numbers(out: Path) -> None:
    planned = plan(study.load(str(out.parent / "scenes.toml"))).trials
    trial: Trial = next(
        t for t in planned if t.workload.kind == "convergence" and t.arms[0].name == "baseline"
    )
    torch.set_num_threads(1)
    first, again = (convergence.run(replace(trial)).outcomes[0] for _ in range(2))
    assert first == again
    assert {curve.metric for curve in first.curves} == {
        "validation_mean_iou",
        "validation_loss",
        "train_loss",
    }


def test_each_score_stands_under_its_name() -> None:
    course = Course(steps=[1], evaluations=[Scores(0.1, 0.2, 0.3, 0.4, 0.5)], train_losses=[0.6])
    found = findings(course, test=Scores(0.91, 0.92, 0.93, 0.94, 0.95), target=0.3, device="cpu")
    assert {measured.metric: measured.values for measured in found.measurements} == {
        "test_mean_iou": (0.94,),
        "test_foreground_iou": (0.95,),
        "test_pixel_accuracy": (0.91,),
        "test_pixel_cross_entropy": (0.93,),
        "validation_mean_iou": (0.4,),
        "train_loss": (0.6,),
        "steps_to_target": (1.0,),
    }


def test_seeds_are_added_until_the_mean_iou_of_pixels_is_known() -> None:
    for dataset, metric in (("scenes", "test_mean_iou"), ("digits", "test_accuracy")):
        stopping = ConvergenceSettings(kind="convergence", dataset=dataset, half_width=0.1).stopping
        assert stopping is not None
        assert stopping.metric == metric


def test_steps_to_a_target_are_those_of_the_mean_iou(out: Path) -> None:
    workload = next(w for w in read_study(out).workloads if w.kind == "convergence")
    curves = results.load(out).analysis.curves
    mine = curves[(curves["workload"] == workload.name) & (curves["metric"] == "validation_mean_iou")]
    found = events_of(workload, curves)
    for arm, rows in mine.groupby("arm"):
        for (_, course), until in zip(rows.groupby("block"), found[str(arm)].until, strict=True):
            reached = course[course["value"] >= workload.settings["target"]]["step"]
            assert until == reached.min() if len(reached) else math.isinf(until)
