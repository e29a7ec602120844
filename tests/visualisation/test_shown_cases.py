from dataclasses import replace

import numpy as np
import pytest

from lggshape.errors import CaseError, InputError
from lggshape.readers import open_cases
from lggshape.visualisation.shown_cases import PREDICTED, REFERENCE, find_cases, read_volumes


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
    found = find_cases(open_cases(dataset, manifest=manifest), names=["P1"])
    assert [(one.id, one.source.site) for one in found] == [("a", "X"), ("b", "X")]


def test_a_name_of_nothing_is_an_error_analytic(dataset):
    with pytest.raises(InputError, match=r"found no x: the first cases are a, b, c\."):
        find_cases(dataset, names=["x", "a"])


def test_predicted_masks_are_found_by_the_names_of_their_cases_analytic(
    dataset, tmp_path, write_nifti, tumour
):
    predicted = tmp_path / "predicted"
    write_nifti(predicted, "b", mask=~tumour)
    write_nifti(predicted, "z", mask=tumour)
    found = find_cases(dataset, predicted=predicted)
    assert [one.predicted is not None for one in found] == [False, True, False]
    volumes = read_volumes(found[1])
    assert list(volumes.masks) == [REFERENCE, PREDICTED]
    np.testing.assert_array_equal(volumes.masks[PREDICTED], ~volumes.masks[REFERENCE])
    assert list(read_volumes(found[0]).masks) == [REFERENCE]


def test_predicted_masks_of_other_cases_are_an_error_analytic(
    dataset, tmp_path, write_nifti, tumour
):
    write_nifti(tmp_path / "predicted", "z", mask=tumour)
    with pytest.raises(
        InputError,
        match=r"first cases are z among the masks and a, b, c among the cases",
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
        read_volumes(shown)


def test_intensities_that_are_not_finite_are_an_error_analytic(tmp_path, write_nifti, head):
    broken = head.copy()
    broken[0, 0, 0] = np.nan
    write_nifti(tmp_path / "data", "a", flair=broken)
    (shown,) = find_cases(tmp_path / "data")
    with pytest.raises(CaseError, match="FLAIR of case a to be finite"):
        read_volumes(shown)


def test_a_case_without_flair_has_no_image_to_show_analytic(tmp_path, write_nifti, head, tumour):
    write_nifti(tmp_path / "data", "a", t1=head, mask=tumour)
    (shown,) = find_cases(tmp_path / "data")
    volumes = read_volumes(shown)
    assert volumes.flair is None
    assert volumes.oriented


def test_cases_may_be_in_memory_invariant(dataset, tumour):
    cases = [source.read() for source in open_cases(dataset)]
    predicted = [replace(cases[1], image=None, sequences=(), mask=~tumour)]
    found = find_cases(cases, names="b", predicted=predicted)
    (volumes,) = map(read_volumes, found)
    np.testing.assert_array_equal(volumes.masks[PREDICTED], ~tumour)
    with pytest.raises(InputError, match="found no x: the first cases are a, b, c"):
        find_cases(cases, names="x")
