"""docs/pandas.md: every example runs, and prints what the page says."""

from pathlib import Path

import pytest

from tests.docs.pages import examples, filled, printed
from tests.docs.recorded import quick_and_earlier

PAGE = (Path(__file__).parents[2] / "docs" / "pandas.md").read_text("utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    quick_and_earlier(folder)
    return folder


def test_every_example_prints_what_the_page_says(folder: Path) -> None:
    assert len(examples(PAGE)) >= 12
    for (code, said), output in zip(examples(PAGE), printed(PAGE, folder), strict=True):
        assert output == said, code
        assert output, code


def test_another_output_is_seen_and_filled_in(folder: Path) -> None:
    page = "```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n\nand\n\n```python\nx = 1\n```\n"
    assert printed(page, folder) == ["2\n", ""] != [said for _, said in examples(page)]
    assert filled(page, folder) == page.replace("3", "2")


def test_an_example_that_fails_is_no_output(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        printed("```python\n1 / 0\n```\n", folder)
