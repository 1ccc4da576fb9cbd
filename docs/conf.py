"""How Sphinx builds the site: `make docs`."""

import os
from pathlib import Path
from typing import Any

import stargal

os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # the kernel of the notebook is not debugged

project = "stargal"
author = copyright = "The stargal developers"
version = release = stargal.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "myst_nb", "sphinx_design"]
exclude_patterns = ["_build"]
templates_path = ["_templates"]

# Pages
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
highlight_language = "text"
html_theme = "pydata_sphinx_theme"
html_title = f"stargal {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "navigation_with_keys": False,
    "collapse_navigation": True,
    "show_nav_level": 1,
    "back_to_top_button": False,
}
html_sidebars = {"index": []}

# The notebook
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
nb_ipywidgets_js = {}  # otherwise pages load scripts from elsewhere

# The library: its docstrings have types and shapes, so that the signatures need none. Training is documented without
# tensorflow, which takes longer to import than the rest together.
autodoc_mock_imports = ["tensorflow", "keras", "bokeh"]
autodoc_typehints = "none"
add_module_names = False
autodoc_member_order = "bysource"
autosummary_generate = True
numpydoc_show_class_members = False
default_role = "autolink"
nitpick_ignore_regex = [
    ("py:.*", r"(?!stargal\.).*")
]  # full names of the library must exist; others have no pages here


def notebooks(app: Any, env: Any, added: Any, changed: Any, removed: Any) -> list[str]:
    """Pages that depend on more than their text: notebooks run again in every build."""
    return [name for name in env.found_docs if Path(env.doc2path(name)).suffix == ".ipynb"]


def setup(app: Any) -> None:
    """Connect what is not an option."""
    app.connect("env-get-outdated", notebooks)
