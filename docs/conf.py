"""Settings of the documentation site, which `nox -s docs` builds."""

import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "Architecture ablations"
author = "The architecture-ablations developers"
release = version = metadata.version("architecture-ablations")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "docstrings", "reference_pages"]
exclude_patterns = ["_build", "_ext", "_static"]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
smartquotes = False  # `--seeds` stays two hyphens
default_role = "code"  # as docstrings write names
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"

# A name that leads nowhere is a mistake, unless it is another project's or a detail that nobody calls.
nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"(collections|contextlib|matplotlib|pandas|pathlib|pydantic|torch|types|typing)\..*"),
    (r"py:.*", r"nn\.Module"),
    (r"py:exc", r"(RecordError|StorageError|BadInput)"),
    (r"py:class", r"(Report|Drawing)"),  # imported for types alone
    (r"py:class", r"results\.(tables\.analysis\.Analysis|report\.write\.Report|records\..*)"),
    (r"py:class", r"(Report|Drawing)"),  # imported for types alone
    (r"py:class", r"runners\.(budget\.Budget|folder\.Folder|images\.Preparation|shards\.Shard)"),
]

html_theme = "furo"
html_title = f"{project} {release}"
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
