"""nnU-Net data sets of both versions, and those of the Medical Segmentation Decathlon."""

import json
from pathlib import Path

import numpy as np
import pytest

from helpers.case_files import write_nifti
from lggshape.errors import CaseError, InputError
from lggshape.readers import open_cases

VOLUME = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7)
MASK = (VOLUME % 5 == 0).astype(np.uint8)


def write(top: Path, *names: str, volumes: int = 1, **description: object) -> Path:
    for name in names:
        values = MASK if name.startswith("labels") else VOLUME
        if volumes > 1 and values is VOLUME:
            values = np.stack([VOLUME + 1000 * number for number in range(volumes)], axis=-1)
        write_nifti(top / f"{name}.nii.gz", values)
    if description:
        (top / "dataset.json").write_text(json.dumps(description))
    return top


V1 = {"modality": {"0": "T1w", "1": "t1gd", "2": "T2w", "3": "FLAIR"}}
V2 = {"channel_names": {"0": "T1", "1": "T1-Gd", "2": "T2", "3": "T2-FLAIR"}}


@pytest.mark.parametrize("description", [V1, V2])
@pytest.mark.parametrize("place", [".", "imagesTr"])
def test_dataset_json_names_the_channels_analytic(tmp_path, description, place):
    names = [f"imagesTr/P_7_000{channel}" for channel in range(4)]
    write(tmp_path, *names, "labelsTr/P_7", **description)
    (case,) = open_cases(tmp_path / place)
    assert (case.id, case.patient, case.has_mask) == ("P_7", "P_7", place == ".")
    files = {path.name: role for role, path in case.files}
    assert files["P_7_0000.nii.gz"] == "pre-contrast"
    assert files["P_7_0001.nii.gz"] == "post-contrast"
    assert files["P_7_0003.nii.gz"] == "FLAIR"
    assert case.read().sequences == ("pre-contrast", "FLAIR", "post-contrast")


def test_one_file_with_all_channels_analytic(tmp_path):
    """As the Decathlon has it, in another order than ours, and with T2."""
    names = {"0": "FLAIR", "1": "T1w", "2": "t1gd", "3": "T2w"}
    write(tmp_path, "imagesTr/BRATS_001", "labelsTr/BRATS_001", volumes=4, modality=names)
    (source,) = open_cases(tmp_path)
    case = source.read()
    assert case.sequences == ("FLAIR", "pre-contrast", "post-contrast")
    for channel in range(3):
        np.testing.assert_array_equal(case.image[..., channel], VOLUME + 1000 * channel)
    np.testing.assert_array_equal(case.mask, MASK == 1)


def test_a_file_with_other_channels_than_described_is_refused_analytic(tmp_path):
    names = {"0": "FLAIR", "1": "T1w"}
    write(tmp_path, "imagesTr/A", "labelsTr/A", volumes=3, modality=names)
    (case,) = open_cases(tmp_path)
    with pytest.raises(CaseError, match=r"2 volumes \(FLAIR, pre-contrast\), found 3"):
        case.read()


@pytest.mark.parametrize(
    "description", [{}, {"channel_names": {"0": "MRI"}}, {"modality": ["FLAIR"]}]
)
def test_channels_without_a_known_name_are_left_out_and_listed_analytic(
    tmp_path, description, caplog
):
    write(tmp_path, "imagesTr/A_0000", "labelsTr/A", **description)
    (case,) = open_cases(tmp_path)
    assert (case.has_image, case.has_mask) == (False, True)
    assert "A_0000.nii.gz" in caplog.text


def test_images_for_testing_have_no_masks_analytic(tmp_path):
    description = {"channel_names": {"0": "FLAIR"}}
    write(tmp_path, "imagesTr/A_0000", "labelsTr/A", "imagesTs/B_0000", **description)
    assert [case.id for case in open_cases(tmp_path)] == ["A", "B"]
    assert [case.id for case in open_cases(tmp_path, masks_only=True)] == ["A"]


def test_masks_alone_are_read_analytic(tmp_path):
    write(tmp_path, "labelsTr/A", "labelsTr/B", labels={"background": 0, "tumour": 1})
    assert [case.id for case in open_cases(tmp_path, masks_only=True)] == ["A", "B"]
    np.testing.assert_array_equal(open_cases(tmp_path)[1].read().mask, MASK == 1)


def test_a_description_that_is_no_json_is_refused(tmp_path):
    write(tmp_path, "imagesTr/A_0000", "labelsTr/A")
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(InputError, match=r"dataset\.json to be a JSON file"):
        open_cases(tmp_path)
