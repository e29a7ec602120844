from dataclasses import replace

import numpy as np
import pytest

from lggshape.case import Case
from lggshape.errors import CaseError, InputError
from lggshape.visualisation import plot_case, plot_features


@pytest.fixture
def case(head, tumour):
    image = np.stack([head + 1000, head], axis=-1)
    return Case("a", "p", image=image, mask=tumour, sequences=("pre-contrast", "FLAIR"))


def slices(figure):
    """Return the numbers of the slices that are shown."""
    return [int(axes.texts[-1].get_text()) for axes in figure.axes if axes.axison]


def test_slices_with_tumour_are_shown_on_flair_analytic(case, head):
    figure = plot_case(case)
    assert slices(figure) == [4, 5, 6, 7]
    np.testing.assert_array_equal(figure.axes[1].images[0].get_array(), head[4])
    assert [len(axes.lines) for axes in figure.axes[:4]] == [0, 1, 1, 0]


def test_another_sequence_may_be_shown_and_the_first_stands_in_for_flair_analytic(case, head):
    figure = plot_case(case, sequence="pre-contrast")
    np.testing.assert_array_equal(figure.axes[1].images[0].get_array(), head[4] + 1000)
    without = replace(case, image=case.image[..., :1], sequences=("post-contrast",))
    np.testing.assert_array_equal(plot_case(without).axes[1].images[0].get_array(), head[4] + 1000)
    with pytest.raises(InputError, match=r"found 'T2'\. It has: pre-contrast, FLAIR"):
        plot_case(case, sequence="T2")


@pytest.mark.parametrize("mask", [None, np.zeros((10, 40, 30), dtype=bool)])
def test_without_a_tumour_the_slices_of_the_head_are_shown_analytic(case, mask):
    figure = plot_case(replace(case, mask=mask))
    assert slices(figure) == list(range(2, 10))
    assert not any(axes.lines for axes in figure.axes)


def test_without_an_image_the_outline_is_drawn_on_white_analytic(case):
    figure = plot_case(replace(case, image=None, sequences=()))
    assert slices(figure) == [4, 5, 6, 7]
    assert not any(axes.images for axes in figure.axes)
    assert len(figure.axes[1].lines) == 1


def test_an_image_without_contrast_and_an_empty_mask_can_be_drawn_analytic(case):
    blank = np.zeros_like(case.image)
    assert slices(plot_case(replace(case, image=blank, mask=None))) == list(range(1, 11))
    empty = Case("a", "p", mask=np.zeros((30, 4, 4), dtype=bool))
    assert len(slices(plot_case(empty))) == 24


def test_a_predicted_mask_is_drawn_beside_the_reference_analytic(case, tumour):
    figure = plot_case(case, predicted=np.roll(tumour, 1, axis=2) * 255)
    assert figure.texts[0].get_text() == "a   Dice 0.800"
    with pytest.raises(InputError, match=r"shape \(10, 40, 30\) of case a, found \(9, 40, 30\)"):
        plot_case(case, predicted=tumour[1:])


def test_what_cannot_be_drawn_is_an_error_with_the_reason_analytic(case):
    with pytest.raises(CaseError, match="case a to have an image or a mask, found none"):
        plot_case(Case("a", "p"))
    with pytest.raises(CaseError, match=r"same shape, found \(10, 40, 30\) and \(9, 40, 30\)"):
        plot_case(replace(case, mask=case.mask[1:]))
    broken = case.image.copy()
    broken[0, 0, 0, 1] = np.nan
    with pytest.raises(CaseError, match="FLAIR of case a to be finite"):
        plot_case(replace(case, image=broken))
    for mask in (None, np.zeros_like(case.mask)):
        with pytest.raises(CaseError, match="case a to have a mask with a tumour"):
            plot_features(replace(case, mask=mask))


def test_a_case_plots_itself_invariant(case):
    own, other = case.plot(sequence="pre-contrast"), plot_case(case, sequence="pre-contrast")
    assert slices(own) == slices(other)
    np.testing.assert_array_equal(
        own.axes[0].images[0].get_array(), other.axes[0].images[0].get_array()
    )


def test_each_region_has_an_outline_of_its_own_colour_analytic(tumour):
    core = np.zeros_like(tumour)
    core[4:6, 22:24, 15:17] = True
    regions = {f"region_{number}": one for number, one in enumerate([tumour, core, core, core])}
    case = Case("a", "p", mask=tumour, regions=regions)
    figure = plot_case(case, predicted=tumour)
    legend = figure.legends[0]
    names = [text.get_text() for text in legend.get_texts()]
    assert names == [*(f"region {number}" for number in range(4)), "predicted"]
    assert len({line.get_color() for line in legend.get_lines()}) == 5
    assert figure.texts[0].get_text() == "a   Dice 1.000"
