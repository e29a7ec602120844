import numpy as np

from lggshape.figures import render
from lggshape.figures.intensities import intensity_quantiles

TABLE = np.array([[0, 1, 5, 8, 9], [0, 2, 3, 4, 6], [1, 2, 4, 7, 8]], dtype=float)


def drawn():
    return intensity_quantiles({"raw": TABLE, "scaled": TABLE / 10}, ["b", "a", "b"])


def ends(lines):
    return [(x[0], x[1], y[0]) for x, y in (segment.T for segment in lines.get_segments())]


def test_cases_are_sorted_by_group_and_median_analytic():
    for axes, unit in zip(drawn().axes, (1, 10), strict=True):
        whole, middle, medians, upright = axes.collections
        # Two empty lines between the groups.
        np.testing.assert_allclose(
            np.array(ends(whole)) * (unit, unit, 1), [(0, 6, 0), (1, 8, 3), (0, 9, 4)]
        )
        np.testing.assert_allclose(
            np.array(ends(middle)) * (unit, unit, 1), [(2, 4, 0), (2, 7, 3), (1, 8, 4)]
        )
        np.testing.assert_allclose(medians.get_offsets() * (unit, 1), [(3, 0), (4, 3), (5, 4)])
        assert [round(x * unit, 9) for x, _, _ in ends(upright)] == [3, 4.5]


def test_groups_are_named_with_their_number_analytic():
    raw, scaled = drawn().axes
    assert (raw.get_xlabel(), scaled.get_xlabel()) == ("raw", "scaled")
    names = {text.get_text(): text.get_position()[1] for text in raw.get_yticklabels()}
    assert names == {"a (n = 1)": 0, "b (n = 2)": 3.5}


def test_one_case_can_be_drawn_and_the_files_are_the_same_on_every_run_invariant():
    one = intensity_quantiles({"raw": TABLE[:1]}, ["a"])
    assert render(one) == render(intensity_quantiles({"raw": TABLE[:1]}, ["a"]))
