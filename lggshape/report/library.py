"""The library that sorts, filters and saves tables in a browser, as it lies in its own package.

It is DataTables with extensions (MIT licence), from the package `itables`, which keeps it up to
date. Its licences stand in its text.
"""

from functools import cache
from importlib import resources

from markupsafe import Markup

NOTICE = (
    "Tables are sorted and filtered by DataTables (datatables.net, MIT licence), which is part of "
    "this file; its licences stand in it."
)


@cache
def script() -> Markup:
    """Return the library as the content of a `script` element.

    The signs that HTML gives a meaning there are written as JavaScript's own, as the standard
    advises (https://html.spec.whatwg.org/multipage/scripting.html, restrictions for contents of
    script elements).
    """
    text = _read("dt_bundle.js")
    for sign in ("<!--", "<script", "</script"):
        text = text.replace(sign, f"\\x3C{sign[1:]}")
    return Markup(text)


@cache
def style() -> Markup:
    """Return the style sheet of the library as the content of a `style` element."""
    return Markup(_read("dt_bundle.css"))


def _read(name: str) -> str:
    return resources.files("itables").joinpath("html", name).read_text(encoding="utf-8")
