"""How much of a training goes to looking at it, and the line that says when that is too much."""

from typing import Any

import pytest

from runners import datasets
from runners.plan import plan
from runners.probes.convergence.evaluation import images
from runners.probes.convergence.settings import ConvergenceSettings
from runners.study import Overrides, load

LEAN = {"dataset": "digits", "epochs": 200, "evaluations": 20, "validation_images": 100}


def settings(**given: Any) -> ConvergenceSettings:
    return ConvergenceSettings.model_validate({"kind": "convergence", "name": "trained", **LEAN, **given})


def test_images_are_counted_as_often_as_they_are_used() -> None:
    digits = datasets.get("digits")
    trained, validated, tested = images(settings())
    assert (trained, validated, tested) == (200 * (digits.development_size - 100), 20 * 100, 719)
    assert images(settings(train_images=64))[0] == 200 * 64
    assert images(settings(evaluations=None))[1] == 200 * 100, "once an epoch"
    assert images(settings(validation_images=None))[1] == 20 * round(0.2 * digits.development_size)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, False),
        ({"evaluations": None, "validation_images": 500, "epochs": 100}, True),
        ({"epochs": 1, "validation_images": 500}, False),  # much of it, and yet a second
    ],
    ids=["lean", "costly", "short"],
)
def test_a_line_says_when_looking_takes_more_than_a_tenth(given: dict[str, Any], told: bool) -> None:
    assert bool(settings(**given).warnings) == told


def test_the_plan_says_it_of_the_workload(tmp_path: Any) -> None:
    (tmp_path / "study.toml").write_text("""
architecture = "resnet"
[factors]
pool = ["max", "average"]
[[workloads]]
kind = "convergence"
levels = { depth = 18, width = 2 }
image_size = 8
epochs = 100
validation_images = 500
""")
    study = load(str(tmp_path / "study.toml"), Overrides())
    (warning,) = plan(study, device="cpu", cores=2, macs_per_second=1e10).warnings
    # 50,000 validation images and 719 for testing beside three passes over 100 times 578.
    assert warning.startswith("workload convergence: evaluation takes about 23 % of a training (50,000")
