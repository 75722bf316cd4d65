"""A real browser, with which pages are looked at."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from tests.needs import browser

_ARGUMENTS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """Chromium without a window, its profile in a folder of its own."""
    binary, driver = browser()
    options = Options()
    options.binary_location = binary
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in (*_ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    with webdriver.Chrome(options=options, service=Service(driver)) as chrome:
        yield chrome


def look(
    chrome: webdriver.Chrome, index: Path, size: tuple[int, int] = (1400, 900), *, dark: bool = False
) -> None:
    """Open a page as a screen of that size shows it; below 500 pixels as a phone does."""
    width, height = size
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    _send(chrome, "Emulation.setDeviceMetricsOverride", metrics)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    _send(chrome, "Emulation.setEmulatedMedia", {"features": [scheme]})
    chrome.get(index.resolve().as_uri())


def printed(chrome: webdriver.Chrome) -> dict[str, Any]:
    """The page as a PDF on A4."""
    paper = {"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": True}
    pdf: dict[str, Any] = _send(chrome, "Page.printToPDF", paper)
    return pdf


def _send(chrome: webdriver.Chrome, command: str, given: dict[str, Any]) -> Any:
    return chrome.execute_cdp_cmd(command, given)
