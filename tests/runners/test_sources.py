"""The sources that a trial's id depends on: those it runs through, and no others."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from results.records.resolved_study import Workload
from runners import probes, sources
from runners.sources import PACKAGES, closure, digest, trial_sources
from runners.trial import Trial, TrialArm
from runners.trial_id import identified

ROOT = Path(__file__).parents[2]


def found(kind: str, *, dataset: str | None = None) -> set[str]:
    return {str(path.relative_to(ROOT)) for path in trial_sources(kind, "resnet", dataset, ())}


def trial(kind: str, **changes: object) -> Trial:
    """The baseline of a study, by itself."""
    settings = probes.get(kind).settings.model_validate({"kind": kind, "name": kind} | changes)
    workload = Workload(
        name=kind,
        kind=kind,
        block_unit="exact",
        replicates=1,
        variants={"baseline": "resnet"},
        input_size=settings.image_size,
        batch_size=None,
        precision="fp32",
        dataset=getattr(settings, "dataset", None),
        context="",
        settings=settings.model_dump(mode="json"),
    )
    arm = TrialArm("baseline", "resnet", "resnet:depth=50")
    return Trial("", workload, (arm,), "exact", 0, 0, "cpu", 1, False, 0, 1.0)


@pytest.mark.parametrize(
    ("kind", "needed"),
    [
        ("complexity", {"runners/operator_counts.py"}),
        ("memory", {"runners/memory/simulate.py", "runners/memory/measure.py", "runners/memory/story.py"}),
        ("throughput", {"runners/operator_counts.py", "runners/memory/fit.py", "runners/devices.py"}),
        ("convergence", {"runners/datasets/digits.py", "runners/images.py"}),
    ],
)
def test_a_trial_depends_on_what_it_runs_through(kind: str, needed: set[str]) -> None:
    those = found(kind, dataset="digits" if kind == "convergence" else None)
    own = {str(path.relative_to(ROOT)) for path in (ROOT / "runners" / "probes" / kind).glob("*.py")}
    shared = {
        "runners/execute.py",
        "runners/outcomes.py",
        "ablations/architectures/resnet.py",
        "ablations/building.py",
    }
    assert needed | own | shared <= those


@pytest.mark.parametrize("kind", sorted(probes.probes()))
def test_a_trial_depends_on_nothing_that_it_does_not_run_through(kind: str) -> None:
    those = found(kind)
    others = [f"runners/probes/{other}/" for other in probes.probes() if other != kind]
    strangers = (
        *("runners/terminal/", "runners/launchers/", "runners/__main__.py", "results/"),
        *("runners/study", "runners/plan.py", "runners/run.py", "runners/stages.py", "runners/sources.py"),
        *("runners/datasets/digits.py", "runners/datasets/fashion_mnist.py", "runners/rehearsal.py"),
        *others,
    )
    assert [path for path in those if path.startswith(strangers)] == []


def test_no_data_set_but_the_one_that_is_used() -> None:
    those = found("convergence", dataset="fashion-mnist")
    assert "runners/datasets/fashion_mnist.py" in those
    assert "runners/datasets/digits.py" not in those


EDITED = """
import json, sys
sys.path[:0] = sys.argv[1:3]  # the copy stands before the installed packages; the tests are ours
from pathlib import Path
from runners import probes, sources, trial_id
from tests.runners.test_sources import trial

def ids():
    for cached in (sources._imports, sources._content_digest, trial_id._sources):
        cached.cache_clear()
    return {kind: trial_id.identified(trial(kind)).id for kind in probes.probes()}

changed, before = {}, ids()
for name in sys.argv[3:]:
    with Path(sys.argv[1], name).open("a") as file:
        file.write("# edited\\n")
    after = ids()
    changed[name] = sorted(kind for kind in before if before[kind] != after[kind])
    before = after
