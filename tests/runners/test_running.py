"""How a network is run: a factor's level and a workload's key do the same, and each arm has its own."""

from pathlib import Path

import pytest
import torch

import ablations
import results
from runners import study
from runners.errors import BadInput
from runners.outcomes import NotApplicable
from runners.plan import plan
from runners.probes.convergence.settings import ConvergenceSettings
from runners.probes.memory.settings import MemorySettings
from runners.probes.throughput.settings import ThroughputSettings
from runners.running import Running
from runners.workload_settings import RunningSettings
from tests.runners.trained_runs import run

SPEC = "resnet:depth=18,width=8"
OTHERWISE = {
    "precision": ("fp32", "bf16-autocast"),
    "channels_last": ("false", "true"),
    "checkpointing": ("false", "true"),
}
SETTINGS: tuple[type[RunningSettings], ...] = (MemorySettings, ThroughputSettings, ConvergenceSettings)


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_variants_level_is_as_if_the_workload_said_so_and_silence_leaves_it(
    settings: type[RunningSettings],
) -> None:
    for name, levels in OTHERWISE.items():
        for said in levels:
            key = said == "true" if said in ("false", "true") else said
            for workload in (settings(kind="any"), settings.model_validate({"kind": "any", name: key})):
                variant = ablations.variant(f"{SPEC},{name}={said}")
                assert getattr(workload.of(dict(variant.levels)), name) == key
                assert workload.of(dict(ablations.variant(SPEC).levels)) == workload


def test_what_a_workload_cannot_do_is_said_and_asking_it_not_to_is_none_of_it() -> None:
    workload = ConvergenceSettings(kind="convergence")
    folded = ablations.variant(f"{SPEC},fold_batchnorm=true")
    with pytest.raises(
        NotApplicable, match=r"^fold_batchnorm changes nothing in a workload of kind convergence$"
    ):
        workload.of(dict(folded.levels))
    assert workload.of(dict(ablations.variant(f"{SPEC},fold_batchnorm=false").levels)) == workload


def test_a_running_network_is_what_its_settings_say() -> None:
    images = torch.rand(2, 3, 32, 32)
    for precision, weight, output in (
        ("fp32", torch.float32, torch.float32),
        ("bf16", torch.bfloat16, torch.bfloat16),
        ("bf16-autocast", torch.float32, torch.bfloat16),
    ):
        settings = RunningSettings.model_validate(
            {"kind": "any", "precision": precision, "channels_last": True}
        )
        running = Running.of(settings, "cpu")
        network = running.network(ablations.build(SPEC))
        with running.context():
            logits = network(running.images(images))
        first = next(network.parameters())
        assert (first.dtype, logits.dtype) == (weight, output)
        assert first.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("settings", SETTINGS)
def test_what_is_not_as_usual_is_said_with_the_context(settings: type[RunningSettings]) -> None:
    said = {"kind": "any", "checkpointing": True, "precision": "bf16"}
    for words in ("checkpointed", "bf16"):
        assert words in settings.model_validate(said).conditions.split(", ")
        assert words not in settings.model_validate({"kind": "any"}).conditions


def test_one_name_is_not_said_twice(tmp_path: Path) -> None:
    path = tmp_path / "twice.toml"
    path.write_text(
        'architecture = "resnet"\nfactors.precision = ["fp32", "bf16-autocast"]\n'
        '[[workloads]]\nkind = "memory"\nprecision = "bf16"\n'
    )
    with pytest.raises(BadInput, match="'precision' is compared in \\[factors\\] already; leave it out"):
        study.load(str(path))


def test_levels_that_all_arms_share_are_on_record_as_the_key_would_be(tmp_path: Path) -> None:
    path = tmp_path / "levels.toml"
    head = 'architecture = "resnet"\nfactors.stem = ["shallow", "deep32"]\n[[workloads]]\nkind = "memory"\n'
    path.write_text(f'{head}levels = {{ depth = 18, precision = "bf16", channels_last = true }}\n')
    (workload,) = (w for w in plan(study.load(str(path))).study.workloads if w.kind == "memory")
    assert (workload.precision, workload.conditions) == ("bf16", "bf16, channels-last")
    path.write_text(f'{head}precision = "fp32"\nlevels = {{ precision = "bf16" }}\n')
    with pytest.raises(BadInput, match="'precision' is a key and one of its levels; leave it out of one"):
        study.load(str(path))


STUDY = """
architecture = "resnet"
[factors]
precision = ["fp32", "bf16-autocast"]
checkpointing = ["false", "true"]
fold_batchnorm = ["false", "true"]
[[workloads]]
kind = "memory"
image_size = 64
batch_size = 32
levels = { depth = 18, width = 8 }
[[workloads]]
kind = "convergence"
image_size = 16
epochs = 1
train_images = 64
batch_size = 32
validation_images = 20
seeds = 1
levels = { depth = 18, width = 8 }
[[workloads]]
kind = "throughput"
image_size = 16
batch_size = 2
processes = 1
arm_seconds = 0.05
threads = 1
levels = { depth = 18, width = 8 }
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> results.Run:
    folder = tmp_path_factory.mktemp("running")
    (folder / "how.toml").write_text(STUDY)
    run(plan(study.load(str(folder / "how.toml"))), folder / "run")
    return results.load(folder / "run")


def test_a_study_compares_how_networks_are_run(found: results.Run) -> None:
    trials = found.trials().set_index(["workload", "arm"])["status"]
    other = trials[trials != "ok"]
    assert other.to_dict() == {("convergence", "fold_batchnorm=true"): "not_applicable"}
    effects = found.effects()
    assert not effects["inert"].any()
    peak = effects[effects["metric"] == "peak_bytes"].set_index(["arm", "mode"])["effect"]
    assert peak["precision=bf16-autocast", "train"] < 1 > peak["checkpointing=true", "train"]
    assert peak["checkpointing=true", "inference"] == 1 > peak["fold_batchnorm=true", "inference"]
    scores = effects[effects["metric"] == "test_true_class_probability"].set_index("arm")["effect"]
    assert scores["checkpointing=true"] == 0 != scores["precision=bf16-autocast"]
