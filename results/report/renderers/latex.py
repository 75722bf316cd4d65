"""The headline table as LaTeX, booktabs in threeparttable; whatever a name holds, it comes out as text."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from results.report.paper import PaperTable
from results.report.section import Entry, Question

MOST_NARROW = 3
"""So many columns fit one column of text; more take the whole width of the page."""
_HEAD_CHARACTERS = 18
_PACKAGES = (
    r"% Needs \usepackage{amssymb,booktabs,graphicx,threeparttable}; names in other scripts than Latin need"
    "\n% LuaLaTeX or XeLaTeX, too, and a font that has them."
)
_WIDE = "% Made narrower to fit the text; --metric and --workload leave columns out."
_STACKED = r"\providecommand{\stacked}[2][t]{\begin{tabular}[#1]{@{}r@{}}#2\end{tabular}}"
# What is wider than the text is made narrower; what is not stays as it is.
_FITTED = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
_SIGNS = {sign: rf"\{sign}" for sign in "_%&#${}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    # Packages for languages make commands of quotes; after the end of a row brackets and stars are options.
    '"': r"\symbol{34}",
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    "−": "$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "≈": r"$\approx$",
    "µ": r"$\mu$",
    "·": r"$\cdot$",
    "—": "---",
    "–": "--",
    "…": r"\dots{}",
    "≥": r"$\ge$",
    "≤": r"$\le$",
    "▲": r"$\blacktriangle$",
    "▼": r"$\blacktriangledown$",
    "△": r"$\triangle$",
    "▽": r"$\triangledown$",
    "✗": r"$\otimes$",
}
_SPECIAL = re.compile("|".join(["-{2,}", ",{2,}", " %", *map(re.escape, _SIGNS)]))


def escape(value: str) -> str:
    """Text that LaTeX sets as it is: no command, no column, no comment; letters of any script stay."""
    return _SPECIAL.sub(_shown, " ".join(value.split()))


def _shown(found: "re.Match[str]") -> str:
    sign = found.group()
    if sign == " %":
        return r"~\%"  # a number and its unit stay on one line
    return _SIGNS.get(sign) or "{}".join(sign)  # two hyphens would be a dash


def latex(table: PaperTable) -> str:
    """A float to paste into a paper."""
    narrow = len(table.questions) <= MOST_NARROW
    kind, size = ("table", r"\small") if narrow else ("table*", r"\scriptsize")
    label = re.sub(r"[^A-Za-z0-9]+", "-", table.name).strip("-")
    lines = [
        f"% {' '.join(table.source.split())}",
        _PACKAGES,
        *([] if narrow else [_WIDE]),
        rf"\begin{{{kind}}}",
        r"\centering",
        rf"\caption{{{escape(table.caption)}}}",
        rf"\label{{tab:{label}}}",
        rf"{size}\setlength{{\tabcolsep}}{{4pt}}",
        _STACKED,
        _FITTED,
        r"\begin{threeparttable}",
        rf"\begin{{tabular}}{{@{{}}l{'r' * len(table.questions)}@{{}}}}",
        r"\toprule",
        *_heads(table),
        r"\midrule",
        *_rows(table),
        r"\bottomrule",
        r"\end{tabular}",
        r"\begin{tablenotes}",
        *_notes(table),
        r"\end{tablenotes}",
        r"\end{threeparttable}}",
        rf"\end{{{kind}}}",
    ]
    return "\n".join([*lines, ""])


def _heads(table: PaperTable) -> Iterator[str]:
    spans, rules, first = [], [], 2
    for place, same in groupby(table.places):
        last = first + len(list(same)) - 1
        spans.append(rf"\multicolumn{{{last - first + 1}}}{{c}}{{{escape(place)}}}")
        rules.append(rf"\cmidrule(lr){{{first}-{last}}}")
        first = last + 1
    yield f" & {' & '.join(spans)} \\\\"
    yield " ".join(rules)
    yield _row("change", [_stacked(_head(question), "b") for question in table.questions])


def _head(question: Question) -> list[str]:
    parts = (question.title, f"({question.known},", f"margin {question.margin})")
    return [escape(line) for part in parts for line in textwrap.wrap(part, _HEAD_CHARACTERS)]


def _rows(table: PaperTable) -> Iterator[str]:
    yield _row("baseline", [escape(question.baseline) for question in table.questions])
    for name, cells, marks in zip(table.names, table.cells, table.marks, strict=True):
        yield r"\addlinespace"
        yield _row(escape(name), [_cell(*found) for found in zip(cells, marks, strict=True)])


def _row(name: str, cells: Sequence[str]) -> str:
    return f"{' & '.join([name, *cells])} \\\\"


def _cell(entry: Entry, mark: str) -> str:
    said = escape(entry.text) + (rf"\tnote{{{mark}}}" if mark else "")
    return _stacked([*filter(None, [escape(entry.value), said, escape(entry.detail)])])


def _stacked(lines: Sequence[str], place: str = "t") -> str:
    if len(lines) == 1 and place == "t":
        return lines[0]
    option, ends = "" if place == "t" else f"[{place}]", r"\\"
    return rf"\stacked{option}{{{ends.join(lines)}}}"


def _notes(table: PaperTable) -> Iterator[str]:
    for note in table.notes:
        yield rf"\item {escape(note)}"
    for place, context in table.contexts.items():
        yield rf"\item \textit{{{escape(place)}}}: {escape(context)}."
    for mark, remark in table.remarks.items():
        yield rf"\item[{mark}] {escape(remark)}."
