"""From sections to a page, Markdown, a terminal; a renderer knows what a table is, and no topic."""
