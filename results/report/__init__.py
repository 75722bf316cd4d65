"""The report of a run: one self-contained page, the same in Markdown, figures and tables."""

from results.report.write import Report, write_report

__all__ = ["Report", "write_report"]
