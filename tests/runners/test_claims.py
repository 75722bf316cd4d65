"""Claims tied to contrasts and checks before a run, and what is expected of them afterwards."""

import csv
import itertools
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import results
from runners import expected, sources, study
from runners.errors import BadInput
from runners.plan import Plan, plan
from runners.study import Overrides
from tests.ablations.claims.test_sources import HOLDS, WALKTHROUGH
from tests.results.planted import Plan as Planted
from tests.results.verdicts.test_claims import claiming
from tests.runners.study_files import write_study

OTHER = '''
"""A network with stems of its own."""
from typing import Literal

from torch import nn

from ablations import architecture


@architecture
def otherstem(
    *, stem: Literal["tall", "broad"] = "tall", in_channels: Literal[3] = 3, num_classes: Literal[10] = 10
) -> nn.Module:
    """A network with stems of its own.

    Args:
        stem: How it begins.
        in_channels: Of the image.
        num_classes: Of the output.
    """
    kernel = (3, 1) if stem == "tall" else (1, 3)
    return nn.Sequential(
        nn.Conv2d(in_channels, 4, kernel), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, num_classes)
    )
'''


def planned(
    folder: Path, factors: dict[str, list[Any]], workloads: list[dict[str, Any]], **keys: object
) -> Plan:
    content = {"architecture": "resnet", "factors": factors, "workloads": workloads, "claims": ["all"]}
    return plan(study.load(str(write_study(folder / "mine.toml", content | keys))))


def test_a_claim_is_tied_to_the_arm_that_has_its_change_also_the_other_way_round(tmp_path: Path) -> None:
    memory = {"kind": "memory", "levels": {"depth": 18, "width": 4}, "image_size": 32}
    for levels, turned in ((["inplace", "out_of_place"], True), (["out_of_place", "inplace"], False)):
        found = {c.name: c for c in planned(tmp_path, {"relu": levels}, [memory]).study.claims}
        one = found["inplace-saves-memory-in-training"]
        assert (one.workload, one.arm, one.turned) == ("memory", f"relu={levels[1]}", turned)
    assert found["inplace-saves-time"].reason == "this study has no workload of kind throughput"
    assert found["mishkin-kernel2"].reason == "this study does not compare pool_kernel"
    assert found["pspnet-pyramid"].reason == "about pspnet, which `ablate run pspnet` trains"
    assert found["inplace-overwrites"].reason == "this study has no workload of kind checks"


def test_a_network_with_other_levels_of_a_factor_is_no_place_for_a_claim(tmp_path: Path) -> None:
    pooled = planned(tmp_path, {"pool_kernel": [3, 5]}, [{"kind": "memory", "levels": {"width": 4}}])
    found = {c.name: c for c in pooled.study.claims}
    assert found["mishkin-kernel2"].reason == "this study does not set pool_kernel = 2 against 3"
    (tmp_path / "other.py").write_text(OTHER)
    given: dict[str, Any] = {"architecture": "otherstem", "plugins": ["other.py"]}
    stems = planned(tmp_path, {"stem": ["tall", "broad"]}, [{"kind": "memory", "image_size": 8}], **given)
    found = {c.name: c for c in stems.study.claims}
    assert found["timm-deep64-time"].reason == "stem of otherstem has other levels than these"


def test_a_check_that_is_changed_is_looked_at_anew() -> None:
    names = {path.name for path in sources.trial_sources("checks", "resnet", None, ())}
    assert {"walkthrough.py", "operator_checks.py"} <= names


