"""Sequences aligned by a rigid motion."""

import numpy as np
import pytest

from lggshape.case import Geometry, corners
from lggshape.phantoms import make_phantom
from lggshape.readers.registration import register
from lggshape.readers.resampling import resample_image
from lggshape.readers.unusable import UnusableError

SHAPE = (18, 30, 30)


@pytest.fixture(scope="module")
def head():
    """Return FLAIR and T1 of a phantom, voxels of 7.5 mm, and where they lie."""
    phantom = make_phantom(np.random.default_rng(5), size=SHAPE)
    spacing = phantom.geometry.spacing
    affine = np.eye(4)[[2, 1, 0, 3]] @ np.diag([*spacing, 1.0])
    affine[:3, 3] = [-110, -110, -55]
    place = Geometry(spacing, affine)
    return phantom.image[..., 1], phantom.image[..., 0], place


def motion(degrees, shift):
    """Turn about the axis x = y = z, then shift by millimetres."""
    from scipy.spatial.transform import Rotation

    matrix = np.eye(4)
    axis = np.ones(3) / np.sqrt(3)
    matrix[:3, :3] = Rotation.from_rotvec(np.radians(degrees) * axis).as_matrix()
    matrix[:3, 3] = shift
    return matrix


def displacement(matrix, ends):
    return ends @ matrix[:3, :3].T + matrix[:3, 3] - ends


@pytest.mark.parametrize(("degrees", "shift"), [(0, (4.0, -6.0, 5.0)), (6, (3.0, 2.0, -4.0))])
def test_a_motion_is_found_back_to_a_third_of_a_voxel_analytic(head, degrees, shift):
    flair, t1, place = head
    true = motion(degrees, shift)
    # What lies at a place in FLAIR lies at true @ place in the moved T1.
    moved = resample_image(t1, place, place, SHAPE, moved=np.linalg.inv(true)).values
    found = register(moved, place, flair, place)
    ends = corners(place.affine, SHAPE)
    error = np.linalg.norm(displacement(found.matrix, ends) - displacement(true, ends), axis=1)
    assert error.max() < 7.5 / 3
    largest = np.linalg.norm(displacement(true, ends), axis=1).max()
    assert found.moved == pytest.approx(largest, abs=7.5 / 3)


def test_two_runs_find_the_same_motion_invariant(head):
    flair, t1, place = head
    one, two = (register(t1, place, flair, place) for _ in range(2))
    np.testing.assert_array_equal(one.matrix, two.matrix)
    assert one.moved < 7.5 / 4  # what lies in one place stays there


def test_a_volume_of_something_else_is_refused(head):
    flair, _, place = head
    noise = np.random.default_rng(0).random(SHAPE)
    with pytest.raises(UnusableError, match=r"motion"):
        register(noise, place, flair, place)


@pytest.mark.parametrize("value", [np.nan, 3.0])
def test_a_volume_without_contrast_is_refused(head, value):
    flair, _, place = head
    with pytest.raises(UnusableError, match=r"cannot be registered"):
        register(np.full(SHAPE, value), place, flair, place)
