"""A probe that needs no network: each arm does what its level says, in a trial's process like any other."""

import ctypes
import gc
import os
import signal
import subprocess
import sys
import time
from typing import Literal

from torch import nn

from ablations import architecture
from results.records.metric import Metric
from results.records.record import Measurement
from runners.outcomes import Findings, each_arm
from runners.probes import Probe, Result, WorkloadSettings
from runners.trial import Trial, TrialArm

Act = Literal[
    "well",
    "print",
    "flood",
    "frozen",
    "print_and_fail",
    "print_and_die",
    "print_and_exit",
    "fail",
    "fail_anew",
    "unspeakable",
    "speechless",
    "generator_exit",
    "system_exit",
    "base_exception",
    "big",
]


class Unheard(BaseException):
    """Derived from what nobody catches by accident."""


class Speechless(Exception):  # noqa: N818 - it is one in a test alone
    """Has no text."""

    def __str__(self) -> str:
        raise SystemExit("no text")


@architecture
def scripted(*, act: Act = "well") -> nn.Module:
    """A network that nobody runs.

    Args:
        act: What the arm does.
    """
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10))


class ScriptedSettings(WorkloadSettings):
    """Keys of a workload of kind scripted."""

    image_size: int = 8
    blocks: int = 1
    seconds: float = 0.0

    @property
    def replicates(self) -> int:
        return self.blocks


def _act(trial: Trial, arm: TrialArm) -> Findings:
    act = arm.complete_variant.partition("act=")[2].partition(",")[0]
    time.sleep(trial.workload.settings["seconds"])
    assert act != "frozen" or gc.get_freeze_count(), "imports are looked through at each collection"
    match act:
        case "print" | "print_and_fail" | "print_and_die" | "print_and_exit":
            print("from Python")
            ctypes.CDLL(None).puts(b"from C")
            ctypes.CDLL(None).fflush(None)
            subprocess.run(
                [sys.executable, "-c", "import sys; sys.stderr.write('from a child\\n')"], check=True
            )
        case "flood":
            line = "x" * 99 + "\n"
            print("the first line")
            for _ in range(200_000):
                sys.stdout.write(line)
            print("the last line")
    match act:
        case "print_and_fail" | "fail":
            raise RuntimeError("scripted")
        case "fail_anew":
            raise RuntimeError(f"scripted, in {trial.block}")
        case "print_and_die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "print_and_exit":
            os._exit(3)
        case "unspeakable":
            raise ValueError("half a character: \ud83d")
        case "speechless":
            raise Speechless
        case "generator_exit":
            raise GeneratorExit
        case "system_exit":
            sys.exit("enough")
        case "base_exception":
            raise Unheard("base")
    found = (Measurement("scripted_count", (1.0,), "observed", "any"),)
    return Findings(found, details={"more": {"padding": "x" * (2_000_000 if act == "big" else 0)}})


def _run(trial: Trial) -> Result:
    return Result(each_arm(trial, _act))


PROBE = Probe(
    kind="scripted",
    summary="what its level says",
    settings=ScriptedSettings,
    metrics=(Metric("scripted_count", "count", "count", "lower", "ratio", 0.1, "Always one.", exact=True),),
    block_unit="seed",
    wave=0,
    control=False,
    timed=False,
    run=_run,
    estimate_seconds=lambda settings, macs, rate: 0.1,
)
