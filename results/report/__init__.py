"""The report of a run: sections, one file per topic, and the renderers that lay them out."""
