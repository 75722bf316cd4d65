"""The page as a real browser shows it: wide and narrow, light and dark, on paper, and when it is used."""

import base64
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from selenium import webdriver

import results
from results.report.write import Report
from tests.browser import look, printed
from tests.results.planted import NORM, STEM, Plan, write_run
from tests.results.verdicts.test_claims import claiming

LARGEST_BYTES = 3 * 2**20
MOST_PAGES = 6
HOSTILE = "<script>window.hacked=1</script>'\"&日本語 " + "long" * 12
LEAST_PIXELS = 10
SMALLEST = """
const sizes = [];
for (const text of document.querySelectorAll(".drawing text")) {
  if (!text.getClientRects().length || !text.textContent.trim()) continue;
  const scale = Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b);
  sizes.push([parseFloat(getComputedStyle(text).fontSize) * scale, text.textContent]);
}
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const holder = walker.currentNode.parentElement;
  const shown = holder.getClientRects().length && !holder.closest("svg, script, style");
  if (walker.currentNode.data.trim() && shown)
    sizes.push([parseFloat(getComputedStyle(holder).fontSize), walker.currentNode.data]);
}
return sizes.sort((a, b) => a[0] - b[0])[0];
"""


@pytest.fixture(scope="module", params=["planted", "quick"])
def index(request: pytest.FixtureRequest, report: Report, quick_index: Path) -> Path:
    return report.index if request.param == "planted" else quick_index


def test_every_figure_is_drawn_once_and_has_a_text_in_its_place(
    chrome: webdriver.Chrome, index: Path
) -> None:
    for size in ((1400, 900), (390, 844)):
        look(chrome, index, size)
        figures = chrome.execute_script(
            "document.querySelectorAll('details').forEach(d => d.open = true);"
            "return [...document.querySelectorAll('figure')].map(f => ["
            "  [...f.querySelectorAll('svg, .frame')].filter(s => s.clientWidth > 200).length,"
            "  f.querySelector('[role=img], [role=group]').getAttribute('aria-label')])"
        )
        assert len(figures) >= 3
        for shown, alternative in figures:
            assert shown == 1
            assert len(alternative) > 20


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400, 2560])
def test_the_page_loads_nothing_complains_of_nothing_and_fits(
    chrome: webdriver.Chrome, index: Path, width: int, dark: bool
) -> None:
    look(chrome, index, (width, 900), dark=dark)
    chrome.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    loaded = chrome.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [name for name in loaded if not name.startswith("data:")] == []
    assert chrome.get_log("browser") == []  # type: ignore[no-untyped-call]
    assert chrome.execute_script("return document.documentElement.scrollWidth") <= width
    assert index.stat().st_size <= LARGEST_BYTES


def test_type_is_readable_on_a_phone(chrome: webdriver.Chrome, index: Path) -> None:
    look(chrome, index, (390, 844))
    chrome.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    size, text = chrome.execute_script(SMALLEST)
    assert size >= LEAST_PIXELS, text


def test_figures_take_the_colours_of_the_page(chrome: webdriver.Chrome, index: Path) -> None:
    found = []
    for dark in (False, True):
        look(chrome, index, dark=dark)
        found.append(
            chrome.execute_script(
                "const text = document.querySelector('.drawing .wide text');"
                "return [getComputedStyle(text).fill, getComputedStyle(document.body).color]"
            )
        )
    assert all(fill == ink for fill, ink in found)
    assert found[0] != found[1]


def test_print_is_short(chrome: webdriver.Chrome, quick_index: Path) -> None:
    look(chrome, quick_index)
    pdf = base64.b64decode(printed(chrome)["data"])
    assert 1 <= pdf.count(b"/Type /Page\n") <= MOST_PAGES


def test_every_link_within_the_page_leads_somewhere(chrome: webdriver.Chrome, index: Path) -> None:
    look(chrome, index)
    dangling = chrome.execute_script(
        "return [...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1))"
        ".filter(id => !document.getElementById(id))"
    )
    assert dangling == []


def rows(chrome: webdriver.Chrome) -> list[str]:
    shown: list[str] = chrome.execute_script(
        "return [...document.querySelectorAll('.changes tr.row')].filter(r => !r.hidden)"
        ".map(r => r.querySelector('.open').textContent)"
    )
    return shown


def columns(chrome: webdriver.Chrome) -> list[str]:
    shown: list[str] = chrome.execute_script(
        "return [...document.querySelectorAll('.changes > .scroll > table > thead th')]"
        ".filter(h => !h.hidden).map(h => h.querySelector('.sort').textContent)"
    )
    return shown


def click(chrome: webdriver.Chrome, selector: str, place: int = 0) -> None:
    chrome.find_elements("css selector", selector)[place].click()


