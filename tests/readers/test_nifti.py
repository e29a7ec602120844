import pickle

import numpy as np
import pytest

from lggshape.case import Geometry
from lggshape.readers import open_cases

# Stored as (x, y, z): all three lengths differ, so that a wrong axis shows.
STORED = np.zeros((5, 6, 7), dtype=np.uint8)
STORED[1, 2, 3] = STORED[1, 2, 4] = STORED[4, 0, 0] = 1
AFFINE = np.array([[0.5, 0, 0, -10], [0, 0.8, 0, -20], [0, 0, 3, 5], [0, 0, 0, 1.0]])


def test_a_folder_of_masks(tmp_path, save_nifti):
    for name in ("case_10_dseg.nii.gz", "case_9_seg.nii", "case_11_mask.nii.gz", "case_12-seg.nii"):
        save_nifti(tmp_path / name)
    sources = open_cases(tmp_path, masks_only=True)
    assert [source.id for source in sources] == ["case_9", "case_10", "case_11", "case_12"]
    for source in sources:
        assert (source.has_image, source.has_mask) == (False, True)
        np.testing.assert_array_equal(source.read().mask, STORED.transpose(2, 1, 0) == 1)


NAMES = [
    ("B_t1.nii.gz", "B_flair.nii.gz", "B_t1ce.nii.gz", "B_seg.nii.gz", "B_t2.nii.gz"),
    ("B-t1n.nii.gz", "B-t2f.nii.gz", "B-t1c.nii.gz", "B-seg.nii.gz", "B-t2w.nii.gz"),
    ("B_pre.nii", "B_FLAIR.nii", "B_post.nii", "B_Mask.nii", "B_T2.nii"),
    ("B_T1.nii", "B_Flair.nii", "B_T1Gd.nii", "B_segmentation.nii", "B_t2w.nii"),
    ("t1.nii", "flair.nii", "t1ce.nii", "mask.nii", "t2.nii"),
]


@pytest.mark.parametrize("names", NAMES, ids=lambda names: names[0])
@pytest.mark.parametrize("opened", ["", "B"])
def test_a_file_a_sequence(tmp_path, names, opened, save_nifti, read_only):
    """In a folder of case folders, and opened by the case folder itself."""
    values = np.random.default_rng(0).random((3, 5, 6, 7)).astype(np.float32)
    for name, sequence in zip(names, [*values, STORED, values[0]], strict=True):
        save_nifti(tmp_path / "B" / name, sequence)
    case = read_only(tmp_path / opened)
    assert case.id == "B"
    assert case.sequences == ("pre-contrast", "FLAIR", "post-contrast")
    np.testing.assert_array_equal(case.image, values.transpose(3, 2, 1, 0))
    np.testing.assert_array_equal(case.mask, STORED.transpose(2, 1, 0) == 1)


def test_flat_files_of_several_cases(tmp_path, save_nifti):
    for case in ("P_2", "P_10"):
        for role in ("flair", "post", "mask"):
            save_nifti(tmp_path / f"{case}_{role}.nii.gz")
    sources = open_cases(tmp_path)
    assert [source.id for source in sources] == ["P_2", "P_10"]
    assert sources[0].read().sequences == ("FLAIR", "post-contrast")


def test_what_is_not_asked_for_is_not_read(tmp_path, save_nifti):
    save_nifti(tmp_path / "A_mask.nii.gz")
    (tmp_path / "A_flair.nii.gz").write_bytes(b"damaged")
    (source,) = open_cases(tmp_path)
    assert source.read(image=False).mask is not None
    assert source.read(image=False, mask=False).geometry == Geometry()


def test_images_without_a_mask_fail_where_masks_are_wanted(tmp_path, save_nifti, failure):
    save_nifti(tmp_path / "A_flair.nii.gz")
    assert "case A to have a mask, found none" in failure(tmp_path, masks_only=True)


