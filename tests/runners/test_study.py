"""Studies: all their mistakes at once, a clear line each, and levels in their one form."""

import datetime
import math
from pathlib import Path
from typing import Any

import pytest

from runners import study
from runners.errors import BadInput
from runners.plan import plan
from runners.study import Overrides, Study
from tests.runners.study_files import write_study, write_tiny

MEMORY = {"kind": "memory", "levels": {"depth": 18, "width": 4}, "image_size": 32}
STEMS = {"stem": ["shallow", "deep64"]}
CONVERGENCE = {"kind": "convergence", "levels": {"depth": 18, "width": 4}}


def load(folder: Path, factors: object, *workloads: dict[str, Any], **keys: object) -> Study:
    content = {"architecture": "resnet", "factors": factors, "workloads": list(workloads or (MEMORY,))}
    return study.load(str(write_study(folder / "mine.toml", content | keys)))


def refused(folder: Path, factors: object, *workloads: dict[str, Any], **keys: object) -> list[str]:
    with pytest.raises(BadInput) as caught:
        plan(load(folder, factors, *workloads, **keys))
    return [line.removeprefix("study mine") for line in caught.value.lines]


@pytest.mark.parametrize(
    ("factors", "lines"),
    [
        (
            {"pool_kernel": [3, [3, 3]]},
            [", factors: factor 'pool_kernel' has 3 and [3, 3], which is one level; name it once"],
        ),
        (
            {"pool_kernel": [3, "3x3", 5]},
            [", factors: factor 'pool_kernel' has 3 and '3x3', which is one level; name it once"],
        ),
        (
            {"pool_kernel": [3, 2.5]},
            [
                ", factors: factor 'pool_kernel' has no level '2.5': expected a whole number from 1 to 7,"
                " or a pair of them such as 3x2; nearest is 2"
            ],
        ),
        (
            {"output_stride": [32, 20.9]},
            [
                ", factors: factor 'output_stride' has no level '20.9': expected one of 32, 16, 8;"
                " nearest is 16"
            ],
        ),
        (
            {"stem": ["shallow", ""]},
            [", factors: factor 'stem' has no level ''; one of: deep32, deep64, shallow"],
        ),
        (
            {"stem": ["shallow", "null"]},
            [", factors: factor 'stem' has no level 'null'; one of: deep32, deep64, shallow"],
        ),
        (
            {"norm": ["batch", [["group"]], {"kind": "none"}, datetime.date(2024, 2, 29)]},
            [
                ", factors: factor 'norm' has no level [['group']]: expected batch, none, group, frozen",
                ", factors: factor 'norm' has no level {kind = 'none'}: expected batch, none, group, frozen",
                ", factors: factor 'norm' has no level 2024-02-29: expected batch, none, group, frozen",
            ],
        ),
        (
            {"pool_ceil_mode": [False, 1]},
            [
                ", factors: factor 'pool_ceil_mode' has no level '1': expected one of false, true;"
                " nearest is true"
            ],
        ),
        (
            {"stem": "shallow"},
            [""", factors: stem = 'shallow': expected a list such as stem = ["shallow", "deep32"]"""],
        ),
        (
            {"stem": ["deep64"]},
            [
                ", factors: stem = ['deep64']: nothing to compare; expected 2 levels or more,"
                """ e.g. stem = ["shallow", "deep32"]"""
            ],
        ),
        (
            {"pool_kernel": []},
            [
                ", factors: pool_kernel = []: nothing to compare; expected 2 levels or more,"
                " e.g. pool_kernel = [3, 2]"
            ],
        ),
        ({}, [": factors = {}: expected 1 or more entries"]),
        ([], [": factors = []: expected a table"]),
    ],
)
def test_levels_that_cannot_be_compared_are_a_clear_line_each(
    tmp_path: Path, factors: object, lines: list[str]
) -> None:
    assert refused(tmp_path, factors) == lines


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"question": 3}, ": question = 3: expected text in quotes"),
        ({"architecture": ""}, ": architecture = '': expected 1 or more characters"),
        ({"architecture": "resnt"}, ": no architecture 'resnt'; did you mean 'resnet'?"),
        ({"seed": True}, ": seed = true: expected a whole number"),
        ({"seed": -1}, ": seed = -1: expected 0 or more"),
        ({"seed": 2**53 + 1}, f": seed = {2**53 + 1}: expected a number within 2**53 of zero"),
        (
            {"design": "factorial"},
            ": design = 'factorial' is not known; did you mean 'full-factorial'?",
        ),
        (
            {"margins": {"peak_bytes": "small"}},
            ": margins: peak_bytes = 'small': expected a number, e.g. 0.05",
        ),
        ({"margins": {"peak_bytes": -0.1}}, ": margins: peak_bytes = -0.1; expected 0 or more, e.g. 0.05"),
        ({"margins": {"peak_bytes": math.inf}}, ": margins.peak_bytes = inf: expected a finite number"),
        ({"plugins": [1979]}, ": plugins.0 = 1979: expected text in quotes"),
        ({"workloads": [3]}, ", workload 1: 3: expected a table"),
        ({"workloads": []}, ": workloads = []: expected 1 or more entries"),
        (
            {"workloads": [{"kind": ["memory"]}]},
            ", workload 1: kind = ['memory'] is not known;"
            " one of: checks, complexity, convergence, memory, throughput",
        ),
        (
            {"workloads": [{}]},
            ", workload 1: key 'kind' is missing; one of: checks, complexity, convergence, memory,"
            " throughput",
        ),
        (
            {"workloads": [MEMORY | {"image_size": "32"}]},
            ", workload 1: image_size = '32': expected a whole number",
        ),
        (
            {"workloads": [MEMORY | {"batch_size": 2.5}]},
            ", workload 1: batch_size = 2.5: expected a whole number",
        ),
        (
            {"workloads": [MEMORY | {"batch_size": True}]},
            ", workload 1: batch_size = true: expected a whole number",
        ),
        ({"workloads": [MEMORY | {"measure": 1}]}, ", workload 1: measure = 1: expected true or false"),
        ({"workloads": [MEMORY | {"levels": [18]}]}, ", workload 1: levels = [18]: expected a table"),
        (
            {"workloads": [MEMORY | {"levels": {"depth": [18]}}]},
            ", workload 1: levels: factor 'depth' has no level [18]: expected 18, 34, 50, 101, 152",
        ),
        (
            {"workloads": [MEMORY | {"modes": ["trian"]}]},
            ", workload 1: modes.0 = 'trian' is not known; did you mean 'train'?",
        ),
        ({"workloads": [MEMORY, MEMORY]}, ": two workloads are named 'memory'; give each a name of its own"),
        (
            {
                "workloads": [
                    {"kind": "throughput", "batch_sizes": [8]},
                    {"kind": "memory", "name": "throughput-batch-8"},
                ]
            },
            ": two workloads are named 'throughput-batch-8'; give each a name of its own",
        ),
    ],
)
def test_a_key_of_a_wrong_kind_is_one_clear_line(tmp_path: Path, keys: dict[str, Any], line: str) -> None:
    assert refused(tmp_path, STEMS, **keys) == [line]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"question = ", "Invalid value"),
        (b'question = "\xff"', "utf-8"),
        (b"seed = " + b"[" * 5000, "nested too deeply"),
        (b"seed = 1" + b"0" * 5000, "4300 digits"),
    ],
)
def test_a_file_that_is_no_toml_is_one_clear_line(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        study.load(str(path))
    (line,) = caught.value.lines
    assert line.startswith("study mine: not a readable TOML file (")
    assert reason in line


def test_a_study_is_not_named_after_a_place_in_the_file_system(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="expected a name with letters or digits"):
        study.load(str(tmp_path / "..toml"))


def test_levels_have_one_form_however_they_are_written(tmp_path: Path) -> None:
    plain = load(tmp_path, {"pool_kernel": [3, 5, [3, 2]]}, MEMORY)
    written = load(
        tmp_path, {"pool_kernel": ["3x3", [5, 5], "3x2"]}, MEMORY | {"levels": {"depth": "18", "width": 4}}
    )
    assert plain.factors == written.factors == {"pool_kernel": ("3", "5", "3x2")}
    assert [arm.name for arm in plan(written).study.arms][2:] == ["pool_kernel=5", "pool_kernel=3x2"]
    assert [trial.id for trial in plan(plain).trials] == [trial.id for trial in plan(written).trials]


@pytest.mark.parametrize(
    ("factors", "levels", "line"),
    [
        (
            {"stem": ["shallow", "deep64"]},
            {"num_classes": 100},
            ", workload 1: levels: num_classes = 100, but data set 'digits' has num_classes = 10;"
            " leave it out",
        ),
        (
            {"stem": ["shallow", "deep64"]},
            {"in_channels": 3},
            ", workload 1: levels: in_channels = 3, but data set 'digits' has in_channels = 1; leave it out",
        ),
        (
            {"num_classes": [10, 100]},
            {},
            ", workload 1: data set 'digits' has num_classes = 10, so that it cannot be compared in"
            " [factors]; leave one out",
        ),
    ],
)
def test_what_a_data_set_decides_is_not_replaced_in_silence(
    tmp_path: Path, factors: object, levels: dict[str, int], line: str
) -> None:
    convergence = CONVERGENCE | {"levels": {"depth": 18, "width": 4} | levels}
    assert refused(tmp_path, factors, convergence) == [line]


@pytest.mark.parametrize(
    ("architecture", "dataset", "line"),
    [
        (
            "resnet",
            "scenes",
            "labels pixels, and resnet gives one answer an image; use one of: cifar-10, digits,",
        ),
        ("pspnet", "digits", "labels images, and pspnet gives one answer a pixel; use one of: scenes"),
    ],
)
def test_a_data_set_of_pixels_is_for_networks_that_label_pixels(
    tmp_path: Path, architecture: str, dataset: str, line: str
) -> None:
    convergence = CONVERGENCE | {"dataset": dataset}
    (told,) = refused(tmp_path, STEMS, convergence, architecture=architecture)
    assert told.startswith(f", workload 1: data set {dataset!r} {line}")


def test_a_level_that_says_what_the_data_set_decides_is_no_mistake(tmp_path: Path) -> None:
    convergence = CONVERGENCE | {"levels": {"depth": 18, "width": 4, "in_channels": 1}}
    assert plan(load(tmp_path, STEMS, convergence)).trials


def test_a_factor_cannot_be_both_compared_and_fixed(tmp_path: Path) -> None:
    assert refused(tmp_path, {"depth": [18, 34]}) == [
        ", workload 1: levels: 'depth' is compared in [factors] already; leave it out of one"
    ]


def test_an_architecture_that_a_data_set_does_not_suit_is_refused(tmp_path: Path) -> None:
    write_tiny(tmp_path, "tiny_unsuited", fault="none")
    text = (tmp_path / "tiny_unsuited.py").read_text()
    (tmp_path / "tiny_unsuited.py").write_text(text.replace("Literal[1, 3] = 3", "Literal[3, 4] = 3"))
    keys = {"architecture": "tiny_unsuited", "plugins": ["tiny_unsuited.py"]}
    (line,) = refused(tmp_path, {"wide": [False, True]}, {"kind": "convergence"}, **keys)
    assert line == (
        ", workload 1: data set 'digits' has in_channels = 1, which the architecture cannot have:"
        " factor 'in_channels' has no level '1': expected one of 3, 4; nearest is 3"
    )


def test_what_the_command_line_changes_is_checked_with_the_rest(tmp_path: Path) -> None:
    path = write_study(
        tmp_path / "mine.toml", {"architecture": "resnet", "factors": STEMS, "workloads": [CONVERGENCE]}
    )
    (workload,) = study.load(str(path), Overrides(replicates=9)).workloads
    assert workload.replicates == 9
    with pytest.raises(BadInput, match="no data set 'digit'; did you mean 'digits'"):
        study.load(str(path), Overrides(dataset="digit"))


@pytest.mark.parametrize(
    ("plugin", "reason"), [("nowhere.py", "nowhere.py"), ("a\0b.py", "null byte"), ("a" * 5000, "too long")]
)
def test_a_plugin_that_is_not_there_is_one_line(tmp_path: Path, plugin: str, reason: str) -> None:
    (line,) = refused(tmp_path, STEMS, plugins=[plugin])
    assert reason in line
    assert len(line) < 300


def test_a_design_of_more_arms_than_can_be_planned_is_refused(tmp_path: Path) -> None:
    many: dict[str, list[Any]] = {name: list(range(1, 8)) for name in ("pool_kernel", "pool_stride")}
    many |= {"pool_padding": [1, 0, 2, 3], "pool_dilation": [1, 2, 3, 4], "norm": ["batch", "none", "group"]}
    many |= {"stem": ["shallow", "deep32"]}
    assert refused(tmp_path, many, design="full-factorial") == [
        ": full-factorial makes 4,704 arms of 6 factors; expected 4,096 or fewer: leave factors out,"
        " or use one-at-a-time"
    ]


@pytest.mark.parametrize(
    ("factors", "image_size", "line"),
    [
        (
            {"pool_padding": [1, 3]},
            32,
            "arm pool_padding=3: variant resnet:depth=18,pool_padding=3: pool_padding 3",
        ),
        (
            {"pool_kernel": [3, 7]},
            4,
            "arm pool_kernel=7: an image of 4 px does not fit through the network: Given input size:",
        ),
    ],
)
def test_a_pooling_that_its_input_cannot_hold_is_refused_by_the_plan(
    tmp_path: Path, factors: dict[str, list[int]], image_size: int, line: str
) -> None:
    memory = MEMORY | {"levels": {"depth": 18}, "image_size": image_size}
    (found,) = refused(tmp_path, factors, memory)
    assert found.startswith(f", workload memory: {line}")


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"half_width": 0.02, "processes": 3}, "half_width needs processes of 10 or more, found 3"),
        ({"cards": ["4 parsecs"]}, "no unit 'parsecs'"),
        ({"batch_sizes": [8, 0]}, "expected batch sizes of 1 or more"),
        ({"arm_second": 1}, "no key 'arm_second'; did you mean 'arm_seconds'?"),
    ],
)
def test_a_wrong_key_of_a_throughput_workload_is_named(
    tmp_path: Path, keys: dict[str, Any], line: str
) -> None:
    (found,) = refused(tmp_path, STEMS, {"kind": "throughput"} | keys)
    assert found.startswith(", workload 1: ")
    assert line in found


def test_a_batch_that_batchnorm_cannot_train_is_refused_by_the_plan(tmp_path: Path) -> None:
    (baseline, *_) = refused(tmp_path, STEMS, MEMORY | {"batch_size": 1})
    assert baseline.startswith(
        ", workload memory: arm baseline: an image of 32 px does not fit through the network"
    )
    assert "Expected more than 1 value per channel when training" in baseline
    assert plan(load(tmp_path, STEMS, MEMORY | {"batch_size": 1, "modes": ["inference"]})).trials
