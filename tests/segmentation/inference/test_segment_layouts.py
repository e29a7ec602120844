"""One cohort in every layout: the same masks from the same networks."""

import numpy as np
import pytest

from lggshape.phantoms import write_cohort
from lggshape.phantoms.layouts import CASE_LAYOUTS
from lggshape.readers import open_cases
from lggshape.segmentation import segment_cases

SIZE = (10, 56, 48)
PATIENTS = ("PHANTOM_D_0001", "PHANTOM_C_0002")
LAYOUTS = [name for name in CASE_LAYOUTS if name != "packed"]  # which has no images


@pytest.fixture(scope="module")
def masks(networks, tmp_path_factory):
    """Return the masks of two patients in each layout, as they are read again.

    No network knows their names, whatever layout they have.
    """
    top = tmp_path_factory.mktemp("layouts")
    found = {}
    for layout in LAYOUTS:
        folder = write_cohort(top / layout, patients=2, seed=11, size=SIZE, layout=layout)
        result = segment_cases(open_cases(folder), top / f"{layout}_masks", networks=networks)
        assert result.failures == {}
        keys = [CASE_LAYOUTS[layout].patient(name) for name in PATIENTS]
        sources = open_cases(top / f"{layout}_masks", masks_only=True)
        read = {source.patient: source.read().mask for source in sources}
        found[layout] = [read[key] for key in keys]
    return found


@pytest.mark.parametrize("layout", ["bids", "brats", "nnunet", "nrrd", "dicom", "dicom-enhanced"])
def test_layouts_of_known_orientation_give_equal_masks_invariant(masks, layout):
    for mask, expected in zip(masks[layout], masks["nifti"], strict=True):
        np.testing.assert_array_equal(mask, expected)
        assert mask.any()
