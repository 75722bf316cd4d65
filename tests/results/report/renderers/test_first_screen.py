"""What a stranger reads on the first screen, before scrolling or clicking, in a real browser."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from selenium import webdriver

from tests.browser import look

SIGNS = {"▲": "better", "△": "better", "▼": "worse", "▽": "worse", "≈": "equivalent", "?": "inconclusive"}
QUESTIONS = {
    "peak memory, train": ("memory", "peak_bytes", "train"),
    "time per step, train": ("throughput", "step_seconds", "train"),
    "test accuracy": ("convergence", "test_accuracy", ""),
}
SCREENS = [(1400, 900), (390, 844)]
# What is in sight: wholly within the window, and on top of whatever else is there.
READ = """
const seen = (element) => {
  const box = element.getBoundingClientRect();
  const inside = box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
  if (!box.width) return false;
  const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  return inside && top && (element.contains(top) || top.contains(element));
};
const text = (element) => element.innerText.replace(/\\s+/g, " ").trim();
const table = document.querySelector(".changes table");
return {
  said: [...document.querySelectorAll(".key li")].filter(seen).map(text),
  heads: [...table.tHead.rows[0].cells].filter(seen).map(text),
  rows: [...table.querySelectorAll("tr.row")].map((row) => [...row.cells].filter(seen).map(text)),
};
"""


@pytest.fixture(params=SCREENS, ids=["desk", "phone"])
def screen(request: pytest.FixtureRequest, chrome: webdriver.Chrome, quick_index: Path) -> dict[str, Any]:
    look(chrome, quick_index, request.param)
    found: dict[str, Any] = chrome.execute_script(READ)
    return found


def expected(effects: pd.DataFrame, question: str) -> pd.DataFrame:
    """The rows of effects.csv that a column of the first screen is to show."""
    workload, metric, mode = QUESTIONS[question]
    rows = effects[(effects["workload"] == workload) & (effects["metric"] == metric)]
    return rows[rows["mode"] == mode] if mode else rows[rows["split"] == "test"]


def test_each_change_has_its_three_verdicts_in_sight(
    screen: dict[str, Any], quick_effects: pd.DataFrame
) -> None:
    titles = [next(q for q in QUESTIONS if head.startswith(q)) for head in screen["heads"][1:]]
    assert titles == list(QUESTIONS)
    read = {
        row[0].removeprefix("▸ ").split(" instead")[0].replace("\xa0", ""): row[1:] for row in screen["rows"]
    }
    read = {name.removeprefix("▸").strip(): cells for name, cells in read.items()}
    assert len(read) == 10
    assert set(read) == set(quick_effects["change"])
    for place, title in enumerate(titles):
        rows = expected(quick_effects, title).set_index("change")["verdict"]
        assert {name: SIGNS[cells[place][0]] for name, cells in read.items()} == rows.to_dict(), title


def test_how_sure_that_is_and_on_what_it_was_measured_stands_in_the_heads(
    screen: dict[str, Any], quick_effects: pd.DataFrame
) -> None:
    for title, head in zip(QUESTIONS, screen["heads"][1:], strict=True):
        rows = expected(quick_effects, title)
        first = rows.iloc[0]
        for said in (
            f"{first['input_size']} px",
            f"batch {float(first['batch_size']):.0f}",
            first["precision"],
        ):
            assert said in head, (title, said)
        assert f"{first['source']} {first['device']}" in head
        assert "counts from ±" in head
        varying = rows[rows["note"].str.contains("bit-identical") == False]["n"].astype(int)  # noqa: E712
        n = {str(varying.min()), f"{varying.min()} to {varying.max()}"}
        assert "exact" in head if title.startswith("peak") else any(f"n = {one}" in head for one in n), head
    assert "digits" in screen["heads"][3]


def test_the_answer_in_short_names_each_change_in_one_sort_and_with_its_own_figures(
    screen: dict[str, Any], quick_effects: pd.DataFrame
) -> None:
    said = dict(line.split(": ", 1) for line in screen["said"])
    assert {"Expensive", "Buys accuracy", "Undecided"} <= set(said)
    memory = expected(quick_effects, "peak memory, train").set_index("change")["effect"].astype(float)
    dear = str(memory.idxmax())
    assert said["Expensive"].startswith(f"{dear} (memory +{100 * (memory[dear] - 1):.0f} %")
    accuracy = expected(quick_effects, "test accuracy").set_index("change")
    better = set(accuracy[accuracy["verdict"] == "better"].index)
    worse = set(accuracy[accuracy["verdict"] == "worse"].index)
    assert all(name in said["Buys accuracy"] for name in better)
    assert better or "no change" in said["Buys accuracy"]
    for name in worse:
        assert any(name in said.get(sort, "") for sort in ("Costs accuracy", "Expensive"))
    sorts = [text for sort, text in said.items() if sort != "Undecided"]
    for name in quick_effects["change"].unique():
        assert sum(f", {name} (" in f", {text}" for text in sorts) <= 1
    for word, title in (("time", "time per step, train"), ("accuracy", "test accuracy")):
        rows = expected(quick_effects, title)
        open_ones = list(rows[rows["verdict"] == "inconclusive"]["change"])
        told = next((part for part in said["Undecided"].split("; ") if part.startswith(f"{word} of ")), "")
        assert bool(told) == bool(open_ones)
        named = [name for name in open_ones if name in told]
        more = f" and {len(open_ones) - 3} more"
        assert named == open_ones or (len(named) == 3 and more in told)
