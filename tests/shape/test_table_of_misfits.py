import numpy as np
import pytest
import tifffile

from lggshape.case import FLAIR, Case
from lggshape.phantoms import write_cohort
from lggshape.readers import open_cases
from lggshape.shape.table import feature_table


@pytest.fixture
def case():
    """Return a head of 40 x 40 pixels in each of 20 slices, and a mask beside it."""
    flair = np.zeros((20, 64, 64), dtype=np.uint8)
    flair[:, 12:52, 12:52] = 100
    mask = np.zeros(flair.shape, dtype=bool)
    mask[7, 2:6, 2:6] = True
    return Case("p", "p", image=flair[..., None], mask=mask, sequences=(FLAIR,))


def notes_of(cases, **options):
    table = feature_table(cases, jobs=1, **options).table
    assert (table["volume"] > 0).all()
    return table["notes"].tolist()


def write(case, folder):
    """Write the case as slices, and return the folder of all cases."""
    place = folder / "cases" / case.id
    place.mkdir(parents=True)
    for number in range(len(case.mask)):
        path = place / f"{case.id}_{number + 1}"
        tifffile.imwrite(f"{path}.tif", case.image[number, ..., 0])
        tifffile.imwrite(f"{path}_mask.tif", case.mask[number].astype(np.uint8) * 255)
    return place.parent


def test_a_mask_beside_the_head_has_a_note_analytic(case, tmp_path):
    expected = ["the mask touches nothing of the head"]
    assert notes_of([case]) == expected
    assert notes_of(write(case, tmp_path)) == expected


def test_a_mask_over_more_than_half_of_the_head_has_a_note_analytic(case):
    case.mask[:, 10:40, 10:50] = True
    (found,) = notes_of([case])
    assert found.startswith("the mask covers ")
    assert found.endswith(" % of the head")


def test_a_mask_that_is_changed_by_the_caller_is_not_compared_with_the_image_analytic(case):
    assert notes_of([case], change=lambda one: one.mask) == [""]


def test_a_mask_of_an_image_that_cannot_be_read_is_measured_with_a_note_analytic(case, tmp_path):
    folder = write(case, tmp_path)
    (folder / "p" / "p_8.tif").write_bytes(b"no TIFF")
    (found,) = notes_of(folder)
    assert found.startswith("whether the mask lies in the head is unknown: Expected a slice")
    assert "p_8.tif" in found


def test_a_mask_of_an_image_that_is_not_finite_has_a_note_analytic(case):
    image = np.full(case.image.shape, np.nan)
    (found,) = notes_of([Case("p", "p", image=image, mask=case.mask, sequences=(FLAIR,))])
    assert found == "whether the mask lies in the head is unknown: FLAIR is not finite"


def test_slices_of_other_sizes_are_told_and_not_compared_analytic(case, tmp_path):
    folder = write(case, tmp_path)
    tifffile.imwrite(folder / "p" / "p_1.tif", case.image[0, ..., 0])
    for number in range(2, 21):
        tifffile.imwrite(folder / "p" / f"p_{number}.tif", case.image[0, :50, :50, 0])
    assert "(64, 64) in p_1.tif and (50, 50)" in notes_of(folder)[0]


@pytest.mark.parametrize("layout", ["slices", "multipage-tiff", "nifti", "brats", "dicom"])
def test_slices_of_flair_are_those_of_the_whole_image_invariant(layout, tmp_path):
    cohort = write_cohort(tmp_path / "cohort", patients=1, size=(6, 32, 32), layout=layout)
    (source,) = open_cases(cohort)
    case = source.read(mask=False)
    whole = case.image[..., case.sequences.index(FLAIR)]
    np.testing.assert_array_equal(source.read_flair([1, 4]), whole[[1, 4]])
    assert notes_of(cohort) == [""]