def test_a_source_that_there_is_not_is_a_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        planned(tmp_path, {"stem": ["shallow", "deep64"]}, [{"kind": "checks"}], claims=["tim"])
    assert caught.value.lines == ("study mine: claims: no source 'tim'; did you mean 'timm'?",)


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of checks and memory, run by the command."""
    folder = tmp_path_factory.mktemp("claims")
    memory = {"kind": "memory", "levels": {"depth": 18, "width": 4}, "image_size": 32, "batch_size": 2}
    content: dict[str, Any] = {"architecture": "resnet", "claims": ["walkthrough"]}
    content |= {"workloads": [{"kind": "checks"}, memory]}
    content |= {"factors": {"relu": ["inplace", "out_of_place"]}}
    ablate(folder, "run", str(write_study(folder / "mine.toml", content)), "--quiet")
    return folder


def ablate(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "runners", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)


def test_checks_run_once_and_their_findings_stand_in_the_report(checked: Path) -> None:
    run = results.load(checked / "runs" / "mine")
    trials = run.trials()
    assert len(trials[trials["workload"] == "checks"]) == 1, "they belong to no arm in particular"
    rows = run.claims().set_index("claim")
    verdicts = rows["verdict"].to_dict()
    for name, holds in HOLDS.items():
        assert verdicts[name] == ("supported" if holds else "contradicted")
    assert verdicts["inplace-saves-time"] == "not run"
    ratio = run.effects().query("metric == 'peak_bytes' and mode == 'train' and source == 'simulated'")
    measured = float(rows["effect"].to_dict()["inplace-saves-memory-in-training"])
    assert measured == pytest.approx(1 / float(ratio["effect"].iloc[0]))
    page = (checked / "runs" / "mine" / "report" / "index.html").read_text(encoding="utf-8")
    assert "max pooling of an image of -5 gives -5 at the border" in page
    assert '<a href="#memory">' in page, "the evidence one click away"


def test_a_claim_that_flips_is_said_and_exits_with_3(checked: Path) -> None:
    table = checked / "runs" / "mine" / "report" / "tables" / "claims.csv"
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    as_it_was, flipped = checked / "was.csv", checked / "flipped.csv"
    for path, change in ((as_it_was, {}), (flipped, {"pool-padding-zeros": "supported"})):
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["claim", "verdict"])
            writer.writerows([row["claim"], change.get(row["claim"], row["verdict"])] for row in rows)
    study_file = str(checked / "mine.toml")
    assert ablate(checked, "run", study_file, "--quiet", "--expect", str(as_it_was)).returncode == 0
    found = ablate(checked, "run", study_file, "--quiet", "--expect", str(flipped))
    assert found.returncode == 3
    assert "claim pool-padding-zeros is contradicted, expected supported: max pooling" in found.stderr


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("claim,wrong\na,b\n", "expected a CSV with the columns claim and verdict, such as claims.csv"),
        ("claim,verdict\na,suported\n", "a: no verdict 'suported'; did you mean 'supported'?"),
        ("", "expected a CSV with the columns claim and verdict, such as claims.csv"),
    ],
)
def test_expectations_that_cannot_be_read_are_a_line(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "expected.csv"
    path.write_text(text)
    with pytest.raises(BadInput) as caught:
        expected.read(path)
    assert caught.value.lines == (f"--expect {path}: {line}",)


def test_expecting_a_claim_that_is_not_declared_is_a_line() -> None:
    with pytest.raises(BadInput, match="no claim 'pool-padding-zero' in this study; did you mean"):
        expected.checked({"pool-padding-zero": frozenset()}, ["pool-padding-zeros"])


def test_the_built_in_study_ties_every_published_claim_that_it_can() -> None:
    found = plan(study.load("claims", Overrides(replicates=6))).study
    contexts = [w.input_size for w in found.workloads if w.kind == "complexity"]
    assert sorted(contexts) == [32, 64, 224], "checks have no context of their own"
    tied = [one for one in found.claims if not one.reason]
    published = [one for one in tied if one.source != WALKTHROUGH.title]
    assert len(published) >= 15
    assert {one.name for one in tied} >= {c.name for c in WALKTHROUGH.claims} | {
        c.name for c in WALKTHROUGH.checks
    }
    assert len(set(itertools.chain(one.name for one in found.claims))) == len(found.claims)
    assert math.isclose(sum(one.name.startswith("timm") for one in tied), 8)


def test_a_claim_flips_only_where_it_was_run(tmp_path: Path) -> None:
    path = tmp_path / "run"
    run = claiming(path, Planted(environments=("laptop-1", "server-2")))
    assert not list(expected.flips(run, {"bits": frozenset({"supported"})}))
    for file in (path / "records").glob("digits-32-*server-2*"):
        file.unlink()
    run = results.load(path)
    assert set(run.claims().query("claim == 'bits'")["verdict"]) == {"supported", "not run"}
    assert not list(expected.flips(run, {"bits": frozenset({"supported"})}))
    (line,) = expected.flips(run, {"bits": frozenset({"contradicted"})})
    assert line.startswith("claim bits is supported, expected contradicted")