def test_a_case_of_unused_files_alone(tmp_path, save_nifti, failure):
    save_nifti(tmp_path / "A_t2.nii.gz")
    assert "case A to have an image or a mask" in failure(tmp_path)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("A_mask.nii", "A_mask.nii.gz"), "one mask file, found A_mask.nii and A_mask.nii.gz"),
        (("A_mask.nii", "A_seg.nii"), "one mask file, found A_mask.nii and A_seg.nii"),
        (("A_t1.nii", "A_pre.nii"), "one pre-contrast file, found A_pre.nii and A_t1.nii"),
        (("A.nii", "A.nii.gz"), "one file without a role in its name"),
        (("A.nii", "A_flair.nii"), "one file or a file per sequence, found A.nii and A_flair.nii"),
    ],
)
def test_two_files_for_one_thing(tmp_path, names, found, save_nifti, failure):
    for name in names:
        save_nifti(tmp_path / name)
    assert found in failure(tmp_path)


def test_images_in_folders_and_masks_beside_them_are_one_case(tmp_path, save_nifti, read_only):
    save_nifti(tmp_path / "A" / "flair.nii.gz")
    save_nifti(tmp_path / "A_mask.nii.gz")
    case = read_only(tmp_path)
    assert case.image is not None
    assert case.mask is not None


@pytest.mark.parametrize("name", ["A_flair.nii", "A_mask.nii"])
def test_a_sequence_or_mask_of_several_volumes(tmp_path, name, save_nifti, failure):
    path = save_nifti(tmp_path / name, np.zeros((5, 6, 7, 2), np.uint8))
    assert "to hold one volume, found 2" in failure(path)


def shifted(millimetres):
    affine = AFFINE.copy()
    affine[0, 3] += millimetres
    return affine


@pytest.mark.parametrize(
    ("values", "affine"),
    [
        (STORED[:-1], AFFINE),
        (STORED, shifted(0.1)),
        (STORED, np.diag([1.01, 1, 1, 1]) @ AFFINE),
        (STORED, None),
    ],
)
def test_image_and_mask_on_different_grids(tmp_path, values, affine, save_nifti, failure):
    save_nifti(tmp_path / "A_flair.nii.gz")
    save_nifti(tmp_path / "A_mask.nii.gz", values, affine)
    message = failure(tmp_path, masks_only=True)
    assert "to lie on one grid" in message
    assert "A_flair.nii.gz" in message
    assert "A_mask.nii.gz" in message


def test_rounding_of_the_affine_is_the_same_grid(tmp_path, save_nifti, read_only):
    save_nifti(tmp_path / "A_flair.nii.gz")
    save_nifti(tmp_path / "A_mask.nii.gz", affine=shifted(1e-5))
    assert read_only(tmp_path).mask is not None


@pytest.mark.parametrize(
    ("size", "found"),
    [
        (3, ""),
        (2, "voxels of 3 x 0.8 x 0.5 and 2 x 0.8 x 0.5 mm"),
        (0, "voxel sizes in the first file alone"),
    ],
)
def test_spacing_alone_has_to_agree(
    tmp_path, size, found, save_nifti, rewrite_header, read_only, failure
):
    sizes = [1, 0.5, 0.8, 3, 1, 1, 1, 1]
    rewrite_header(save_nifti(tmp_path / "A_flair.nii", affine=None), pixdim=sizes)
    sizes[3] = size
    rewrite_header(save_nifti(tmp_path / "A_mask.nii", affine=None), pixdim=sizes)
    if not found:
        assert read_only(tmp_path).mask is not None
    else:
        assert found in failure(tmp_path, masks_only=True)


def test_sources_can_be_sent_to_another_process(tmp_path, save_nifti):
    save_nifti(tmp_path / "A_mask.nii.gz")
    (source,) = open_cases(tmp_path)
    copy = pickle.loads(pickle.dumps(source))
    assert copy == source
    assert copy.read().mask is not None
