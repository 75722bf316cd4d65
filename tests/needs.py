"""Parts that a machine may lack: a reason to skip at a desk, a failure in continuous integration."""

import os
import shutil

import pytest


def require(present: object, what: str) -> None:
    """Skip the test unless a part is present; fail it where `CI` is set."""
    if present:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and continuous integration must have it")
    pytest.skip(f"{what} is missing")


def browser() -> tuple[str, str]:
    """Paths of Chromium and of its driver."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    require(chromium and driver, "Chromium with chromedriver (Debian: chromium, chromium-driver)")
    assert chromium is not None
    assert driver is not None
    return chromium, driver
