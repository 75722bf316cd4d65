"""The page as markup."""

from results.report.document import Document, Head, Laid
from results.report.renderers.page import page
from results.report.section import Entry, Table


def test_a_cell_leads_only_to_a_section_that_is_there() -> None:
    rows = [[Entry("a"), Entry("here", link="numbers")], [Entry("b"), Entry("there", link="nowhere")]]
    said = Laid("numbers", "Numbers", [Table(["row", "where"], rows)])
    head = Head("study", "Is it so?", "study", "Two.", [], "Study 1.")
    source = page(Document(head, [], [said], {}), lambda _: ("", ""))
    assert '<a href="#numbers">here</a>' in source
    assert "#nowhere" not in source
    assert "there" in source
