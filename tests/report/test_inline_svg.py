from xml.etree import ElementTree

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from lggshape.figures import render
from lggshape.report.inline_svg import inline_svg


@pytest.fixture
def figure() -> Figure:
    figure = Figure()
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], marker="o")
    points = axes.scatter([1, 2], [3, 4])
    points.set_urls(["#patient-1", "#patient-2"])
    axes.imshow([[0.0, 1.0]])
    return figure


def test_two_figures_of_a_page_share_no_id_and_refer_to_their_own_invariant(
    figure: Figure,
) -> None:
    text = render(figure).svg
    for prefix in ("f1", "f2"):
        root = ElementTree.fromstring(inline_svg(text, prefix, "A figure"))
        ids = {element.attrib["id"] for element in root.iter() if "id" in element.attrib}
        assert ids
        assert all(name.startswith(f"{prefix}-") for name in ids)
        targets = {
            element.attrib["href"][1:]
            for element in root.iter()
            if element.tag not in {"a", "image"} and "href" in element.attrib
        }
        clips = {e.attrib["clip-path"][5:-1] for e in root.iter() if "clip-path" in e.attrib}
        assert targets | clips == ids


def test_a_link_shows_and_tells_what_it_is_of(figure: Figure) -> None:
    titles = {"#patient-1": "P1 <b>: 3", "#patient-2": "P2: 4"}
    root = ElementTree.fromstring(inline_svg(render(figure).svg, "f", "A", titles))
    links = [element for element in root.iter() if element.tag == "a"]
    assert {link.attrib["href"]: link.findtext("title") for link in links} == titles
    assert root.attrib["role"] == "group"


def test_a_figure_without_links_is_an_image_with_a_name() -> None:
    root = ElementTree.fromstring(inline_svg(render(Figure()).svg, "f", 'n < 3 & "b"'))
    assert (root.attrib["role"], root.attrib["aria-label"]) == ("img", 'n < 3 & "b"')
    assert mpl.rcParams["svg.fonttype"] == "path"  # the style is put back
    assert not [element for element in root.iter() if element.tag in {"style", "metadata"}]
