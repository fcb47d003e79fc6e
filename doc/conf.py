"""Sphinx configuration: numpydoc pages of the API, written from the package by `api_pages`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import skmtl

project = "skmtl"
author = "skmtl developers"
copyright = "2026, skmtl developers"
version = release = skmtl.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "myst_parser",
    "numpydoc",
    "api_pages",
]
exclude_patterns = ["_build", "_templates"]
templates_path = ["_templates"]
default_role = "literal"

autosummary_generate = True
autodoc_typehints = "none"
# the class template lists the methods, so numpydoc does not list them again
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "skmtl"
html_show_sourcelink = False
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
