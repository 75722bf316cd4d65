"""From a study to trials: a pure function, held to what it promises."""

import json
from pathlib import Path

import pytest

from runners import study, study_file
from runners.outcomes import NotApplicable, make_variant
from runners.plan import Plan, plan
from runners.trial import trial_from_json

MEMORY = '\n[[workloads]]\nkind = "memory"\nlevels = { depth = 18, width = 4 }\nimage_size = 32\n'


def planned(tmp_path: Path, text: str) -> Plan:
    path = tmp_path / "study.toml"
    path.write_text(text)
    return plan(study.load(str(path)))


@pytest.mark.parametrize("name", sorted(study_file.studies()))
def test_every_built_in_study_plans(name: str) -> None:
    found = plan(study.load(name), cores=2)
    assert found.study.question.endswith("?")
    assert len({trial.id for trial in found.trials}) == len(found.trials)
    for workload in found.study.workloads:
        arms = [{arm.name for arm in t.arms} for t in found.trials if t.workload == workload]
        assert set().union(*arms) == set(workload.variants)
        if workload.block_unit != "exact" and not workload.belongs_to("rate_search"):
            assert workload.replicates >= 6, "no verdict below six blocks"


def test_a_factorial_design_has_every_combination_and_those_that_cannot_be_are_let_through(
    tmp_path: Path,
) -> None:
    text = 'architecture = "resnet"\ndesign = "full-factorial"\n[factors]\npool = ["max", "average"]\n'
    found = planned(tmp_path, text + "pool_dilation = [1, 2]\n" + MEMORY)
    assert [arm.name for arm in found.study.arms] == [
        "baseline",
        "(control)",
        "pool_dilation=2",
        "pool=average",
        "pool=average,pool_dilation=2",
    ]
    (impossible,) = {
        trial.arms[0]
        for trial in found.trials
        if trial.arms[0].name == "pool=average,pool_dilation=2" and trial.workload.kind == "memory"
    }
    with pytest.raises(NotApplicable, match="pool=average has no dilation"):
        make_variant(impossible)


def test_the_studys_baseline_is_the_first_level_not_the_architectures(tmp_path: Path) -> None:
    found = planned(tmp_path, 'architecture = "resnet"\n[factors]\nnorm = ["group", "batch"]\n' + MEMORY)
    memory = next(workload for workload in found.study.workloads if workload.kind == "memory")
    assert memory.variants["baseline"] == "resnet:depth=18,norm=group,width=4"
    assert memory.variants["norm=batch"] == "resnet:depth=18,width=4"


def test_complexity_is_observed_once_for_each_context(tmp_path: Path) -> None:
    text = 'architecture = "resnet"\n[factors]\nrelu = ["inplace", "out_of_place"]\n'
    found = planned(tmp_path, text + MEMORY + MEMORY.replace("[[workloads]]", '[[workloads]]\nname = "two"'))
    assert [workload.name for workload in found.study.workloads] == ["complexity-32px", "memory", "two"]


def test_a_changed_level_margin_or_seed_changes_the_ids_that_it_concerns(tmp_path: Path) -> None:
    text = 'architecture = "resnet"\nseed = 1\n[factors]\nrelu = ["inplace", "out_of_place"]\n'
    ids = {trial.id for trial in planned(tmp_path, text + MEMORY).trials}
    assert ids == {trial.id for trial in planned(tmp_path, text + MEMORY).trials}
    assert ids == {t.id for t in planned(tmp_path, text + "[margins]\npeak_bytes = 0.1\n" + MEMORY).trials}
    assert not ids & {t.id for t in planned(tmp_path, text.replace("seed = 1", "seed = 2") + MEMORY).trials}
    other = {trial.id for trial in planned(tmp_path, text + MEMORY.replace("width = 4", "width = 8")).trials}
    assert not ids & other


def test_a_trial_survives_the_way_to_its_process(tmp_path: Path) -> None:
    found = planned(tmp_path, 'architecture = "resnet"\n[factors]\nnorm = ["batch", "none"]\n' + MEMORY)
    for trial in found.trials:
        assert trial_from_json(json.loads(json.dumps(trial.to_json()))) == trial


def test_companions_come_after_the_workload_that_they_belong_to(tmp_path: Path) -> None:
    text = 'architecture = "resnet"\n[factors]\nrelu = ["inplace", "out_of_place"]\n'
    text += '[[workloads]]\nkind = "throughput"\nlevels = { depth = 18, width = 4 }\nimage_size = 32\n'
    found = planned(tmp_path, text + 'batch_sizes = [1, 8]\ncards = ["1gib"]\nspot_check = 2\n' + MEMORY)
    assert [(w.name, w.relation.kind if w.relation else None) for w in found.study.workloads] == [
        ("complexity-32px", None),
        ("throughput", None),
        ("throughput-batch-1", "sweep"),
        ("throughput-batch-8", "sweep"),
        ("throughput-1GiB", "equal_memory"),
        ("throughput-isolated", "spot_check"),
        ("memory", None),
    ]


def test_complexity_takes_a_name_that_is_free(tmp_path: Path) -> None:
    text = 'architecture = "resnet"\n[factors]\nrelu = ["inplace", "out_of_place"]\n'
    named = MEMORY.replace("[[workloads]]", '[[workloads]]\nname = "complexity-32px"')
    other = MEMORY.replace("[[workloads]]", '[[workloads]]\nname = "complexity-complexity-32px"')
    found = planned(tmp_path, text + named + other)
    assert found.study.workloads[0].kind == "complexity"
    assert found.study.workloads[0].name == "complexity-complexity-32px-2"


def test_conditions_are_what_is_not_as_usual(tmp_path: Path) -> None:
    text = 'architecture = "resnet"\n[factors]\nrelu = ["inplace", "out_of_place"]\n'
    found = planned(tmp_path, text + MEMORY + "channels_last = true\n")
    assert [workload.conditions for workload in found.study.workloads] == ["", "channels-last"]
