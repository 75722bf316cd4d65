"""What is said of data sets before anything trains."""

from dataclasses import replace
from pathlib import Path

import pytest

from runners import data_checks, datasets, study
from runners.datasets import Dataset
from runners.errors import BadInput
from runners.plan import plan
from runners.probes.convergence.settings import ConvergenceSettings
from runners.workload_settings import WorkloadSettings


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """A data set named `mine`."""
    made = Dataset("mine", "none", 1, 2, 10, lambda _: (_, _), lambda: None)  # type: ignore[arg-type,return-value]
    monkeypatch.setattr(datasets.REGISTRY, "_brought", {"mine": (made, Path("mine.py"))})
    return made


def workloads(*names: str) -> list[WorkloadSettings]:
    return [ConvergenceSettings(kind="convergence", dataset=name) for name in names]


def bring(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    made = replace(datasets.get("mine"), **changes)  # type: ignore[arg-type]
    monkeypatch.setattr(datasets.REGISTRY, "_brought", {"mine": (made, Path("mine.py"))})


@pytest.mark.usefixtures("register")
@pytest.mark.parametrize(
    ("size", "points"), [(100, "±3.0"), (359, "±1.6"), (499, "±1.3"), (500, None), (None, None)]
)
def test_a_small_test_set_says_what_it_leaves_open(
    monkeypatch: pytest.MonkeyPatch, size: int | None, points: str | None
) -> None:
    bring(monkeypatch, test_size=size)
    found = list(data_checks.warnings([WorkloadSettings(kind="memory"), *workloads("mine", "mine")]))
    if points is None:
        assert found == []
        return
    (line,) = found
    assert line.startswith(
        f"data set mine: its {size} test images tell an accuracy of 90 % to {points} points"
    )


@pytest.mark.usefixtures("register")
def test_of_pixels_it_says_so_without_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    bring(monkeypatch, test_size=100, per_pixel=True)
    (line,) = data_checks.warnings(workloads("mine"))
    assert line == (
        "data set mine: what another 100 test images would say no number of seeds takes away;"
        " 500 or more say more"
    )


@pytest.mark.usefixtures("register")
def test_what_is_not_whole_is_a_mistake_and_what_is_odd_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def inspect() -> None:
        raise BadInput(["a: damaged", "b: damaged"])

    bring(monkeypatch, inspect=inspect, warnings=("c is left out",))
    assert list(data_checks.mistakes(workloads("digits", "mine", "mine"), "study s")) == [
        "study s: data set mine: a: damaged",
        "study s: data set mine: b: damaged",
    ]
    assert list(data_checks.warnings(workloads("mine"))) == ["data set mine: c is left out"]


def test_networks_that_differ_from_the_trained_ones_by_what_the_data_has_are_told(tmp_path: Path) -> None:
    text = (
        'architecture = "resnet"\nfactors.stem = ["shallow", "deep32"]\n'
        '[[workloads]]\nkind = "memory"\nimage_size = 32\nlevels = {{ depth = 18{levels} }}\n'
        '[[workloads]]\nkind = "convergence"\nimage_size = 32\nlevels = {{ depth = 18 }}\n'
    )
    path = tmp_path / "study.toml"

    def warned(levels: str) -> list[str]:
        path.write_text(text.format(levels=levels))
        return [line for line in plan(study.load(str(path))).warnings if "other networks" in line]

    said = "in_channels = 1, num_classes = 10"
    assert warned("") == [
        f"workload memory: other networks than convergence trains; levels = {{ {said} }} makes them the same"
    ]
    assert warned(f", {said}") == []
    assert warned(", num_classes = 1000") == [], "which was said"
    assert warned(", width = 16") == [], "which is another network in any case"
