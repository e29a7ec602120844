from dataclasses import replace

import numpy as np
import pytest

from lggshape.case import Case, Geometry
from lggshape.errors import CaseError
from lggshape.head import find_head
from lggshape.masks import dice
from lggshape.phantoms import make_phantom
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.preprocessing.frame import Frame
from lggshape.segmentation.preprocessing.network_input import prepare_input, with_neighbours


def test_a_missing_sequence_stays_missing_and_a_present_one_present_invariant():
    phantom = make_phantom(np.random.default_rng(0), size=(4, 40, 56))
    case = Case(id="P", patient="P", image=phantom.image[..., :2], sequences=phantom.sequences[:2])
    volume = prepare_input(case, NetworkConfiguration(size=64))
    assert volume.codes.shape == (4, 64, 64, 3)
    assert volume.missing == ("post-contrast",)
    assert volume.frame == Frame.of((40, 56), 64)
    assert volume.codes[..., :2].min() >= 1
    assert not volume.codes[..., 2].any()


def sized(size, field, **changed):
    """Return a phantom whose slices have a field of view in mm, and the pixels to go with it."""
    spacing = (5.0, field[0] / size[1], field[1] / size[2])
    phantom = make_phantom(np.random.default_rng(0), size=size)
    return replace(phantom, geometry=Geometry(spacing, **changed))


def test_without_spacing_the_longer_side_fills_the_square_analytic():
    case = replace(sized((3, 40, 30), (90, 90)), geometry=Geometry())
    volume = prepare_input(case, NetworkConfiguration(size=64))
    assert volume.frame == Frame.of((40, 30), 64)
    assert volume.notes == ()


def test_a_field_of_240_mm_is_prepared_as_without_spacing_invariant():
    case, configuration = sized((3, 60, 60), (240, 240)), NetworkConfiguration(size=64)
    expected = prepare_input(replace(case, geometry=Geometry()), configuration)
    found = prepare_input(case, configuration)
    np.testing.assert_array_equal(found.codes, expected.codes)
    assert found[1:] == expected[1:]


def test_heads_have_one_size_whatever_the_matrix_and_the_pixels_invariant():
    # The same head, 225 mm of it, sampled in three ways; one of them in a field of 450 mm.
    configuration = NetworkConfiguration(size=64)
    plain = prepare_input(sized((3, 60, 60), (225, 225)), configuration)
    oblong = prepare_input(sized((3, 60, 30), (225, 225)), configuration)
    large = sized((3, 60, 60), (225, 225))
    image = np.pad(large.image, ((0, 0), (5, 55), (30, 30), (0, 0)), mode="edge")
    padded = replace(large, image=image, mask=None)
    cut = prepare_input(padded, configuration)
    assert plain.frame.inner == oblong.frame.inner == (60, 60)
    assert cut.frame.inner == (64, 64)
    assert cut.notes == (
        "field of view of 450 x 450 mm cut to 240 mm around the head for the networks",
    )
    assert oblong.notes == ("pixels of 3.75 x 7.5 mm (y, x) made square for the networks",)
    assert plain.notes == ()
    flair = [find_head(volume.codes[..., 1]) for volume in (plain, oblong, cut)]
    for other in flair[1:]:
        assert dice(other, flair[0]) > 0.95


THIN = "slices 0.9 mm apart averaged to slabs of 2.7 mm for the networks"


@pytest.mark.parametrize(
    ("spacing", "notes"),
    [
        ((0.9, 0.8, 2.0), ("segmented in axial slices made from sagittal ones 2 mm apart", THIN)),
        ((0.9, 2.0, 0.9), ("segmented in axial slices made from coronal ones 2 mm apart", THIN)),
        ((2.0, 1.0, 1.2), ("pixels of 1 x 1.2 mm (y, x) made square for the networks",)),
        ((0.9, 4.0, 4.0), (THIN,)),
        ((5.0, 1.0, 1.005), ()),
        ((5.0, 4.0, 4.0), ()),
    ],
)
def test_planes_that_can_be_used_are_noted_analytic(spacing, notes):
    phantom = make_phantom(np.random.default_rng(0), size=(3, 24, 24))
    case = replace(phantom, geometry=Geometry(spacing, np.eye(4)))
    assert prepare_input(case, NetworkConfiguration(size=64)).notes == notes