def test_the_table_sorts_by_name_and_by_figure_both_ways(
    chrome: webdriver.Chrome, quick_index: Path, quick_effects: pd.DataFrame
) -> None:
    look(chrome, quick_index)
    memory = quick_effects[
        (quick_effects["metric"] == "peak_bytes") & (quick_effects["workload"] == "memory")
    ]
    memory = memory[memory["mode"] == "train"].assign(number=memory["effect"].astype(float))
    effect = memory.set_index("change")["number"]
    for ascending in (True, False):
        click(chrome, ".changes .sort", 1)
        assert [effect[name] for name in rows(chrome)] == sorted(effect, reverse=not ascending)
    click(chrome, ".changes .sort", 0)
    initials = [name[:4] for name in rows(chrome)]
    assert initials == sorted(initials)


def test_the_table_filters_by_what_is_decided_workload_and_mode(
    chrome: webdriver.Chrome, quick_index: Path, quick_effects: pd.DataFrame
) -> None:
    look(chrome, quick_index)
    every = rows(chrome)
    assert columns(chrome) == ["change", "peak memory, train", "time per step, train", "test accuracy"]
    click(chrome, ".changes [name=mode] option", 2)
    assert columns(chrome) == [
        "change",
        "peak memory, inference",
        "time per step, inference",
        "test accuracy",
    ]
    click(chrome, ".changes [name=workload] option", 2)
    assert columns(chrome) == ["change", "peak memory, inference"]
    click(chrome, ".changes [name=decided]")
    memory = quick_effects[(quick_effects["workload"] == "memory") & (quick_effects["mode"] == "inference")]
    memory = memory[memory["metric"] == "peak_bytes"]
    decided = memory[memory["verdict"].isin(["better", "worse"])]["change"]
    assert 0 < len(decided) < len(every)
    assert set(rows(chrome)) == set(decided)


def test_a_row_opens_to_its_evidence_and_closes_again(chrome: webdriver.Chrome, quick_index: Path) -> None:
    look(chrome, quick_index)
    name = rows(chrome)[0]
    click(chrome, ".changes .open")
    opened = chrome.find_elements("css selector", ".changes tr.opened")[0]
    assert opened.is_displayed()
    for said in (
        "more peak memory, train (exact)",
        "each dot a process",
        "each dot a seed",
        "backward",
        "MiB",
    ):
        assert said in opened.text, said
    assert name in opened.text
    click(chrome, ".changes .open")
    assert not opened.is_displayed()


def test_the_axes_of_the_plane_can_be_chosen(chrome: webdriver.Chrome, quick_index: Path) -> None:
    def spots() -> dict[str, Any]:
        return dict(
            chrome.execute_script(
                "return [...document.querySelectorAll('.frame button')].map(b => [b.querySelector('.name')"
                ".textContent, [parseFloat(b.style.left), parseFloat(b.style.bottom)]])"
            )
        )

    look(chrome, quick_index)
    before = spots()
    assert len(before) == 10
    assert before["pool_stride=1"][0] > before["norm=none"][0], "to the right is slower"
    titles = chrome.find_element("css selector", ".frame").text
    assert "time per step, train (lower is better)" in titles
    click(chrome, ".plane [name=x] option", 0)
    after = spots()
    assert "peak memory, train (lower is better)" in chrome.find_element("css selector", ".frame").text
    assert [before[name][1] for name in before] == [after[name][1] for name in before]
    assert after != before
    chrome.execute_script("document.querySelector('.frame button').focus({focusVisible: true})")
    tip = chrome.find_element("css selector", ".frame button:focus .tip")
    assert tip.is_displayed()
    assert "peak memory, train:" in tip.text


def test_hostile_and_foreign_names_are_text(chrome: webdriver.Chrome, tmp_path: Path) -> None:
    plan = Plan(rename={STEM: HOSTILE, NORM: "=norm,weird"}, reason=HOSTILE, seeds=2)
    index = results.load(write_run(tmp_path / "run", plan)).report().index
    for width in (390, 1400):
        look(chrome, index, (width, 900))
        assert chrome.execute_script("return window.hacked === undefined")
        assert HOSTILE in rows(chrome)
        names = chrome.execute_script(
            "return [...document.querySelectorAll('.spot .name')].map(n => n.textContent)"
        )
        assert HOSTILE in names
        assert chrome.execute_script("return document.documentElement.scrollWidth") <= width
        assert chrome.get_log("browser") == []  # type: ignore[no-untyped-call]


def test_a_verdict_on_a_claim_leads_to_the_opened_row_of_its_change(
    chrome: webdriver.Chrome, tmp_path: Path
) -> None:
    index = claiming(tmp_path / "run", Plan()).report().index
    look(chrome, index)
    chrome.execute_script("document.querySelector('#claims td a').click()")
    opened = chrome.find_element("css selector", f"[id='change-{STEM}'] + .opened")
    assert opened.is_displayed()
    assert "each dot a process" in opened.text
