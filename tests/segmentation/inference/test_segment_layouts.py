"""One cohort in every layout: the same masks from the same networks."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.case_files import contents
from lggshape.errors import InputError
from lggshape.phantoms import make_phantom, write_cohort
from lggshape.phantoms.layouts import CASE_LAYOUTS
from lggshape.readers import open_cases
from lggshape.segmentation import segment_cases

SIZE = (10, 56, 48)
SPACING = (135 / 10, 225 / 56, 225 / 48)
PATIENT = "PHANTOM_C_0001"
LAYOUTS = [name for name in CASE_LAYOUTS if name != "packed"]  # which has no images


def segmented(folder, out, networks, layout, **options):
    """Segment the one case of a folder, and return its mask as it is read again.

    Slices tell no spacing: it is stated.
    """
    stated = {"spacing": SPACING} if layout == "slices" else {}
    result = segment_cases(open_cases(folder, **stated, **options), out, networks=networks)
    assert result.failures == {}
    assert result.table["spacing_known"].all()
    (source,) = open_cases(out, masks_only=True)
    return source, source.read().mask


@pytest.fixture(scope="module")
def masks(networks, tmp_path_factory):
    """Return the mask of a patient in each layout.

    No network knows the name, whatever layout it has.
    """
    top = tmp_path_factory.mktemp("layouts")
    found = {}
    for layout in LAYOUTS:
        folder = write_cohort(top / layout, patients=1, seed=11, size=SIZE, layout=layout)
        source, found[layout] = segmented(folder, top / f"{layout}_masks", networks, layout)
        assert source.patient == CASE_LAYOUTS[layout].patient(PATIENT)
    return found


@pytest.mark.parametrize("layout", ["bids", "brats", "nnunet", "nrrd", "dicom", "dicom-enhanced"])
def test_layouts_of_known_orientation_give_equal_masks_invariant(masks, layout):
    np.testing.assert_array_equal(masks[layout], masks["nifti"])
    assert masks[layout].any()


@pytest.mark.parametrize("layout", ["multipage-tiff", "slices"])
def test_the_orientation_of_a_file_does_not_change_its_mask_invariant(masks, layout):
    """TIFF files are stored as the networks are shown slices, and masks lie on the stored grid."""
    np.testing.assert_array_equal(masks[layout][:, ::-1, ::-1], masks["nifti"])


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """Return folders of one head in a field of view of 329 x 319 mm, with uneven margins."""
    case = make_phantom(np.random.default_rng(5), size=SIZE, name="WIDE")
    margin = ((0, 0), (8, 18), (14, 6))
    case = replace(
        case, image=np.pad(case.image, (*margin, (0, 0))), mask=np.pad(case.mask, margin)
    )
    top = tmp_path_factory.mktemp("wide")
    for layout in ("slices", "nifti"):
        CASE_LAYOUTS[layout].write(case, top / layout)
    return top


def test_a_stated_spacing_gives_the_field_of_view_invariant(wide, networks, tmp_path):
    expected = segmented(wide / "nifti", tmp_path / "nifti", networks, "nifti")[1]
    out = tmp_path / "stated"
    found = segmented(wide / "slices", out, networks, "slices")[1]
    assert found.any()
    np.testing.assert_array_equal(found[:, ::-1, ::-1], expected)
    segment_cases(open_cases(wide / "slices"), tmp_path / "plain", networks=networks)
    (plain,) = open_cases(tmp_path / "plain", masks_only=True)
    assert not np.array_equal(plain.read().mask, found)  # the head is small without it

    before = contents(out)
    for other in (None, (13.5, 4.0, 4.0)):
        cases = open_cases(wide / "slices", spacing=other)
        with pytest.raises(InputError, match="settings of the earlier run, found other spacing"):
            segment_cases(cases, out, networks=networks, resume=True)
    assert contents(out) == before
