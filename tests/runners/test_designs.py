"""Designs of studies: their arms, what they refuse, what a plan says of them, and 2x2s that follow up."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydoe
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.records.resolved_study import ResolvedStudy
from results.verdicts.designs import design_contrasts
from runners import study
from runners.arms import arms_of
from runners.errors import BadInput
from runners.follow_up import pairs_of
from runners.plan import plan
from runners.study import Overrides, Study
from runners.terminal.designs import matrix_rows, said
from runners.terminal.plans import print_plan
from tests.results import planted_factorial as planted
from tests.runners.study_files import write_study

FACTORS: dict[str, list[Any]] = {
    "norm": ["batch", "group"],
    "pool": ["max", "average"],
    "relu": ["inplace", "out_of_place"],
    "stem": ["shallow", "deep64"],
}
MEMORY = {"kind": "memory", "levels": {"depth": 18, "width": 4}, "image_size": 32}


def load(folder: Path, factors: dict[str, list[Any]] | None = None, **keys: object) -> Study:
    content = {"architecture": "resnet", "factors": factors or FACTORS, "workloads": [MEMORY]}
    return study.load(str(write_study(folder / "mine.toml", content | keys)))


def changes(one: Study) -> list[frozenset[str]]:
    return [frozenset(arm.changes) for arm in arms_of(one) if arm.role != "control"]


def refused(folder: Path, factors: dict[str, list[Any]] | None = None, **keys: object) -> list[str]:
    with pytest.raises(BadInput) as caught:
        plan(load(folder, factors, **keys))
    return [line.removeprefix("study mine: ") for line in caught.value.lines]


def test_a_half_fraction_has_every_other_combination_the_baseline_among_them(tmp_path: Path) -> None:
    found = changes(load(tmp_path, design="fractional-factorial"))
    assert len(found) == 8
    assert {len(change) % 2 for change in found} == {0}
    assert found[0] == frozenset(), "the baseline first"


@pytest.mark.parametrize(("resolution", "runs"), [(3, 8), (4, 16), (5, 32)])
def test_a_fraction_is_balanced_and_as_large_as_tables_say(
    tmp_path: Path, resolution: int, runs: int
) -> None:
    """Box and Hunter's table: 2^(6-3) of resolution III, 2^(6-2) of IV, 2^(6-1) of VI."""
    factors = FACTORS | {"shortcut": ["inplace", "out_of_place"], "pool_ceil_mode": [False, True]}
    found = changes(load(tmp_path, factors, design="fractional-factorial", resolution=resolution))
    assert len(set(found)) == runs
    for pair in itertools.combinations(factors, 2):
        counts = [sum(set(pair) & change == {*some} for change in found) for some in ((), pair, pair[:1])]
        assert set(counts) == {runs // 4}, "each pair of levels equally often"


def test_leave_one_out_begins_with_every_change_made(tmp_path: Path) -> None:
    one = load(tmp_path, design="leave-one-out")
    assert one.factors["stem"] == ("deep64", "shallow")
    assert changes(one) == [frozenset(), *(frozenset([name]) for name in FACTORS)]
    resolved = plan(one).study
    assert resolved.labels(next(arm for arm in resolved.arms if "stem" in arm.changes)) == {
        "factor": "stem",
        "level": "shallow",
        "baseline_level": "deep64",
    }
    assert "stem=deep64" in next(w for w in resolved.workloads if w.kind == "memory").variants["baseline"]


def test_both_at_once_has_each_change_alone_all_and_all_but_one(tmp_path: Path) -> None:
    found = changes(load(tmp_path, design="both-at-once"))
    assert sorted(map(len, found)) == [0, 1, 1, 1, 1, 3, 3, 3, 3, 4]


def test_pairs_join_one_at_a_time_as_2x2s(tmp_path: Path) -> None:
    factors = FACTORS | {"norm": ["batch", "group", "none"]}
    found = plan(load(tmp_path, factors, pairs=[["stem", "norm"]])).study
    assert [arm.name for arm in found.arms if len(arm.changes) == 2] == [
        "norm=group,stem=deep64",
        "norm=none,stem=deep64",
    ]
    contrasts = [(one.kind, one.name, one.sets) for one in design_contrasts(found)]
    assert contrasts == [
        ("interaction", "norm=group,stem=deep64", 1),
        ("interaction", "norm=none,stem=deep64", 1),
    ]


def test_what_is_excluded_is_not_run_and_the_others_are(tmp_path: Path) -> None:
    found = load(tmp_path, design="full-factorial", exclude=[{"norm": "group", "stem": "deep64"}])
    assert len(changes(found)) == 12
    assert not any({"norm", "stem"} <= change for change in changes(found))
    resolved = plan(found).study
    names = [one.name for one in design_contrasts(resolved) if one.kind == "interaction"]
    assert "norm=group,stem=deep64" not in names, "no quadruple of arms is complete"
    stem = next(one for one in design_contrasts(resolved) if one.name == "stem=deep64")
    assert stem.sets == 4, "pairs of arms with the usual norm"
    assert "4 combinations left out by exclude" in list(said(resolved))


@pytest.mark.parametrize(
    ("factors", "keys", "lines"),
    [
        (
            {"norm": ["batch", "group", "none"], "stem": ["shallow", "deep64"]},
            {"design": "leave-one-out"},
            [
                "norm has 3 levels, and leave-one-out compares two;"
                " leave some out, or use one-at-a-time or full-factorial"
            ],
        ),
        (
            {name: FACTORS[name] for name in ("norm", "stem")},
            {"design": "both-at-once"},
            ["both-at-once of 2 factors; expected 3 or more, or full-factorial"],
        ),
        (
            {name: FACTORS[name] for name in ("norm", "stem")},
            {"design": "fractional-factorial"},
            ["fractional-factorial of 2 factors; expected 3 or more, or full-factorial"],
        ),
        (
            None,
            {"design": "fractional-factorial", "resolution": 5},
            [
                "resolution 5 leaves no fraction of 4 factors smaller than the whole; lower it, or use"
                " full-factorial"
            ],
        ),
        (
            None,
            {"resolution": 4},
            ["resolution is one of fractional-factorial, not of one-at-a-time; leave it out"],
        ),
        (
            None,
            {"pairs": [["norm", "stem"], ["stem", "norm"]]},
            ["pairs: ['stem', 'norm'] is there already; name it once"],
        ),
        (
            None,
            {"design": "full-factorial", "pairs": [["norm", "stem"]]},
            ["pairs join one-at-a-time and leave-one-out, not full-factorial; leave them out"],
        ),
        (
            None,
            {"pairs": [["norm", "stern"], ["norm"]]},
            [
                "pairs: 'stern' is not compared in [factors]; did you mean 'stem'?",
                "pairs: ['norm']: expected two factors, e.g. ['norm', 'pool']",
            ],
        ),
        (
            None,
            {"design": "full-factorial", "exclude": [{"norm": "group"}, {"norm": "none", "stem": "deep64"}]},
            [
                "exclude: { norm = group }: expected levels of two factors or more; else leave the level out",
                "exclude: norm = none is not compared in [factors]; one of: batch, group",
            ],
        ),
        (
            None,
            {"design": "fractional-factorial", "exclude": [{"norm": "group", "stem": "deep64"}]},
            [
                "exclude norm=group,stem=deep64: leaves out arm norm=group,stem=deep64, which"
                " fractional-factorial needs; expected a full-factorial design, or other levels"
            ],
        ),
        (
            None,
            {"exclude": [{"norm": "batch", "stem": "deep64"}]},
            [
                "exclude norm=batch,stem=deep64: leaves out arm stem=deep64, which one-at-a-time needs;"
                " expected a full-factorial design, or other levels"
            ],
        ),
    ],
)
def test_what_a_design_cannot_be_is_a_line(
    tmp_path: Path, factors: dict[str, list[Any]] | None, keys: dict[str, object], lines: list[str]
) -> None:
    assert refused(tmp_path, factors, **keys) == lines


def test_a_plan_shows_the_matrix_the_aliases_and_what_each_arm_costs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = plan(load(tmp_path, design="fractional-factorial"))
    print_plan("mine", found, 2, trials=False)
    told = capsys.readouterr().out
    assert "8 arms of 16 combinations: tells 4 main effects" in told
    assert "a fraction of resolution IV; it cannot tell apart:" in told
    assert "norm x pool = relu x stem" in told
    assert "norm = pool x relu x stem" in told
    rows = matrix_rows(found)
    signs = np.array([[row[name] != "·" and i > 0 for name in sorted(FACTORS)] for i, row in enumerate(rows)])
    theirs, _ = pydoe.fracfact_aliasing(signs * 2.0 - 1)
    assert {"ab = cd", "ac = bd", "ad = bc"} <= set(theirs), "of the matrix that was shown"
    assert all(float(row["seconds"]) > 0 for row in rows)


def test_no_matrix_where_one_factor_changes_at_a_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_plan("mine", plan(load(tmp_path)), 2, trials=False)
    assert "levels that differ" not in capsys.readouterr().out


def test_placebos_have_all_seeds_where_others_lean_on_them(tmp_path: Path) -> None:
    training = {"kind": "convergence", "levels": {"depth": 18, "width": 4}, "seeds": 7, "epochs": 1}
    for design, seeds in (("one-at-a-time", 2), ("full-factorial", 7)):
        found = plan(load(tmp_path, design=design, workloads=[training])).study
        trained = next(w for w in found.workloads if w.kind == "convergence")
        assert trained.planned("relu=out_of_place") == seeds


@pytest.fixture(scope="module")
def fraction(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a fraction in which norm x stem was planted, in time and accuracy."""
    plan = planted.Planted("fractional-factorial", planted.half())
    return planted.write_run(tmp_path_factory.mktemp("fraction") / "run", plan)


def test_a_follow_up_is_the_2x2s_of_what_was_flagged_on_fresh_seeds(tmp_path: Path, fraction: Path) -> None:
    pairs = pairs_of(fraction)
    assert {("norm", "stem"), ("pool", "relu")} <= set(pairs), "one of them, not known which"
    first = load(tmp_path, design="fractional-factorial")
    found = study.load(str(tmp_path / "mine.toml"), Overrides(pairs=pairs))
    assert found.name == "mine-follow-up"
    assert found.seed != first.seed
    arms = {frozenset(change) for change in changes(found)}
    assert {frozenset(pair) for pair in pairs} <= arms
    assert {len(arm) for arm in arms} == {0, 1, 2}
    mine = {trial.id for trial in plan(first).trials}
    varied = [trial.id for trial in plan(found).trials if trial.workload.block_unit != "exact"]
    assert not mine & set(varied)


def test_a_follow_up_stays_at_the_studys_baseline(tmp_path: Path) -> None:
    factors = FACTORS | {"pool": ["average", "max"]}
    first = load(tmp_path, factors, design="fractional-factorial")
    found = study.load(str(tmp_path / "mine.toml"), Overrides(pairs=(("norm", "stem"),)))
    baselines = [
        next(w for w in plan(one).study.workloads if w.kind == "memory").variants["baseline"]
        for one in (first, found)
    ]
    assert baselines[0] == baselines[1]
    assert "pool=average" in baselines[0]


def test_a_run_that_flags_nothing_has_no_follow_up(tmp_path: Path) -> None:
    quiet = planted.Planted(
        "full-factorial", planted.whole(planted.NAMES[:2]), planted.NAMES[:2], seed=8, time={}
    )
    path = planted.write_run(tmp_path / "run", quiet)
    with pytest.raises(BadInput, match="no interaction is flagged there"):
        pairs_of(path)


def test_a_follow_up_of_another_study_is_refused(tmp_path: Path) -> None:
    load(tmp_path)
    with pytest.raises(BadInput, match="flags width, which it does not compare"):
        study.load(str(tmp_path / "mine.toml"), Overrides(pairs=(("stem", "width"),)))


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=2, max_size=6), st.data())
def test_contrasts_of_any_factorial_weigh_treated_against_untreated_alike(
    levels: list[str], data: st.DataObject
) -> None:
    """Of each contrast the weights sum to nothing, and to one over the arms in question."""
    counts = {f"f{i}": 2 + "abc".index(level) for i, level in enumerate(levels[:3])}
    one = planted.study(planted.Planted("full-factorial", planted.whole()))
    factors = tuple(
        replace(one.factors[0], name=name, levels=tuple(f"l{k}" for k in range(count)))
        for name, count in counts.items()
    )
    every = list(itertools.product(*(factor.levels for factor in factors)))
    kept = [every[0], *data.draw(st.lists(st.sampled_from(every[1:]), unique=True))]
    arms = [
        replace(
            one.arms[0],
            name="-".join(combination),
            role="arm" if i else "baseline",
            changes={f.name: level for f, level in zip(factors, combination, strict=True) if level != "l0"},
        )
        for i, combination in enumerate(kept)
    ]
    resolved: ResolvedStudy = replace(one, factors=factors, arms=tuple(arms), workloads=())
    for contrast in design_contrasts(resolved):
        assert sum(contrast.weights.values()) == pytest.approx(0)
        assert sum(contrast.weights[arm] for arm in contrast.treated) == pytest.approx(1)
        assert contrast.sets == contrast.of == len(contrast.treated)
