"""The page as a real browser shows it."""

from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from results.report.write import Report
from tests.needs import browser


@pytest.fixture(scope="module")
def page(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """The report of a planted run, open in Chromium."""
    chromium, driver_path = browser()
    options = Options()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):
        options.add_argument(argument)
    with webdriver.Chrome(options=options, service=Service(driver_path)) as chrome:
        chrome.get(report.index.resolve().as_uri())
        yield chrome


def test_every_figure_is_drawn_and_has_a_text_in_its_place(page: webdriver.Chrome) -> None:
    figures = page.execute_script("return [...document.images].map(i => [i.complete, i.naturalWidth, i.alt])")
    assert len(figures) >= 3
    for complete, width, alternative in figures:
        assert complete
        assert width > 200
        assert len(alternative) > 20


def test_the_page_loads_nothing_and_complains_of_nothing(page: webdriver.Chrome) -> None:
    loaded = page.execute_script(
        "return performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith('data:'))"
    )
    assert loaded == []
    assert page.get_log("browser") == []  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("width", [420, 1280])
def test_nothing_sticks_out_of_the_page_on_a_narrow_or_a_wide_screen(
    page: webdriver.Chrome, width: int
) -> None:
    page.set_window_size(width, 900)
    size = page.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert size[0] <= size[1]


def test_every_link_within_the_page_leads_somewhere(page: webdriver.Chrome) -> None:
    dangling = page.execute_script(
        "return [...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1))"
        ".filter(id => !document.getElementById(id))"
    )
    assert dangling == []
