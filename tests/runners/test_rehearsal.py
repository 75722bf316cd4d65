"""Arms that cannot run: found before anything runs, and told apart from arms that merely need data."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ablations
from ablations import Level
from runners import rehearsal, study
from runners.errors import BadInput
from runners.operator_counts import complexity
from runners.plan import Plan, plan
from runners.rehearsal import Rehearsal, rehearse
from tests.runners.study_files import write_study, write_tiny

DATA = Path(__file__).parents[1] / "data"
CONVERGENCE = {"kind": "convergence", "image_size": 8}
MEMORY = {"kind": "memory", "image_size": 8}

Tiny = Callable[..., Rehearsal]


@pytest.fixture(scope="module", name="tiny")
def _tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    ablations.load_plugin(write_tiny(tmp_path_factory.mktemp("plugin"), "tiny_tried"))
    architecture = ablations.get("tiny_tried")

    def tried(image_size: int = 8, **changes: Level) -> Rehearsal:
        return rehearse(architecture, dict(architecture.variant(changes).levels), image_size)

    return tried


def test_an_arm_that_is_well_has_its_macs_and_no_problem(tiny: Tiny) -> None:
    # 3 channels in, 4 out, 8 x 8 pixels; then 4 features to 100 classes.
    assert tiny() == Rehearsal(3 * 4 * 8 * 8 + 4 * 100)


def test_the_macs_are_those_that_are_observed(tiny: Tiny) -> None:
    variant = ablations.variant("resnet:depth=18,stem=deep64,norm=group")
    tried = rehearse(ablations.get("resnet"), dict(variant.levels), 64)
    assert tried.macs == complexity(ablations.build(variant, device="meta"), 64).macs


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("key", r"KeyError: 'planted' \(tiny_tried.py:19\)"),
        ("channels", r"RuntimeError: Invalid channel dimensions \(tiny_tried.py:22\)"),
        ("training", r"RuntimeError: planted: not in training \(tiny_tried.py:24\)"),
        ("wrong_value", r"RuntimeError: planted: decided by a value \(tiny_tried.py:30\)"),
    ],
)
def test_what_fails_on_any_image_is_told_with_its_file_and_line(tiny: Tiny, fault: str, reason: str) -> None:
    problem = tiny(fault=fault).problem
    assert problem is not None
    assert problem.kind == "failing"
    assert re.fullmatch(reason, problem.reason), problem.reason


def test_a_network_that_decides_by_values_is_tried_with_some(tiny: Tiny) -> None:
    assert tiny(fault="value").problem is None


def test_a_network_that_takes_gradients_on_its_way_is_well(tiny: Tiny) -> None:
    assert tiny(fault="gradient").problem is None


def test_what_fails_in_one_mode_only_is_well_where_the_other_is_asked_for() -> None:
    architecture = ablations.get("tiny_tried")
    levels = dict(architecture.variant({"fault": "training"}).levels)
    assert rehearse(architecture, levels, 8, modes=frozenset({"inference"})).problem is None
    assert rehearse(architecture, levels, 8, modes=frozenset({"train"})).problem is not None


def test_images_that_are_too_small_are_told_from_a_network_that_takes_none(tiny: Tiny) -> None:
    problem = tiny(kernel=9).problem
    assert problem is not None
    assert problem.kind == "too small"
    assert problem.reason.startswith("an image of 8 px does not fit through the network: Calculated padded")


def test_a_batch_of_one_image_is_tried_where_that_is_the_workloads(tiny: Tiny) -> None:
    resnet = ablations.get("resnet")
    levels = dict(resnet.variant({"depth": 18, "width": 4}).levels)
    assert rehearse(resnet, levels, 32).problem is None
    problem = rehearse(resnet, levels, 32, images=1).problem  # BatchNorm sees maps of one pixel
    assert problem is not None
    assert "Expected more than 1 value per channel" in problem.reason


def test_a_variant_is_tried_once_a_process(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    first = tiny(kernel=5)
    monkeypatch.setattr(rehearsal, "complexity", None)
    assert tiny(kernel=5) is first


def planned(
    folder: Path, name: str, factors: object, *workloads: dict[str, Any], fault: str = "none"
) -> Plan:
    write_tiny(folder, name, fault=fault)
    content = {
        "architecture": name,
        "plugins": [f"{name}.py"],
        "factors": factors,
        "workloads": list(workloads),
    }
    return plan(study.load(str(write_study(folder / "mine.toml", content))))


def test_an_arm_that_fails_is_a_warning_and_runs_as_a_row(tmp_path: Path) -> None:
    found = planned(tmp_path, "tiny_some", {"fault": ["none", "key", "channels"]}, MEMORY, CONVERGENCE)
    said = tuple(line for line in found.warnings if line.startswith("arm "))
    assert said == (
        "arm fault=key will fail in memory, convergence: KeyError: 'planted' (tiny_some.py:19)",
        "arm fault=channels will fail in memory, convergence: RuntimeError: Invalid channel dimensions"
        " (tiny_some.py:22)",
    )
    assert {arm.name for trial in found.trials for arm in trial.arms} >= {"fault=key", "fault=channels"}


def test_where_every_arm_fails_in_the_same_way_the_study_is_at_fault(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        planned(tmp_path, "tiny_none", {"wide": [False, True]}, MEMORY, CONVERGENCE, fault="key")
    assert caught.value.lines == (
        "study mine, workload memory: every arm fails on images of 3x8x8:"
        " KeyError: 'planted' (tiny_none.py:19)",
        "study mine, workload convergence: every arm fails on images of 1x8x8:"
        " KeyError: 'planted' (tiny_none.py:19)",
    )


def test_a_workload_that_never_trains_asks_nothing_of_training(tmp_path: Path) -> None:
    inference = MEMORY | {"modes": ["inference"]}
    assert (
        planned(tmp_path, "tiny_untrained", {"wide": [False, True]}, inference, fault="training").warnings
        == ()
    )


def test_a_combination_that_only_the_design_makes_is_a_warning(tmp_path: Path) -> None:
    write_tiny(tmp_path, "tiny_design")
    content = {
        "architecture": "tiny_design",
        "plugins": ["tiny_design.py"],
        "design": "full-factorial",
        "factors": {"kernel": [1, 7], "wide": [False, True]},
        "workloads": [MEMORY],
    }
    found = plan(study.load(str(write_study(tmp_path / "mine.toml", content))))
    assert found.warnings == (
        "arm kernel=7,wide=true cannot be built in memory: variant tiny_design:kernel=7,wide=true:"
        " wide has no kernel of 7; set wide=false",
    )


def test_planted_faults_are_foretold_and_those_that_strike_later_are_not() -> None:
    (warning,) = plan(study.load(str(DATA / "planted.toml"))).warnings
    assert warning.startswith(
        "arm fault=raise will fail in memory, throughput, convergence: RuntimeError: planted:"
    )
    assert plan(study.load(str(DATA / "faults.toml"))).warnings == ()
