"""Runs on real Ray clusters, for tests."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[4]
LIMIT_SECONDS = 240.0


def ablate(*arguments: object, **environment: str) -> "subprocess.Popen[str]":
    """A command in a process group of its own, as a shell begins it."""
    return subprocess.Popen(
        [sys.executable, "-m", "runners", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )


def finish(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """The exit code of a command, and what it said."""
    out, error = process.communicate(timeout=LIMIT_SECONDS)
    return process.returncode, out, error


def wait_until(what: Callable[[], object]) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def descendants(process: int) -> dict[int, str]:
    """Processes that a process has begun and those have, with their command lines."""
    found = {}
    with suppress(psutil.Error):
        for child in psutil.Process(process).children(recursive=True):
            with suppress(psutil.Error):
                found[child.pid] = " ".join(child.cmdline())
    return found


class Killer(threading.Thread):
    """Kills what runs a workload, as soon as it is at work.

    Attributes:
        killed: Processes.
    """

    def __init__(
        self,
        workload: str,
        times: int,
        *,
        trial_itself: bool = False,
        when: Callable[[], object] = lambda: True,
    ) -> None:
        """Begin to watch.

        Args:
            workload: Its name.
            times: How often.
            trial_itself: Whether the trial's own process is killed, not the Ray worker beside it.
            when: What has to be true before.
        """
        super().__init__(daemon=True)
        self._title, self._times = f"ray::{workload} ", times
        self._trial_itself, self._when = trial_itself, when
        self.killed: list[int] = []
        self._over = threading.Event()

    def __enter__(self) -> "Killer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        while len(self.killed) < self._times and not self._over.wait(0.01):
            for worker, title in descendants(os.getpid()).items():
                trials = self._trials(worker) if title.startswith(self._title) else []
                if trials and self._when() and not {worker, *trials} & {*self.killed}:
                    victim = trials[0] if self._trial_itself else worker
                    with suppress(ProcessLookupError):
                        if psutil.pid_exists(trials[0]):
                            os.kill(victim, signal.SIGKILL)
                            self.killed.append(victim)
                    break

    def _trials(self, worker: int) -> list[int]:
        """Trials' processes are what the servers of a worker have forked."""
        found = list[int]()
        with suppress(psutil.Error):
            for server in psutil.Process(worker).children():
                found += [child.pid for child in server.children()]
        return found
