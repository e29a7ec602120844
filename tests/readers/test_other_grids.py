"""Cases whose files lie on several grids."""

import nibabel as nib
import numpy as np
import pytest

from lggshape import feature_table
from lggshape.errors import CaseError
from lggshape.phantoms import make_phantom
from lggshape.readers import open_cases
from lggshape.verification import verify

SHAPE = (12, 40, 40)
AFFINE = np.array([[5.0, 0, 0, -100], [0, 5, 0, -90], [0, 0, 11, -60], [0, 0, 0, 1]])  # (x, y, z)


def save(path, values, affine=AFFINE):
    """Save values (Z, Y, X) on a grid (x, y, z)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = values.astype(np.uint8) if values.dtype == bool else values
    volume = nib.Nifti1Image(stored.transpose(2, 1, 0), affine)
    if affine is not None:
        volume.header.set_xyzt_units("mm")
    nib.save(volume, path)


def waves(affine, shape):
    """Return a smooth pattern in space on a grid, 100 +- 60."""
    z, y, x = np.meshgrid(*map(np.arange, shape), indexing="ij")
    places = np.stack([x, y, z], axis=-1) @ affine[:3, :3].T + affine[:3, 3]
    return (100 + 20 * np.cos(2 * np.pi * places / 120).sum(axis=-1)).astype(np.float32)


def moved(*, shift=(0, 0, 0), degrees=0.0, factor=1.0):
    """Return the affine of a grid that is shifted, turned about z, and coarser in the plane."""
    angle = np.radians(degrees)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turn[:3, 3] = shift
    return turn @ AFFINE @ np.diag([factor, factor, 1.0, 1.0])


@pytest.fixture
def flair(tmp_path):
    save(tmp_path / "in" / "A_flair.nii.gz", waves(AFFINE, SHAPE))
    return tmp_path / "in"


@pytest.mark.parametrize(
    ("other", "shape"),
    [
        (moved(shift=(3, -2, 4)), SHAPE),
        (moved(degrees=6, shift=(-8, 2, -4)), (13, 44, 44)),
        (moved(factor=1.6), (12, 26, 26)),
    ],
)
def test_a_sequence_on_another_grid_comes_back_onto_that_of_flair_analytic(flair, other, shape):
    """To within h^2 / 8 times the second derivative of the pattern along each axis."""
    save(flair / "A_t1.nii.gz", waves(other, shape), other)
    case = open_cases(flair)[0].read()
    assert case.sequences == ("pre-contrast", "FLAIR")
    np.testing.assert_array_equal(case.image[..., 1], waves(AFFINE, SHAPE))
    np.testing.assert_allclose(case.geometry.affine[:, [2, 1, 0, 3]], AFFINE)
    steps = np.linalg.norm(other[:3, :3], axis=0)
    bound = 1.5 * 20 * (2 * np.pi / 120) ** 2 * (steps**2).sum() / 8
    inner = (slice(2, -2), slice(6, -6), slice(6, -6))
    difference = np.abs(case.image[..., 0] - case.image[..., 1])[inner].max()
    assert difference < bound < 16
    (note,) = case.notes
    assert note.startswith("pre-contrast resampled onto FLAIR's grid (corners up to ")


def test_the_note_is_in_the_table_and_tells_the_millimetres_analytic(flair):
    save(flair / "A_t1.nii.gz", waves(moved(shift=(3, 0, 4)), SHAPE), moved(shift=(3, 0, 4)))
    (source,) = open_cases(flair)
    assert "corners up to 5.0 mm apart" in source.read().notes[0]
    mask = np.zeros(SHAPE, dtype=bool)
    mask[4:7, 10:20, 10:20] = True
    save(flair / "A_mask.nii.gz", mask, moved(shift=(5, 0, 0)))
    sources = open_cases(flair, masks_only=True, resample_masks=True)
    table = feature_table(sources, jobs=1).table
    assert table["notes"].tolist() == [
        "mask resampled onto the image's grid (corners up to 5.0 mm apart)"
    ]
    assert table["volume"].tolist() == [300 * 5 * 5 * 11]
    # A voxel further along x.
    np.testing.assert_array_equal(sources[0].read().mask, np.roll(mask, 1, axis=2))


@pytest.mark.parametrize("image", [True, False])
def test_a_mask_that_contradicts_its_image_is_refused_in_every_command(flair, image):
    """Also where only the mask is read: the header of the image tells."""
    save(flair / "A_mask.nii.gz", np.ones((12, 40, 20), dtype=bool), moved(shift=(30, 0, 40)))
    with pytest.raises(CaseError) as caught:
        open_cases(flair)[0].read(image=image)
    said = str(caught.value)
    for part in (
        "shapes (12, 40, 40) and (12, 40, 20)",
        "a corner at (97.5, -92.5, -65.5) and at (27.5, -92.5, -25.5) mm (x, y, z), 80.6 mm apart",
        "say --resample-masks",
        "A_flair.nii.gz",
        "A_mask.nii.gz",
    ):
        assert part in said
    assert list(feature_table(flair, jobs=1).failures) == ["A"]
    assert list(verify(flair, jobs=1).failures) == ["A"]


def test_without_affines_nothing_is_resampled(tmp_path):
    save(tmp_path / "A_flair.nii.gz", np.ones(SHAPE, np.float32), None)
    save(tmp_path / "A_t1.nii.gz", np.ones((12, 40, 30), np.float32), None)
    with pytest.raises(CaseError, match=r"found shapes .* Without an affine in both"):
        open_cases(tmp_path)[0].read()
    (tmp_path / "A_t1.nii.gz").unlink()
    save(tmp_path / "A_mask.nii.gz", np.ones((12, 40, 30), np.float32), None)
    with pytest.raises(CaseError, match=r"found shapes .* Without an affine in both"):
        open_cases(tmp_path, resample_masks=True)[0].read()


def test_files_on_one_grid_are_read_as_they_are_invariant(flair):
    save(flair / "A_t1.nii.gz", waves(AFFINE, SHAPE).astype(np.int16))
    save(flair / "A_mask.nii.gz", np.ones(SHAPE, dtype=bool))
    plain = open_cases(flair)[0].read()
    told = open_cases(flair, resample_masks=True)[0].read()
    assert plain.notes == told.notes == ()
    np.testing.assert_array_equal(plain.image, told.image)
    np.testing.assert_array_equal(plain.image[..., 0], waves(AFFINE, SHAPE).astype(np.int16))


def test_masks_are_written_on_the_grid_of_flair_invariant(flair, tmp_path):
    save(flair / "A_t1.nii.gz", waves(moved(factor=1.6), (12, 26, 26)), moved(factor=1.6))
    (source,) = open_cases(flair)
    (path,) = source.write(tmp_path / "out", {"mask": np.ones(SHAPE, dtype=bool)})
    np.testing.assert_array_equal(nib.load(path).affine, AFFINE)


def test_registered_sequences_are_moved_and_the_note_tells_how_far_analytic(tmp_path):
    phantom = make_phantom(np.random.default_rng(5), size=(27, 45, 45))
    affine = np.diag([*phantom.geometry.spacing[::-1], 1.0])
    save(tmp_path / "A_flair.nii.gz", phantom.image[..., 1], affine)
    # The header of T1 says that it lies elsewhere: (5, -5, 0) mm away from where it does.
    wrong = affine.copy()
    wrong[:3, 3] = (5, -5, 0)
    save(tmp_path / "A_t1.nii.gz", phantom.image[..., 0], wrong)
    registered = open_cases(tmp_path, register=True)[0].read()
    trusted = open_cases(tmp_path)[0].read()
    note, *_ = registered.notes
    assert note.startswith("pre-contrast registered: moved by ")
    assert float(note.split()[-2]) == pytest.approx(np.hypot(5, 5), abs=1.7)
    t1 = phantom.image[..., 0].astype(float)
    errors = [np.abs(case.image[..., 0] - t1).mean() for case in (registered, trusted)]
    assert errors[0] < errors[1] / 2
    np.testing.assert_array_equal(registered.image[..., 1], phantom.image[..., 1])


def test_a_sequence_that_shows_something_else_is_not_registered(tmp_path):
    phantom = make_phantom(np.random.default_rng(5), size=(10, 32, 32))
    affine = np.diag([*phantom.geometry.spacing[::-1], 1.0])
    save(tmp_path / "A_flair.nii.gz", phantom.image[..., 1], affine)
    save(tmp_path / "A_t1.nii.gz", np.full((10, 32, 32), 7, np.uint8), affine)
    with pytest.raises(CaseError, match=r"pre-contrast of case A to show the head .* cannot"):
        open_cases(tmp_path, register=True)[0].read()
