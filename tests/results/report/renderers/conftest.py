"""What tests of the page share: a recorded run of the study `quick`, reported, and a browser."""

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from selenium import webdriver

import results
from tests.browser import chromium

RECORDED = Path(__file__).parents[3] / "data" / "recorded" / "quick.tar.gz"


@pytest.fixture(scope="session")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="session")
def quick_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run of `quick` that a machine of two cores recorded."""
    folder = tmp_path_factory.mktemp("recorded")
    with tarfile.open(RECORDED) as archive:
        archive.extractall(folder, filter="data")
    return results.load(folder / "quick").report().index


@pytest.fixture(scope="session")
def quick_effects(quick_index: Path) -> pd.DataFrame:
    """Its effects as anyone reads them, the control left out."""
    frame = pd.read_csv(quick_index.parent / "tables" / "effects.csv", keep_default_na=False)
    frame["change"] = frame["factor"] + "=" + frame["level"].str.lstrip("'")
    return frame[frame["factor"] != "(control)"]