@pytest.mark.parametrize(
    ("geometry", "found"),
    [
        (Geometry((1.0, 1.0, 5.0), np.eye(4)), "sagittal slices 5 mm apart"),
        (Geometry((0.9, 2.1, 0.9), np.eye(4)), "coronal slices 2.1 mm apart"),
        (Geometry((1.0, 1.0, 5.0)), r"pixels of 1 x 5 mm \(y, x\)"),
        (Geometry((9.0, 1.0, 4.0), np.eye(4)), r"pixels of 1 x 4 mm \(y, x\)"),
    ],
)
def test_thick_slices_of_another_plane_are_refused_with_the_distance_analytic(geometry, found):
    phantom = make_phantom(np.random.default_rng(0), size=(3, 24, 24), name="thick")
    case = replace(phantom, geometry=geometry)
    with pytest.raises(CaseError, match=f"Expected case thick to have axial slices.*{found}"):
        prepare_input(case, NetworkConfiguration(size=64))


def test_thin_slices_are_averaged_as_they_are_standardised_invariant():
    configuration = NetworkConfiguration(size=64)
    thick = sized((4, 60, 60), (240, 240))
    steps = np.array([-2.0, 0.0, 2.0])[:, None, None, None]
    thin = (thick.image[:, None] + steps).reshape(12, *thick.image.shape[1:])
    finer = replace(thick, image=thin, geometry=Geometry((1.0, 4.0, 4.0)))
    found, expected = (prepare_input(case, configuration) for case in (finer, thick))
    np.testing.assert_array_equal(found.codes, expected.codes)
    assert found.restore(np.zeros((4, 64, 64), np.float32)).shape == (12, 60, 60)


def numbered(count, channels):
    """Return slices that hold 10 times their number plus the channel."""
    codes = np.arange(count)[:, None] * 10 + np.arange(channels)
    return np.broadcast_to(codes[:, None, None], (count, 2, 2, channels)).astype(np.uint8)


@pytest.mark.parametrize(
    ("neighbours", "expected"),
    [
        (0, [[0, 1, 2], [10, 11, 12], [20, 21, 22], [50, 51, 52]]),
        (1, [[0, 1, 2, 1, 11], [10, 11, 12, 1, 21], [20, 21, 22, 11, 21], [50, 51, 52, 41, 51]]),
        (
            2,
            [
                [0, 1, 2, 1, 1, 11, 21],
                [10, 11, 12, 1, 1, 21, 21],
                [20, 21, 22, 1, 11, 21, 21],
                [50, 51, 52, 31, 41, 51, 51],
            ],
        ),
    ],
)
def test_neighbours_end_with_the_volume_analytic(neighbours, expected):
    # Two volumes of three slices each; FLAIR is the channel 1.
    codes = numbered(6, 3)
    slices = np.array([0, 1, 2, 5])
    gathered = with_neighbours(
        codes,
        slices,
        np.array([0, 0, 0, 3]),
        np.array([2, 2, 2, 5]),
        NetworkConfiguration(neighbours=neighbours),
    )
    assert gathered.shape == (4, 2, 2, 3 + 2 * neighbours)
    np.testing.assert_array_equal(gathered[:, 1, 0], expected)
    assert gathered.dtype == np.uint8


def test_flair_alone_with_neighbours_analytic():
    gathered = with_neighbours(
        numbered(2, 1),
        np.array([1]),
        np.array([0]),
        np.array([1]),
        NetworkConfiguration(sequences=("FLAIR",), neighbours=1),
    )
    np.testing.assert_array_equal(gathered[0, 0, 0], [10, 0, 10])
