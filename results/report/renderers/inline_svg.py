"""Drawings as part of the page: in its colours, with ids of their own, as wide as there is room."""

import re

from results.plots.theme import BAND, COLOURS, FAINT, FAINT_INK, GRID, INK

LEAST_POINTS = 8.0
"""Smaller type nobody reads on a phone."""
_VARIABLES = {
    "#ffffff": "var(--card)",
    INK: "var(--ink)",
    FAINT_INK: "var(--soft)",
    FAINT: "var(--faint)",
    BAND: "var(--band)",
    GRID: "var(--grid)",
    COLOURS["inconclusive"]: "var(--soft)",
    COLOURS["invalid"]: "var(--ink)",
    COLOURS["better"]: "var(--blue)",
    COLOURS["worse"]: "var(--orange)",
    COLOURS["equivalent"]: "var(--green)",
}
_COLOUR = re.compile("|".join(map(re.escape, _VARIABLES)))


def inline_svg(drawing: bytes, prefix: str, least_points: float = 0.0) -> str:
    """An SVG of matplotlib for a page that holds several: no header, no size, its colours the page's.

    Args:
        drawing: As `results.plots.drawn` gives it.
        prefix: What ids begin with; unique on the page.
        least_points: Smaller type is enlarged to this.
    """
    text = drawing.decode("utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
    width = float(_found(r'viewBox="0 0 ([\d.]+) [\d.]+"', text))
    opened, rest = text.split(">", 1)
    opened = re.sub(r'\s(?:width|height|version|xmlns(?::\w+)?)="[^"]*"', "", opened)
    # 4/3: a point in pixels. Wider than drawn it would only be coarser.
    opened += f' style="max-width: {width * 4 / 3:.0f}px" aria-hidden="true" focusable="false"'
    text = f"{opened}>{rest}"
    # Tags alone: what stands between them are names, and matplotlib escapes their brackets.
    text = re.sub(r"<[^>]*>", lambda tag: _rewritten(tag[0], prefix), text)
    text = re.sub(
        r"(font(?:-size)?: )([\d.]+)px",
        lambda found: f"{found[1]}{max(float(found[2]), least_points):g}px",
        text,
    )
    return re.sub(r"\n\s*", "\n", text).strip()


def _rewritten(tag: str, prefix: str) -> str:
    tag = re.sub(r'(\sid="|url\(#|href="#)', rf"\g<1>{prefix}-", tag).replace("xlink:href", "href")
    tag = _COLOUR.sub(lambda found: _VARIABLES[found[0]], tag)
    return re.sub(r"\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}", tag)


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"no {pattern} in the drawing")
    return found[1]
