"""LaTeX that holds together, whatever names hold; the reader here shares nothing with the writer."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import results
from results.report.paper import paper_table
from results.report.renderers.latex import escape, latex
from results.run import Run
from tests.results.planted import NORM, STEM, Plan, write_run

NASTY = r"[x] 50%_of #1 & ~10^2 \input{a} $<b>|c`d\"e\"$ -- *, 模型 é"
NAMED = {
    "textbackslash": "\\",
    "textasciitilde": "~",
    "textasciicircum": "^",
    "textless": "<",
    "textgreater": ">",
    "textbar": "|",
    "textasciigrave": "`",
    "dots": "…",
}
MATHS = {"-": "−", r"\pm": "±", r"\times": "×", r"\approx": "≈", r"\mu": "µ", r"\cdot": "·"}
MATHS |= {r"\ge": "≥", r"\le": "≤", r"\blacktriangle": "▲", r"\blacktriangledown": "▼"}
MATHS |= {r"\triangle": "△", r"\triangledown": "▽", r"\otimes": "✗"}
TOKEN = re.compile(
    r"\\symbol\{34\}|\\([a-z]+)\{\}|\\([_%&#${}])|\$([^$]+)\$|(~)(?=\\%)|(---?)|\{([\[\]*])\}|(\{\})|(.)",
    re.DOTALL,
)


def read(source: str) -> str:
    """What TeX would show; a character that would do anything else is a mistake."""
    shown = ""
    for found in TOKEN.finditer(source):
        command, sign, maths, tie, dash, kept, empty, other = found.groups()
        assert other is None or other not in '\\{}$&#^_~%<>|`"[]*', (other, source)
        dashes = {"--": "–", "---": "—"}
        shown += (
            NAMED[command]
            if command
            else sign
            or (MATHS[maths] if maths else "")
            or (" " if tie else "")
            or (dashes[dash] if dash else "")
            or kept
            or ("" if empty else other or '"')
        )
    return shown


@given(st.text())
def test_any_text_is_shown_as_it_is(text: str) -> None:
    assert read(escape(text)) == " ".join(text.split())


@pytest.mark.parametrize("text", [NASTY, "95 %", "a--b---c", "▲▼△▽≈✗ −1 ±2 ×3 µs — – … ≥ ≤", "{}[]*", "=1+1"])
def test_what_names_and_tables_hold_is_shown_as_it_is(text: str) -> None:
    assert read(escape(text)) == " ".join(text.split())


def test_two_hyphens_are_no_dash_and_a_unit_stays_with_its_number() -> None:
    assert escape("a--b") == "a-{}-b"
    assert escape("95 %") == r"95~\%"


def environments(source: str) -> list[str]:
    """Names of environments, each of which ends before the one that it stands in."""
    names, still_open = [], []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", source):
        if kind == "begin":
            names.append(name)
            still_open.append(name)
        else:
            assert still_open.pop() == name
    assert not still_open
    return names


def columns_of(line: str) -> int:
    """How many columns a row of a table fills."""
    spans = [int(count) for count in re.findall(r"\\multicolumn\{(\d+)\}", line)]
    return len(re.findall(r"(?<!\\)&", line)) + 1 + sum(spans) - len(spans)


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of which names and reasons hold whatever LaTeX gives a meaning to."""
    plan = Plan(rename={STEM: NASTY, NORM: f"*{NASTY}"}, reason=NASTY, seeds=6)
    return results.load(write_run(tmp_path_factory.mktemp("runs") / "nasty", plan))


@pytest.mark.parametrize("workloads", [[], ["throughput-64"]])
def test_every_row_has_as_many_cells_as_columns_and_braces_and_environments_close(
    nasty: Run, workloads: list[str]
) -> None:
    table = paper_table(nasty.analysis, "laptop-1", workloads=workloads)
    assert table is not None
    source = latex(table)
    body = "\n".join(line for line in source.splitlines() if not line.startswith("%"))
    kind = "table" if workloads else "table*"
    names = environments(body)
    assert [name for name in names if name != "tabular"] == [kind, "threeparttable", "tablenotes"]
    assert not re.search(r"(?<!\\)%", body.replace("{!}{%", "")), "nothing is a comment but after the box"
    bare = re.sub(r"\\[\\{}]", "", body)
    depth = 0
    for sign in bare:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0
    assert depth == 0
    assert len(re.findall(r"(?<!\\)\$", bare)) % 2 == 0
    inside = body.partition(r"\toprule")[2].partition(r"\bottomrule")[0]
    rows = [line for line in inside.splitlines() if line.endswith(r" \\")]
    assert len(rows) == 2 + 1 + len(table.names)
    assert {columns_of(row) for row in rows} == {1 + len(table.questions)}
    heads = [read(row.partition(" & ")[0]) for row in rows[2:]]
    assert heads == ["baseline", *table.names]
    assert {" ".join(NASTY.split()), f"*{' '.join(NASTY.split())}"} <= set(heads)
    assert "模型" in source


def test_marks_lead_to_notes(nasty: Run) -> None:
    table = paper_table(nasty.analysis, "laptop-1")
    assert table is not None
    source = latex(table)
    marks = set(re.findall(r"\\tnote\{(\w+)\}", source))
    assert marks
    assert marks == set(re.findall(r"^\\item\[(\w+)\]", source, flags=re.MULTILINE))
