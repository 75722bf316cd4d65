"""Connecting to Ray, which is imported when it is asked for: starting a cluster, or joining one."""

import importlib
import os
import subprocess
import sys
from typing import Any

from runners.errors import BadInput

REACH_SECONDS = 10.0
"""How long a cluster that is joined has to answer."""
_STORE_BYTES = 100_000_000
"""Shared memory for Ray's objects: records are small, and trials want the rest."""


def connect(address: str | None) -> None:
    """Start a cluster or join one.

    Args:
        address: `HOST:PORT` or `auto`; None where RAY_ADDRESS decides, or else one is started.

    Raises:
        BadInput: There is no Ray, or no cluster that answers.
    """
    ray = library()
    address = address or os.environ.get("RAY_ADDRESS") or None
    if address is None:
        _start(ray)
    else:
        _join(ray, address)


def library() -> Any:
    """Ray itself.

    Raises:
        BadInput: It is not installed.
    """
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise BadInput(
            "--launcher ray: Ray is not installed; pip install 'architecture-ablations[ray]'"
        ) from None


def _start(ray: Any) -> None:
    os.environ.setdefault("RAY_worker_niceness", "0")  # as without Ray; 15 otherwise
    _init(ray, address="local", include_dashboard=False, object_store_memory=_STORE_BYTES)


def _join(ray: Any, address: str) -> None:
    """Join a cluster, asked first in a process that can be given up: Ray itself would wait for ever."""
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    reason = f"no answer within {REACH_SECONDS:.0f} s"
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=REACH_SECONDS, check=False)
        reached = done.returncode == 0
        if not reached:
            reason = brief(([line for line in done.stderr.splitlines() if line] or [reason])[-1])
        else:
            _init(ray, address=address)
    except subprocess.TimeoutExpired:
        reached = False
    except (RuntimeError, ValueError, OSError, AssertionError, ray.exceptions.RayError) as error:
        reached, reason = False, brief(error)
    if not reached:
        raise BadInput(
            f"--launcher ray: no cluster at {address} ({reason}); expected HOST:PORT or auto on a machine "
            "of the cluster, see `ray status`"
        )


def _init(ray: Any, **options: Any) -> None:
    os.environ.pop("RAY_ADDRESS", None)  # read already; Ray would let it overrule what is given
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Visible accelerators stay as they are where a task asks for none.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # It prints of each worker that died, across the bar; what became of its trial is on record.
    worker: Any = importlib.import_module("ray._private.worker")
    worker.print_to_stdstream = lambda *_, **__: None
    ray.init(log_to_driver=False, logging_level="ERROR", **options)


def brief(error: object) -> str:
    """The first line of what an error says, not too long."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return (lines[0].strip() if lines else type(error).__name__)[:200]
