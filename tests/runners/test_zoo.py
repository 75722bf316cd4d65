"""Libraries' networks in studies: what a change could not touch is said, and every probe runs on them."""

from pathlib import Path

import pytest

import results
from runners import study
from runners.errors import BadInput
from runners.plan import plan
from runners.terminal.listings import rows
from runners.terminal.shown_variant import facts
from tests.runners.trained_runs import run

STUDY = """
architecture = "{name}"
[factors]
relu = ["own", "out_of_place"]
norm = ["own", "group"]
[[workloads]]
kind = "memory"
image_size = 64
batch_size = 2
levels = {{ num_classes = 10 }}
[[workloads]]
kind = "throughput"
image_size = 32
batch_size = 2
processes = 2
arm_seconds = 0.05
threads = 1
levels = {{ num_classes = 10 }}
[[workloads]]
kind = "convergence"
image_size = 32
epochs = 1
train_images = 32
batch_size = 16
validation_images = 20
seeds = 1
"""

FAMILIES = (
    "torchvision.mobilenet_v3_small",
    "torchvision.vgg11_bn",
    "torchvision.resnext50_32x4d",
    "timm.resnet18",
    "timm.convnext_atto",
)


def test_what_a_change_could_not_touch_is_said_before_anything_runs(tmp_path: Path) -> None:
    said = "norm leaves 18 LayerNorm as they are"
    assert facts("torchvision.convnext_tiny:norm=batch", 64)["untouched"] == [said]
    assert "untouched" not in facts("torchvision.mobilenet_v3_small:norm=group", 64)
    left = "fold_batchnorm leaves 62 BatchNorm2d as they are"  # those that stand before their convolutions
    assert facts("torchvision.densenet121:fold_batchnorm=true", 64)["untouched"] == [left]
    assert "untouched" not in facts("torchvision.mobilenet_v3_small:fold_batchnorm=true", 64)
    path = tmp_path / "mine.toml"
    path.write_text(
        """
        architecture = "torchvision.convnext_tiny"
        factors.norm = ["own", "batch"]
        [[workloads]]
        kind = "memory"
        image_size = 64
        """
    )
    found = study.load(str(path))
    planned = plan(found)
    assert f"arm norm=batch: {said}" in planned.warnings


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_every_probe_runs_on_a_librarys_network(name: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(STUDY.format(name=name))
    run(plan(study.load(str(path))), tmp_path / "run")
    found = results.load(tmp_path / "run")
    assert set(found.trials()["status"]) == {"ok"}
    effects = found.effects()
    measured = {(row.workload, row.arm) for row in effects.itertuples()}
    for workload in ("memory", "throughput", "convergence"):
        assert {(workload, "relu=out_of_place"), (workload, "norm=group")} <= measured
    placebo = effects[(effects["arm"] == "relu=out_of_place") & (effects["metric"] == "test_accuracy")]
    assert set(placebo["effect"]) == {0.0}
    peak = effects[(effects["arm"] == "relu=out_of_place") & (effects["metric"] == "peak_bytes")]
    assert (peak["effect"] >= 1).all(), "what is not overwritten takes memory"


def test_levels_of_a_librarys_network_are_listed_by_its_name() -> None:
    found = {row["factor"]: row for row in rows("factors", "timm.resnet18")}
    assert {"relu", "activation", "norm", "pool", "checkpointing"} <= found.keys()
    assert found["norm"]["levels"] == "own, batch, none, group, frozen"
    assert {row["architecture"] for row in rows("factors")} >= {"resnet", "torchvision.MODEL", "any"}
    with pytest.raises(BadInput, match=r"timm has no network 'resnet81'; did you mean"):
        rows("factors", "timm.resnet81")
    with pytest.raises(BadInput, match=r"^list studies takes no name, found 'quick'; list factors does$"):
        rows("studies", "quick")
