"""Which trials may run side by side, and how a launcher is looked up."""

from dataclasses import replace

import pytest

from runners import launchers, study
from runners.errors import BadInput
from runners.launchers.local import may_start
from runners.plan import plan
from runners.trial import Trial


@pytest.fixture(scope="module")
def quick() -> tuple[Trial, ...]:
    return plan(study.load("quick")).trials


def test_a_timed_trial_starts_alone_and_keeps_others_waiting(quick: tuple[Trial, ...]) -> None:
    timed = next(trial for trial in quick if trial.timed)
    first, second, *_ = [trial for trial in quick if not trial.timed and trial.wave == 0]
    assert may_start(timed, [], jobs=4)
    assert not may_start(timed, [first], jobs=4)
    assert not may_start(replace(first, wave=timed.wave), [timed], jobs=4)
    assert may_start(second, [first], jobs=2)
    assert not may_start(second, [first], jobs=1)
    assert not may_start(replace(second, wave=2), [first], jobs=4)


def test_trials_never_share_an_accelerator(quick: tuple[Trial, ...]) -> None:
    first, second, *_ = [trial for trial in quick if not trial.timed and trial.wave == 0]
    for device in ("cuda", "cuda:1", "xpu"):
        on_device = replace(first, device=device)
        assert may_start(on_device, [], jobs=4)
        assert not may_start(replace(second, device=device), [on_device], jobs=4)
        assert may_start(second, [on_device], jobs=4), "one on the CPU takes nothing from it"


def test_an_unknown_launcher_names_the_nearest() -> None:
    with pytest.raises(BadInput, match=r"no launcher 'lokal'; did you mean 'local'\?"):
        launchers.get("lokal")
