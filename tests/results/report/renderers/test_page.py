"""The page as markup."""

from results.report.document import Document, Head, Laid
from results.report.renderers.inline_svg import inline_svg
from results.report.renderers.page import page
from results.report.section import Entry, Table


def test_names_in_a_drawing_stay_as_they_are() -> None:
    name = 'eps=0.0001, colour=#ffffff, href="#y"'
    shown = name.replace('"', "&quot;")
    drawing = (
        '<?xml version="1.0"?><svg width="10pt" viewBox="0 0 10 10"><metadata>x</metadata>'
        f'<g id="a" style="fill: #ffffff"><path d="M 1.23456 2"/><text>{shown}</text></g>'
        '<use xlink:href="#a"/></svg>'
    )
    inline = inline_svg(drawing.encode(), "p")
    assert f"<text>{shown}</text>" in inline
    assert '<g id="p-a" style="fill: var(--card)">' in inline
    assert '<use href="#p-a"/>' in inline
    assert 'd="M 1.23 2"' in inline
    assert "metadata" not in inline


def test_a_cell_leads_only_to_a_section_that_is_there() -> None:
    rows = [[Entry("a"), Entry("here", link="numbers")], [Entry("b"), Entry("there", link="nowhere")]]
    said = Laid("numbers", "Numbers", [Table(["row", "where"], rows)])
    head = Head("study", "Is it so?", "study", "Two.", [], "Study 1.")
    source = page(Document(head, [], [said], {}), lambda _: ("", ""))
    assert '<a href="#numbers">here</a>' in source
    assert "#nowhere" not in source
    assert "there" in source
