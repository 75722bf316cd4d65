"""Settings of the documentation site; `nox -s docs` builds it, and `_ext/reference` makes what is generated."""

import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "Architecture ablations"
author = "The architecture-ablations developers"
release = version = metadata.version("architecture-ablations")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "reference"]
exclude_patterns = ["_build", "_ext"]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
smartquotes = False  # `--seeds` stays two hyphens
default_role = "code"  # as docstrings write names
napoleon_numpy_docstring = False
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"

html_theme = "furo"
html_title = f"{project} {release}"
html_show_copyright = False
