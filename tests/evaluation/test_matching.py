import nibabel as nib
import numpy as np
import pytest

from lggshape.errors import CaseError, InputError
from lggshape.evaluation.compare_case import compare_case
from lggshape.evaluation.matching import match_cases

HEADER = "case,patient,fold,status,reason,networks,volume,components_removed\n"


@pytest.fixture
def folders(tmp_path, write_case):
    mask = np.zeros((2, 6, 6), dtype=bool)
    mask[0, 2:4, 2:4] = True
    predicted, reference = tmp_path / "predicted", tmp_path / "reference"
    for name in "ab":
        write_case(predicted, name, mask)
    for name in "bc":
        write_case(reference, name, mask)
    return predicted, reference


def test_without_a_table_the_predicted_masks_are_the_cases(folders):
    matched = match_cases(*folders)
    assert [pair.id for pair in matched.pairs] == ["a", "b"]
    assert matched.pairs[0].reference is None
    with pytest.raises(CaseError, match="Expected case a to have a reference mask, found none"):
        compare_case(matched.pairs[0])
    assert matched.pairs[1].predicted.path == folders[0] / "b"
    assert matched.pairs[1].reference.path == folders[1] / "b"
    assert matched.without_prediction == ("c",)


def test_the_table_of_the_run_names_the_cases(folders, tmp_path):
    rows = "b,B,3,ok,,net,4,2\nc,C,,failed,too dark,net,,\nd,D,,ok,,net,4,0\n"
    (folders[0] / "segmentation.csv").write_text(HEADER + rows)
    matched = match_cases(*folders)
    by_id = {pair.id: pair for pair in matched.pairs}
    assert list(by_id) == ["b", "c", "d"]
    assert (by_id["b"].fold, by_id["b"].components_removed) == ("3", 2)
    assert by_id["c"].components_removed is None
    for case, reason in (("c", "segmentation failed: too dark"), ("d", "d to have a mask, found")):
        with pytest.raises(CaseError, match=reason):
            compare_case(by_id[case])
    assert by_id["d"].patient == "D"
    # Whether the others were asked for is known: they were not.
    assert matched.without_prediction == ()


def test_skipped_cases_are_left_aside(folders):
    rows = "b,B,3,ok,,net,4,2\nc,C,,skipped,all networks know it,,,\n"
    (folders[0] / "segmentation.csv").write_text(HEADER + rows)
    matched = match_cases(*folders)
    assert [pair.id for pair in matched.pairs] == ["b"]
    assert matched.without_prediction == ()


def test_scores_of_slices_are_in_the_order_of_the_slices(folders):
    (folders[0] / "slices.csv").write_text(
        "case,slice,area,score\nb,2,0,0.1\nb,1,4,0.9\na,1,0,0.2\na,2,0,0.3\n"
    )
    matched = match_cases(*folders)
    assert [pair.slice_scores for pair in matched.pairs] == [(0.2, 0.3), (0.9, 0.1)]


def test_a_manifest_tells_patients_and_sites(folders, tmp_path):
    (tmp_path / "manifest.csv").write_text("case,patient,site\nb,P1,X\nc,P2,Y\n")
    pair = match_cases(*folders, manifest=tmp_path / "manifest.csv").pairs[1]
    assert (pair.patient, pair.site) == ("P1", "X")
    (folders[0] / "segmentation.csv").write_text(HEADER + "b,B,3,ok,,net,4,2\n")
    assert match_cases(*folders).pairs[0].patient == "B"
    assert match_cases(*folders, manifest=tmp_path / "manifest.csv").pairs[0].patient == "P1"


def test_nifti_files_match_slice_folders(folders, tmp_path):
    volumes = tmp_path / "nifti"
    volumes.mkdir()
    image = nib.Nifti1Image(np.zeros((6, 6, 2), dtype=np.uint8), np.eye(4))
    nib.save(image, volumes / "b_mask.nii.gz")
    (pair,) = match_cases(volumes, folders[1]).pairs
    assert pair.predicted.path == volumes / "b_mask.nii.gz"
    assert pair.reference.path == folders[1] / "b"


def test_nothing_in_common(folders):
    with pytest.raises(InputError, match="of the same case, found none: the first cases are a "):
        match_cases(folders[0] / "a", folders[1])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("segmentation.csv", "case,status\nb,ok\n", "to have the column"),
        ("segmentation.csv", HEADER, "one row per case, found no row"),
        ("segmentation.csv", HEADER + "b,b,,skipped,,,,\n", "per case, found only skipped cases"),
        ("segmentation.csv", HEADER + "b,b,,ok,,,,\n" * 2, "found several of b"),
        ("segmentation.csv", HEADER + "b,b,,ok,,,,few\n", "to hold numbers, found 'few' in line 2"),
        ("slices.csv", "case,slice,score\nb,1,inf\n", "to hold numbers, found 'inf' in line 2"),
        ("slices.csv", "case,slice,score\nb,1,0.5\nb,3,0.5\n", "numbered from 1 without gaps"),
        ("slices.csv", "case,slice,score\nb,1,high\n", "score of .* to hold numbers, found 'high'"),
    ],
)
def test_unusable_tables(folders, name, text, message):
    (folders[0] / name).write_text(text)
    with pytest.raises(InputError, match=message):
        match_cases(*folders)


def test_references_given_first_are_refused(tmp_path, write_case):
    mask = np.ones((1, 4, 4), dtype=bool)
    for name in ("predicted", "reference"):
        write_case(tmp_path / name, "a", mask)
    columns = "case,patient,fold,status,reason,components_removed\na,a,,ok,,0\n"
    (tmp_path / "predicted" / "segmentation.csv").write_text(columns)
    assert len(match_cases(tmp_path / "predicted", tmp_path / "reference").pairs) == 1
    with pytest.raises(InputError, match="predicted masks first and references second"):
        match_cases(tmp_path / "reference", tmp_path / "predicted")