print(json.dumps(changed))
"""


def test_an_edit_changes_the_ids_of_those_who_run_through_it(tmp_path: Path) -> None:
    """In a copy of the code, file after file."""
    for name in ("ablations", "runners", "results"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    every = sorted(probes.probes())
    expected = {
        "runners/terminal/progress.py": [],
        "runners/study.py": [],
        "runners/datasets/fashion_mnist.py": [],
        "results/records/record.py": [],
        "runners/datasets/digits.py": ["convergence"],
        "runners/operator_counts.py": ["complexity", "throughput"],
        "runners/memory/fit.py": ["memory", "throughput"],
        "runners/probes/convergence/new.py": ["convergence"],
        "runners/execute.py": every,
        "ablations/layers.py": every,
    }
    done = subprocess.run(
        [sys.executable, "-c", EDITED, str(tmp_path), str(ROOT), *expected],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert json.loads(done.stdout) == expected


def test_imports_are_followed_wherever_they_stand_but_not_those_for_types(tmp_path: Path) -> None:
    package = tmp_path / "pack"
    (package / "inner").mkdir(parents=True)
    for name, text in {
        "__init__.py": "",
        "start.py": (
            "import os\nfrom typing import TYPE_CHECKING\nfrom pack import plain\n"
            "if TYPE_CHECKING:\n    from pack import types_alone\nelse:\n    from pack import other\n"
            "class A:\n    def f(self):\n        try:\n            import pack.inner.deep\n"
            "        except ImportError:\n            from pack.rescue import something\n"
            "def g(x):\n    match x:\n        case 1:\n            with x:\n"
            "                from pack.last import y\n"
        ),
        "plain.py": "from pack.second import name\n",
        **dict.fromkeys(("types_alone.py", "other.py", "rescue.py", "last.py", "second.py", "unused.py"), ""),
        "inner/__init__.py": "from pack import start\n",
        "inner/deep.py": "",
    }.items():
        (package / name).write_text(text)
    those = {str(p.relative_to(package)) for p in closure([package / "start.py"], {"pack": package})}
    assert those == {
        *("__init__.py", "start.py", "plain.py", "second.py", "other.py", "rescue.py", "last.py"),
        *("inner/__init__.py", "inner/deep.py"),
    }


def test_a_digest_is_of_what_files_say_not_of_where_they_lie(tmp_path: Path) -> None:
    for folder, name, text in (
        ("a", "x", "1"),
        ("a", "y", "2"),
        ("b", "z", "2"),
        ("b", "w", "1"),
        ("c", "x", "3"),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_text(text)
    one, two, three = (digest((tmp_path / folder).iterdir()) for folder in "abc")
    assert one == two != three


@pytest.mark.parametrize(
    ("kind", "how_many"),
    [
        ("complexity", {}),
        ("memory", {}),
        (
            "convergence",
            {
                "seeds": 9,
                "baseline_seeds": 20,
                "max_seeds": 50,
                "half_width": 0.01,
                "pairing": "seed",
                "tune": (1.0, 3.0),
                "tuning_seeds": 5,
                "checkpoint_seconds": 5.0,
            },
        ),
        (
            "throughput",
            {
                "processes": 9,
                "half_width": 0.05,
                "max_processes": 20,
                "batch_sizes": (1, 8),
                "cards": ("1GiB",),
                "spot_check": 3,
            },
        ),
    ],
)
def test_how_many_blocks_and_companions_there_are_changes_no_id(
    kind: str, how_many: dict[str, object]
) -> None:
    assert how_many.keys() == probes.get(kind).settings.ONLY_HOW_MANY
    usual = identified(trial(kind)).id
    for key, value in how_many.items():
        assert identified(trial(kind, **{key: value})).id == usual


def test_another_card_is_another_trial_of_a_memory_workload() -> None:
    ids_ = {identified(trial("memory", cards=cards)).id for cards in ((), ("24GiB",), ("24GiB", "80GiB"))}
    assert len(ids_) == 3


@pytest.mark.parametrize("kind", sorted(probes.probes()))
def test_every_other_key_of_a_workload_is_part_of_the_id(kind: str) -> None:
    usual = trial(kind)
    settings = dict(usual.workload.settings)
    for key in settings.keys() - probes.get(kind).settings.ONLY_HOW_MANY:
        changed = replace(usual, workload=replace(usual.workload, settings=settings | {key: "changed"}))
        assert identified(changed).id != identified(usual).id, key


def test_the_sources_of_a_plan_are_found_in_no_time() -> None:
    code = (
        "import time\nfrom ablations import registry\nfrom runners import probes, sources\n"
        "registry.architectures(), probes.probes()\nstart = time.process_time()\n"
        "for kind in probes.probes():\n"
        "    sources.digest(sources.trial_sources(kind, 'resnet', 'digits', ()))\n"
        "print(time.process_time() - start)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert float(done.stdout) < 0.4  # 0.1 s of work; machines differ


def test_the_packages_are_where_they_are_said_to_be() -> None:
    assert {name: (path / "__init__.py").is_file() for name, path in PACKAGES.items()} == {
        "ablations": True,
        "runners": True,
    }
    assert sources.used("complexity", "resnet", None) == {
        ROOT / "runners" / "probes" / "complexity" / "__init__.py",
        ROOT / "ablations" / "architectures" / "resnet.py",
    }
