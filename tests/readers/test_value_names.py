"""The names that masks give to their values, as regions."""

import json

import numpy as np
import pytest
import SimpleITK

from lggshape.errors import CaseError, InputError
from lggshape.readers import open_cases
from lggshape.readers.value_names import names_of_labels, whole_region_of
from lggshape.regions import read_regions

VALUES = np.zeros((4, 6, 7), dtype=np.uint8)
VALUES[1:3, 1:5, 1:6] = 1
VALUES[1:3, 2:4, 2:4] = 2


@pytest.fixture
def nnunet(tmp_path, save_nifti):
    """Return a function that writes two masks of nnU-Net with the labels of their data set."""

    def write(labels):
        for case in "AB":
            save_nifti(tmp_path / "labelsTr" / f"{case}.nii.gz", VALUES.T)
        (tmp_path / "dataset.json").write_text(json.dumps({"labels": labels}))
        return tmp_path

    return write


def segments(path, values=VALUES, **named):
    """Write a segmentation of 3D Slicer, with the value of each name."""
    image = SimpleITK.GetImageFromArray(values)
    for number, (name, value) in enumerate(named.items()):
        image.SetMetaData(f"Segment{number}_Name", name)
        image.SetMetaData(f"Segment{number}_LabelValue", str(value))
        image.SetMetaData(f"Segment{number}_Layer", "0")
    path.parent.mkdir(exist_ok=True)
    SimpleITK.WriteImage(image, path)


@pytest.mark.parametrize(
    "labels",
    [
        {"background": 0, "whole": [1, 2], "core": 2},
        {"background": 0, "whole": [1, 2], "core": [2], "ignore": 3},
    ],
)
def test_the_labels_of_a_data_set_are_regions_analytic(nnunet, labels):
    cases = open_cases(nnunet(labels), masks_only=True, regions="names")
    assert [case.region_names for case in cases] == [("whole", "core")] * 2
    assert whole_region_of(cases) == "whole"
    for case in cases:
        regions = case.read().regions
        np.testing.assert_array_equal(regions["whole"].sum(), (VALUES > 0).sum())
        np.testing.assert_array_equal(regions["core"].sum(), (VALUES == 2).sum())


def test_labels_of_the_decathlon_are_regions_analytic(nnunet):
    folder = nnunet({"0": "background", "1": "edema", "2": "enhancing tumour"})
    case = open_cases(folder, masks_only=True, regions="names")[0].read()
    assert list(case.regions) == ["edema", "enhancing tumour"]
    assert case.regions["edema"].sum() == (VALUES == 1).sum()


def test_a_value_without_a_name_is_refused_analytic(nnunet):
    (first, _) = open_cases(nnunet({"edema": 1}), masks_only=True, regions="names")
    with pytest.raises(CaseError, match=r"the names that the files tell \(1\), found 1, 2"):
        first.read()


@pytest.mark.parametrize("labels", [None, [], {"core": "two"}, {"core": [1, True]}, {"core": -1}])
def test_labels_of_another_form_name_nothing_analytic(labels):
    assert names_of_labels(labels) == {}


def test_the_refusal_of_several_values_names_the_option_if_there_are_names_analytic(
    nnunet, tmp_path, save_nifti
):
    case = open_cases(nnunet({"background": 0, "edema": 1, "core": 2}), masks_only=True)[0]
    with pytest.raises(CaseError, match="Its values have names: --regions names") as caught:
        case.read()
    assert "--mask-values" in str(caught.value)
    save_nifti(tmp_path / "plain" / "A_seg.nii.gz", VALUES.T)
    with pytest.raises(CaseError) as caught:
        open_cases(tmp_path / "plain", masks_only=True)[0].read()
    assert "--regions names" not in str(caught.value)


def test_segments_are_regions_and_a_case_without_one_lacks_it_analytic(tmp_path):
    segments(tmp_path / "in" / "A.seg.nrrd", core=2, edema=1)
    segments(tmp_path / "in" / "B.seg.nrrd", (VALUES > 0).astype(np.uint8), edema=1)
    cases = open_cases(tmp_path / "in", masks_only=True, regions="names")
    assert [case.region_names for case in cases] == [("core", "edema")] * 2
    assert whole_region_of(cases) == ""
    first, second = (case.read().regions for case in cases)
    assert [first[name].sum() for name in first] == [(VALUES == 2).sum(), (VALUES == 1).sum()]
    assert [second[name].sum() for name in second] == [0, (VALUES > 0).sum()]
    with pytest.raises(CaseError, match="--regions names"):
        open_cases(tmp_path / "in", masks_only=True)[0].read()


def test_segments_of_one_name_are_one_region_analytic(tmp_path):
    image_values = VALUES.copy()
    image = SimpleITK.GetImageFromArray(image_values)
    for number in range(2):
        image.SetMetaData(f"Segment{number}_Name", "lesion")
        image.SetMetaData(f"Segment{number}_LabelValue", str(number + 1))
    SimpleITK.WriteImage(image, tmp_path / "A.seg.nrrd")
    (case,) = open_cases(tmp_path, masks_only=True, regions="names")
    assert case.region_names == ("lesion",)
    assert case.read().regions["lesion"].sum() == (VALUES > 0).sum()


def test_a_mask_without_names_fails_alone_analytic(tmp_path, save_nifti):
    save_nifti(tmp_path / "A_seg.nii.gz", VALUES.T)
    with pytest.raises(InputError, match=r"found no names: .*A_seg.*dataset.json.*FILE.toml"):
        open_cases(tmp_path, masks_only=True, regions="names")
    segments(tmp_path / "B.seg.nrrd", core=2, edema=1)
    first, second = open_cases(tmp_path, masks_only=True, regions="names")
    assert second.read().regions["core"].any()
    with pytest.raises(CaseError, match="the mask of case A to name its values, found no names"):
        first.read()
    assert first.region_names == second.region_names


def test_a_damaged_file_fails_alone_analytic(tmp_path):
    segments(tmp_path / "B.seg.nrrd", core=2, edema=1)
    (tmp_path / "A.seg.nrrd").write_bytes(b"NRRD0004\n")
    first, second = open_cases(tmp_path, masks_only=True, regions="names")
    assert second.read().regions["core"].any()
    with pytest.raises(CaseError, match="case A"):
        first.read()


def test_a_name_that_is_no_name_of_a_file_is_refused_unquoted_analytic(tmp_path):
    segments(tmp_path / "B.seg.nrrd", **{"core/edema": 1, "other": 2})
    with pytest.raises(InputError, match=r"a separator of folders \(/\) in one. Write") as caught:
        open_cases(tmp_path, masks_only=True, regions="names")
    assert "core" not in str(caught.value)


def test_names_are_asked_for_by_a_word_analytic():
    assert read_regions("names").names == ()
    with pytest.raises(InputError, match="to be brats, brats2013, names or a TOML file"):
        read_regions("name")
