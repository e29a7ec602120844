"""Slices of two masks of one tumour on different grids."""

import numpy as np
import pytest

from lggshape.masks import Mask
from lggshape.studies.second_outlines import slices


def cone(count: int, step: int = 1) -> Mask:
    """Return squares of sides 1, 2 and so on, each in so many slices, between empty slices."""
    mask = np.zeros((2 + count, 24, 24), dtype=bool)
    for number in range(count):
        mask[number + 1, : number + 1, : number + 1] = True
    return np.repeat(mask, step, axis=0)


def test_thin_slices_are_counted_by_thick_ones_analytic() -> None:
    assert slices.extent(cone(5, 4)) == (4, 20)
    assert slices.step_between(cone(5), cone(5, 4)) == 4
    assert slices.step_between(cone(5, 4), cone(5)) == 1


def test_thick_slices_come_back_from_thin_ones_invariant() -> None:
    expected = cone(5)[1:6]
    np.testing.assert_array_equal(slices.every_step(cone(5, 4), 4), expected)
    np.testing.assert_array_equal(slices.in_thick_slices(cone(5, 4), 4), expected)


def test_the_same_height_analytic() -> None:
    for number, upwards, expected in ((1, True, 1), (3, True, 3), (5, False, 1)):
        found = slices.same_height(number, cone(5), cone(5, 4), upwards=upwards)
        assert found // 4 == expected


def test_areas_tell_which_way_slices_are_counted_analytic() -> None:
    upwards = slices.profile_correlation(cone(5), cone(5, 4), upwards=True)
    assert upwards > 0.9 > slices.profile_correlation(cone(5), cone(5, 4), upwards=False)
    assert slices.profile_correlation(cone(5), cone(5, 4)[::-1], upwards=False) == pytest.approx(
        upwards
    )
    assert np.isnan(slices.profile_correlation(cone(1), cone(5), upwards=True))


def test_outlines_overlap_whatever_their_place_and_size_invariant() -> None:
    shape = np.zeros((60, 60), dtype=bool)
    shape[5:35, 5:20] = shape[25:35, 5:45] = True
    larger = np.zeros((200, 200), dtype=bool)
    larger[100:160, 90:120] = larger[140:160, 90:170] = True
    found = slices.overlaps(slices.normalised(shape), slices.normalised(np.rot90(larger, 2)))
    assert max(found, key=lambda name: found[name]) == "turned by 180"
    assert found["turned by 180"] > 0.97
    assert found["as it is"] < 0.8
