"""Figures as elements of a page: names that are unique there, and what pointing at a part shows."""

from collections.abc import Mapping
from types import MappingProxyType
from xml.etree import ElementTree

from markupsafe import Markup

_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"


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
        What is shown when a link of the figure is pointed at or focused, by where it leads.

    Examples
    --------
    >>> print(inline_svg('<svg xmlns="http://www.w3.org/2000/svg"><g id="a"/></svg>', "f1", "A"))
    <svg role="img" aria-label="A"><g /></svg>
    """
    root = ElementTree.fromstring(text)
    for element in list(root.iter()):
        element.tag = element.tag.removeprefix(_SVG)
        if (target := element.attrib.pop(f"{_XLINK}href", None)) is not None:
            element.set("href", target)
    _drop(root, {"metadata", "style"})
    ids = {f"#{one}": f"#{prefix}-{one}" for one in _used(root)}
    linked = False
    for element in root.iter():
        own = element.attrib.pop("id", None)
        if f"#{own}" in ids:
            element.set("id", f"{prefix}-{own}")
        if element.tag == "a":
            linked = True
            title = titles.get(element.get("href", ""), "")
            element.set("aria-label", title)
            ElementTree.SubElement(element, "title").text = title
            continue
        if element.get("href") in ids:
            element.set("href", ids[element.get("href", "")])
        if (clip := element.get("clip-path")) is not None:
            element.set("clip-path", f"url({ids[clip[4:-1]]})")
    for name in ("version", f"{_XLINK}xlink"):
        root.attrib.pop(name, None)
    root.attrib = {"role": "group" if linked else "img", "aria-label": label} | root.attrib
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _used(root: ElementTree.Element) -> set[str]:
    """Return the ids that elements of the figure refer to."""
    used = set()
    for element in root.iter():
        if element.tag != "a" and element.get("href", "").startswith("#"):
            used.add(element.get("href", "")[1:])
        if (clip := element.get("clip-path")) is not None:
            used.add(clip[5:-1])
    return used


def _drop(root: ElementTree.Element, tags: set[str]) -> None:
    """Remove elements that a page does not need, wherever they are."""
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag in tags]:
            parent.remove(child)
