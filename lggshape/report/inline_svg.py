"""Figures as elements of a page: names that are unique there, and what pointing at a part shows."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from xml.etree import ElementTree

from markupsafe import Markup

_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"

_DECIMALS = re.compile(r"\d+\.\d{3,}")

_Element = ElementTree.Element


def inline_svg(
    text: str, prefix: str, label: str, titles: Mapping[str, str] = MappingProxyType({})
) -> Markup:
    """Return a figure as an element of an HTML page.

    Parameters
    ----------
    text : str
        The SVG file.
    prefix : str
        Begins every id of the element, so that figures of one page do not mix theirs up.
    label : str
        What the figure shows, for those who cannot see it.
    titles : mapping of str to str
        What is shown when a link of the figure is pointed at or focused, by where it leads in the
        page. Links of the file to the page become links within it.

    Examples
    --------
    >>> print(inline_svg('<svg xmlns="http://www.w3.org/2000/svg"><g id="a"/></svg>', "f1", "A"))
    <svg role="img" aria-label="A"><g /></svg>
    """
    root = ElementTree.fromstring(text)
    _simplify(root)
    links = list(root.iter("a"))
    for link in links:
        _shorten_link(link, titles)
    _rename(root, prefix)
    role = "group" if links else "img"
    kept = {
        name: root.attrib[name] for name in ("width", "height", "viewBox") if name in root.attrib
    }
    root.attrib = {"role": role, "aria-label": label} | kept
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _simplify(root: _Element) -> None:
    """Write what a page needs as HTML does, coordinates to a hundredth, and drop the rest."""
    for element in list(root.iter()):
        element.tag = element.tag.removeprefix(_SVG)
        if (target := element.attrib.pop(f"{_XLINK}href", None)) is not None:
            element.set("href", target)
        for name in {"x", "y", "d", "transform", "width", "height"} & element.attrib.keys():
            element.set(name, _DECIMALS.sub(_rounded, element.get(name, "")))
        for child in [
            child for child in element if child.tag in {f"{_SVG}metadata", f"{_SVG}style"}
        ]:
            element.remove(child)
        if element.tag != "text" and not (element.text or "").strip():
            element.text = None
        if not (element.tail or "").strip():
            element.tail = None


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _shorten_link(link: _Element, titles: Mapping[str, str]) -> None:
    """Make a link of a point lead to a place in the page, with a title and nothing else."""
    target = f"#{link.get('href', '').partition('#')[2]}"
    points = list(link.iter("use"))
    link.clear()
    link.set("href", target)
    ElementTree.SubElement(link, "title").text = titles.get(target, "")
    link.extend(points)


def _rename(root: _Element, prefix: str) -> None:
    """Leave what elements refer to an id of this figure, and others none."""
    used = {
        element.get("href", "")
        for element in root.iter()
        if element.tag != "a" and element.get("href", "").startswith("#")
    }
    used |= {clip[4:-1] for element in root.iter() if (clip := element.get("clip-path"))}
    for element in root.iter():
        own = element.attrib.pop("id", None)
        if f"#{own}" in used:
            element.set("id", f"{prefix}-{own}")
        if element.tag != "a" and element.get("href") in used:
            element.set("href", f"#{prefix}-{element.get('href', '')[1:]}")
        if (clip := element.get("clip-path")) is not None:
            element.set("clip-path", f"url(#{prefix}-{clip[5:-1]})")
