from dataclasses import replace

import numpy as np
import pytest

from lggshape.errors import CaseError, InputError
from lggshape.readers import open_cases
from lggshape.visualisation import find_cases
from lggshape.visualisation.shown_cases import PREDICTED, REFERENCE, read_material


@pytest.fixture
def dataset(tmp_path, write_nifti, head, tumour):
    for name in "abc":
        write_nifti(tmp_path / "data", name, flair=head, mask=tumour)
    return tmp_path / "data"


@pytest.fixture
def manifest(tmp_path):
    path = tmp_path / "manifest.csv"
    path.write_text("case,patient,site\na,P1,X\nb,P1,X\nc,P2,Y\n")
    return path


def test_cases_are_named_by_themselves_or_by_their_patients_analytic(dataset, manifest):
    assert [one.id for one in find_cases(dataset)] == ["a", "b", "c"]
    assert [one.id for one in find_cases(dataset, names=["c", "a"])] == ["a", "c"]
    found = find_cases(dataset, names=["P1"], manifest=manifest)
    assert [(one.id, one.source.site) for one in found] == [("a", "X"), ("b", "X")]


def test_a_name_of_nothing_is_an_error_analytic(dataset):
    with pytest.raises(InputError, match=r"found no x there: the first cases are a, b, c\."):
        find_cases(dataset, names=["x", "a"])


def test_predicted_masks_are_found_by_the_names_of_their_cases_analytic(
    dataset, tmp_path, write_nifti, tumour
):
    predicted = tmp_path / "predicted"
    write_nifti(predicted, "b", mask=~tumour)
    write_nifti(predicted, "z", mask=tumour)
    found = find_cases(dataset, predicted=predicted)
    assert [one.predicted is not None for one in found] == [False, True, False]
    material = read_material(found[1])
    assert list(material.masks) == [REFERENCE, PREDICTED]
    np.testing.assert_array_equal(material.masks[PREDICTED], ~material.masks[REFERENCE])
    assert list(read_material(found[0]).masks) == [REFERENCE]


def test_predicted_masks_of_other_cases_are_an_error_analytic(
    dataset, tmp_path, write_nifti, tumour
):
    write_nifti(tmp_path / "predicted", "z", mask=tumour)
    with pytest.raises(
        InputError, match=r"none of the same name: the first cases are z in .* and a, b, c in"
    ):
        find_cases(dataset, predicted=tmp_path / "predicted")


@pytest.mark.parametrize(
    ("shape", "affine", "found"),
    [
        ((10, 40, 29), None, r"shapes \(10, 40, 30\) and \(10, 40, 29\)"),
        ((10, 40, 30), np.diag([1.0, 2.0, 3.1, 1.0]), r"voxels of .* and .* mm"),
    ],
)
def test_two_grids_are_an_error_analytic(dataset, tmp_path, write_nifti, shape, affine, found):
    mask = np.zeros(shape, dtype=bool)
    mask[0, 0, 0] = True
    write_nifti(tmp_path / "predicted", "a", affine, mask=mask)
    (shown,) = find_cases(dataset, names="a", predicted=tmp_path / "predicted")
    with pytest.raises(CaseError, match=found):
        read_material(shown)


def test_intensities_that_are_not_finite_are_an_error_analytic(tmp_path, write_nifti, head):
    broken = head.copy()
    broken[0, 0, 0] = np.nan
    write_nifti(tmp_path / "data", "a", flair=broken)
    (shown,) = find_cases(tmp_path / "data")
    with pytest.raises(CaseError, match="FLAIR of case a to be finite"):
        read_material(shown)


def test_a_case_without_flair_has_no_image_to_show_analytic(tmp_path, write_nifti, head, tumour):
    write_nifti(tmp_path / "data", "a", t1=head, mask=tumour)
    (shown,) = find_cases(tmp_path / "data")
    material = read_material(shown)
    assert material.flair is None
    assert material.oriented


def test_cases_may_be_in_memory_invariant(dataset, tumour):
    cases = [source.read() for source in open_cases(dataset)]
    predicted = [replace(cases[1], image=None, sequences=(), mask=~tumour)]
    found = find_cases(cases, names="b", predicted=predicted)
    (material,) = map(read_material, found)
    np.testing.assert_array_equal(material.masks[PREDICTED], ~tumour)
    with pytest.raises(InputError, match="of the cases given, found no x there"):
        find_cases(cases, names="x")
