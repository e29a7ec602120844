"""One cohort in every layout: the same masks from the same networks."""

import numpy as np
import pytest

from lggshape.phantoms import write_cohort
from lggshape.phantoms.layouts import CASE_LAYOUTS
from lggshape.readers import open_cases
from lggshape.segmentation import segment_cases

SIZE = (10, 56, 48)
PATIENT = "PHANTOM_C_0001"
LAYOUTS = [name for name in CASE_LAYOUTS if name != "packed"]  # which has no images


@pytest.fixture(scope="module")
def masks(networks, tmp_path_factory):
    """Return the mask of a patient in each layout, as it is read again.

    No network knows the name, whatever layout it has.
    """
    top = tmp_path_factory.mktemp("layouts")
    found = {}
    for layout in LAYOUTS:
        folder = write_cohort(top / layout, patients=1, seed=11, size=SIZE, layout=layout)
        result = segment_cases(open_cases(folder), top / f"{layout}_masks", networks=networks)
        assert result.failures == {}
        (source,) = open_cases(top / f"{layout}_masks", masks_only=True)
        assert source.patient == CASE_LAYOUTS[layout].patient(PATIENT)
        found[layout] = source.read().mask
    return found


@pytest.mark.parametrize("layout", ["bids", "brats", "nnunet", "nrrd", "dicom", "dicom-enhanced"])
def test_layouts_of_known_orientation_give_equal_masks_invariant(masks, layout):
    np.testing.assert_array_equal(masks[layout], masks["nifti"])
    assert masks[layout].any()


def test_the_orientation_of_a_file_does_not_change_its_mask_invariant(masks):
    """Pages have the spacing of the files, but are stored as the networks are shown slices."""
    np.testing.assert_array_equal(masks["multipage-tiff"][:, ::-1, ::-1], masks["nifti"])
