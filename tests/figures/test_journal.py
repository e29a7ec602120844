import re
import struct
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from lggshape.figures import Journal, box_and_points, render, write_figures


def drawn() -> Figure:
    return box_and_points([[1.0, 2.0, 4.0]], ["a"], value_name="value")


def for_journal(journal: Journal, figure: Figure | None = None) -> bytes:
    rendered = render(drawn() if figure is None else figure, journal)
    assert rendered.journal is not None
    ending, content = rendered.journal
    assert ending == journal.format
    return content


def size(pdf: bytes) -> list[float]:
    """Return width and height in mm."""
    found = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf)
    assert found is not None
    return [float(points) * 25.4 / 72 for points in found.groups()]


def test_the_files_that_are_written_in_any_case_stay_the_same_invariant() -> None:
    plain, further = render(drawn()), render(drawn(), Journal("pdf", width=85))
    assert plain.journal is None
    assert (plain.svg, plain.png) == (further.svg, further.png)


def test_a_pdf_has_its_width_and_embedded_truetype_fonts_analytic() -> None:
    pdf = for_journal(Journal("pdf", width=85))
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    width, height = 25.4 * drawn().get_size_inches()
    assert size(pdf) == pytest.approx([85, height * max(85 / width, 2 / 3)], abs=0.1)
    assert pdf == for_journal(Journal("pdf", width=85))


def test_a_png_has_as_many_dots_as_its_width_needs_analytic() -> None:
    png = for_journal(Journal("png", dpi=600, width=85))
    assert struct.unpack(">I", png[16:20]) == (int(85 / 25.4 * 600),)


def test_an_svg_needs_no_font() -> None:
    svg = for_journal(Journal("svg", width=85)).decode()
    assert "<text" not in svg
    assert float(re.search(r'width="([\d.]+)pt"', svg)[1]) == pytest.approx(85 * 72 / 25.4)
    assert "<text" in render(drawn()).svg


@pytest.mark.parametrize(("share", "points"), [(0.5, 6.0), (0.8, 7.2), (1.2, 9.0)])
def test_text_shrinks_with_the_figure_to_six_points_analytic(share: float, points: float) -> None:
    figure = drawn()
    render(figure, Journal("pdf", width=share * 25.4 * figure.get_size_inches()[0]))
    axes = figure.axes[0]
    sizes = [text.get_fontsize() for text in (*axes.get_yticklabels(), axes.yaxis.label)]
    assert sizes == pytest.approx([points] * len(sizes))


def test_images_keep_their_proportions_analytic() -> None:
    figure = Figure((6.0, 3.0))
    figure.subplots().imshow(np.zeros((3, 6)))
    assert size(for_journal(Journal("pdf", width=76.2), figure)) == pytest.approx([76.2, 38.1])


def test_a_journal_adds_a_file_or_replaces_the_one_of_its_kind(tmp_path: Path) -> None:
    write_figures({"a": drawn()}, tmp_path, journal=Journal("pdf"))
    write_figures({"b": drawn()}, tmp_path, journal=Journal("svg"))
    names = [path.name for path in tmp_path.iterdir()]
    assert sorted(names) == ["a.pdf", "a.png", "a.svg", "b.png", "b.svg"]
    assert "<text" in (tmp_path / "a.svg").read_text()
    assert "<text" not in (tmp_path / "b.svg").read_text()
