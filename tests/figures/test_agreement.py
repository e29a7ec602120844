import numpy as np
import pytest

from lggshape.figures import render
from lggshape.figures.agreement import agreement_plot


def panels(measured, reference):
    return agreement_plot(
        measured,
        reference,
        measured_name="predicted",
        reference_name="reference",
        quantity="volume (mL)",
    ).axes


def test_points_and_limits_of_agreement_analytic() -> None:
    measured, reference = np.array([3.0, 5.0, 10.0]), np.array([2.0, 5.0, 8.0])
    left, right = panels(measured, reference)
    np.testing.assert_allclose(left.collections[0].get_offsets(), [[2, 3], [5, 5], [8, 10]])
    np.testing.assert_allclose(right.collections[0].get_offsets(), [[2.5, 1], [5, 0], [9, 2]])
    # Differences 1, 0 and 2: mean 1, standard deviation 1.
    heights = [line.get_ydata()[0] for line in right.lines]
    assert heights == pytest.approx([0, 1, 1 - 1.96, 1 + 1.96])
    assert left.get_xlabel() == "reference volume (mL)"
    assert right.get_ylabel() == "predicted − reference volume (mL)"


def test_two_points_have_no_limits() -> None:
    _, right = panels([1.0, 2.0], [1.0, 2.5])
    assert len(right.lines) == 1


def test_ticks_are_numbers_in_plain_text() -> None:
    figure = panels([20_000.0, 90_000.0], [25_000.0, 80_000.0])[0].figure
    assert "mathdefault" not in render(figure).svg


def test_limits_that_are_lines_analytic() -> None:
    lines = [(0.0, 0.2), (-0.1, -0.5), (0.1, 0.9)]
    figure = agreement_plot(
        [1.0, 3, 5], [2.0, 3, 6],
        measured_name="a", reference_name="b", quantity="q", lines=lines,
    )  # fmt: skip
    drawn = figure.axes[1].lines[1:]
    assert [tuple(line.get_ydata()) for line in drawn] == lines
    assert [tuple(line.get_xdata()) for line in drawn] == [(1.5, 5.5)] * 3
