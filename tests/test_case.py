import numpy as np
import pytest

from lggshape.case import Case, Geometry

NAMES = ("pre-contrast", "FLAIR", "post-contrast")


def case_of(*channels: np.ndarray, sequences: tuple[str, ...]) -> Case:
    return Case("a", "a", image=np.stack(channels, axis=-1), sequences=sequences)


def test_copies_of_flair_constant_and_absent_channels_are_missing_invariant() -> None:
    rng = np.random.default_rng(0)
    flair, other = rng.integers(0, 255, (2, 3, 8, 8)).astype(np.uint8)
    whole = case_of(other, flair, other, sequences=NAMES)
    assert whole.missing_sequences(NAMES) == ()
    filled = case_of(flair, flair, np.full_like(flair, 7), sequences=NAMES)
    assert filled.missing_sequences(NAMES) == ("pre-contrast", "post-contrast")
    alone = case_of(flair, sequences=("FLAIR",))
    assert alone.missing_sequences(NAMES) == ("pre-contrast", "post-contrast")
    assert alone.missing_sequences(("FLAIR",)) == ()
    assert Case("a", "a").missing_sequences(NAMES) == NAMES


def test_a_single_voxel_tells_a_sequence_from_flair_invariant() -> None:
    flair = np.arange(64, dtype=np.uint8).reshape(1, 8, 8)
    nearly = flair.copy()
    nearly[0, 0, 0] += 1
    case = case_of(nearly, flair, flair, sequences=NAMES)
    assert case.missing_sequences(NAMES) == ("post-contrast",)


@pytest.mark.parametrize(
    ("shift", "expected"),
    # The farthest corner is 9, 19, 29 voxels off; a hundredth of the smallest voxel is 0.01 mm.
    [(0.0, ""), (0.009, ""), (0.011, "a corner at"), (0.009 / 9, ""), (-1.0, "a corner at")],
)
def test_grids_in_one_place_differ_by_a_hundredth_of_a_voxel_analytic(shift, expected) -> None:
    shape, affine = (10, 20, 30), np.diag([3.0, 1.0, 1.0, 1.0])
    moved = affine.copy()
    moved[0, 3] += shift
    spacing = (3.0, 1.0, 1.0)
    found = Geometry(spacing, affine).difference(Geometry(spacing, moved), shape)
    assert found.startswith(expected)
    assert bool(found) == bool(expected)


@pytest.mark.parametrize(
    ("spacing", "expected"),
    [
        ((5.0, 1.0, 1.0), ("axial", 0)),
        ((1.0, 5.0, 1.0), ("coronal", 1)),
        ((0.5, 0.5, 3.0), ("sagittal", 2)),
        ((1.0, 1.0, 1.0), ("axial", 0)),
        ((1.0, 1.0, 1.2), ("axial", 0)),
        # More than half as large again: neither a rounding nor a pixel that is not quite square.
        ((1.0, 1.0, 1.5), ("axial", 0)),
        ((1.0, 1.0, 1.51), ("sagittal", 2)),
        # Two of three are large: they do not differ enough to tell slices by.
        ((5.0, 1.0, 5.0), ("axial", 0)),
        ((3.0, 1.0, 2.0), ("axial", 0)),
        ((2.0, 1.0, 4.0), ("sagittal", 2)),
    ],
)
def test_slices_lie_across_the_largest_distance_analytic(spacing, expected) -> None:
    assert Geometry(spacing, np.eye(4)).plane == expected
    # Nobody knows how they lie.
    assert Geometry(spacing).plane == Geometry(None, np.eye(4)).plane == ("unknown", 0)


@pytest.mark.parametrize("axis", range(3))
def test_a_turned_volume_has_its_slices_first_analytic(axis) -> None:
    volume = np.arange(24).reshape(2, 3, 4)
    spacing = tuple(9.0 if one == axis else 1.0 + 0.1 * one for one in range(3))
    plane = Geometry(spacing, np.eye(4)).plane
    turned = plane.turn(volume)
    for number in range(volume.shape[axis]):
        np.testing.assert_array_equal(turned[number], volume.take(number, axis=axis))
    assert plane.turn_spacing(spacing)[0] == 9.0
    assert plane.turn_spacing(spacing)[1:] == tuple(step for step in spacing if step != 9.0)


def test_what_is_unknown_does_not_differ_analytic() -> None:
    known = Geometry((3.0, 1.0, 1.0), np.diag([3.0, 1.0, 1.0, 1.0]))
    assert known.difference(Geometry(), (2, 2, 2)) == ""
    assert Geometry().difference(known, (2, 2, 2)) == ""
    other = Geometry((3.0, 1.0, 1.02))
    assert known.difference(other, (2, 2, 2)).startswith("voxels of 3 x 1 x 1 and 3 x 1 x 1.02 mm")


def test_grids_that_differ_are_told_with_both_values_and_the_shift_analytic() -> None:
    # From (z, y, x) to (x, y, z); the first and the last corner of 10 x 20 x 30 voxels.
    affine = np.array([[0, 0, 1, -15], [0, 1, 0, -10], [3, 0, 0, 0], [0, 0, 0, 1.0]])
    one = Geometry((3.0, 1.0, 1.0), affine)
    moved = affine.copy()
    moved[0, 3] += 7
    assert one.difference(Geometry((3.0, 1.0, 1.0), moved), (10, 20, 30)) == (
        "a corner at (-15.5, -10.5, -1.5) and at (-8.5, -10.5, -1.5) mm (x, y, z), 7 mm apart"
    )
    thick = Geometry((6.0, 1.0, 1.0), affine @ np.diag([2.0, 1, 1, 1]))
    # The same field of view but for half a slice at either end.
    assert one.difference(thick, (10, 20, 30), (5, 20, 30)) == (
        "shapes (10, 20, 30) and (5, 20, 30), voxels of 3 x 1 x 1 and 6 x 1 x 1 mm (z, y, x), "
        "a corner at (-15.5, -10.5, -1.5) and at (-15.5, -10.5, -3) mm (x, y, z), 1.5 mm apart"
    )
    assert one.difference(Geometry(), (10, 20, 30), (5, 20, 30)) == (
        "shapes (10, 20, 30) and (5, 20, 30)"
    )


def test_a_case_shows_itself_in_a_line_and_in_html_analytic() -> None:
    image = np.zeros((3, 8, 9, 2), dtype=np.uint8)
    case = Case("a<b", "p", image=image, sequences=("pre-contrast", "FLAIR"))
    assert repr(case) == (
        "Case(a<b: patient p, 3 x 8 x 9, spacing unknown, pre-contrast + FLAIR, no mask)"
    )
    assert "<td>a&lt;b</td>" in case._repr_html_()
    assert (
        repr(Case("a", "p")) == "Case(a: patient p, no voxels, spacing unknown, no image, no mask)"
    )


def test_a_case_names_its_regions_analytic() -> None:
    mask = np.ones((2, 3, 4), dtype=bool)
    case = Case("a", "p", mask=mask, regions={"whole": mask, "core": mask})
    assert repr(case).endswith("no image, mask of whole + core)")
