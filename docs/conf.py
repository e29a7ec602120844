"""Settings of the site, for Sphinx: `make docs`."""

import re
import subprocess
import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
# sphinx-gallery imports this module to find `save_shown_figure`.
sys.path.insert(0, str(DOCS))

project = "lggshape"
author = "The lggshape developers"
version = release = installed_version("lggshape")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]

# The checkout is the source: so links between docs/, reports/ and the README hold on the site, too.
root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "reports/**/*.md",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "benchmarks/README.md",
    "lggshape/segmentation/weights/MODEL_CARD.md",
    "lggshape/studies/ucsf/protocol.md",
]
exclude_patterns = ["docs/_build", "docs/examples/*", "**/*.ipynb"]

default_role = "code"
numpydoc_show_class_members = False
numpydoc_validation_checks: set[str] = set()
autodoc_typehints = "none"  # numpydoc's sections say the types in words
autodoc_member_order = "bysource"
autosummary_generate = True

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4

sphinx_gallery_conf = {
    "examples_dirs": str(DOCS / "examples"),
    "gallery_dirs": str(DOCS / "gallery"),
    "filename_pattern": r"\.py$",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 10_000,
    "abort_on_example_error": True,
    "within_subsection_order": "FileNameSortKey",
    "image_scrapers": ("matplotlib", "conf.save_shown_figure"),
}

html_theme = "pydata_sphinx_theme"
html_title = f"lggshape {version}"
html_theme_options = {
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
}
html_show_sourcelink = False
html_additional_pages = {"index": "to_docs.html"}
templates_path = ["templates"]


def save_shown_figure(block: Any, variables: dict[str, Any], settings: dict[str, Any]) -> str:
    """Save the figure that an example shows by its last line, as a notebook would."""
    from matplotlib.figure import Figure
    from sphinx_gallery.scrapers import figure_rst

    shown = variables["example_globals"].get("___")
    if not isinstance(shown, Figure):
        return ""
    path = next(variables["image_path_iterator"])
    shown.savefig(path, dpi=150)
    variables["example_globals"]["___"] = None
    return str(figure_rst([path], settings["src_dir"]))


def write_commands(_: Any) -> None:
    """Write the help of every command as a page, by Typer, with its examples as shell blocks."""
    made = DOCS / "commands.md"
    document = [sys.executable, "-m", "typer", "lggshape_cli", "utils", "docs"]
    document += ["--name=lggshape", "--title=Commands", f"--output={made}"]
    subprocess.run(document, check=True, capture_output=True)
    text = made.read_text(encoding="utf-8")
    text = re.sub(r"\[bold\](.+?)\[/bold\]", r"**\1**", text)
    text = re.sub(r"^lggshape .+$", r"```console\n$ \g<0>\n```", text, flags=re.MULTILINE)
    made.write_text(text, encoding="utf-8")


def setup(app: Any) -> None:
    """Let Sphinx write the page of the commands before it reads the others."""
    app.connect("builder-inited", write_commands)
