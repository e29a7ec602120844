import nibabel as nib
import numpy as np
import pytest

from lggshape.errors import CaseError, InputError
from lggshape.phantoms import write_cohort
from lggshape.readers import open_cases
from lggshape.readers.packed import pack_masks


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("c") / "cases", patients=4, size=(5, 33, 47))


@pytest.fixture
def packed(cohort, tmp_path):
    folder = tmp_path / "packed"
    pack_masks(open_cases(cohort), folder)
    return folder


def test_masks_come_back_invariant(cohort, packed):
    pairs = list(zip(open_cases(cohort), open_cases(packed, masks_only=True), strict=True))
    assert len(pairs) == 4
    for one, other in pairs:
        before, after = one.read(image=False), other.read()
        assert (after.id, after.patient, other.site) == (before.id, before.patient, one.site)
        assert after.image is None
        assert after.geometry.spacing is None
        assert after.geometry.affine is None
        assert after.mask.dtype == bool
        np.testing.assert_array_equal(after.mask, before.mask)
    assert pairs[0][1].read(mask=False).mask is None
    size = sum(path.stat().st_size for path in cohort.rglob("*_mask.tif"))
    assert (packed / "masks.npz").stat().st_size < size


def test_geometry_comes_back_invariant(tmp_path):
    mask = np.zeros((6, 7, 8), dtype=np.uint8)
    mask[2:4, 3:5, 1:6] = 1
    affine = np.array([[0.9, 0, 0, -20], [0, 1.1, 0, 5], [0, 0, 5.0, 3], [0, 0, 0, 1]])
    nib.save(nib.Nifti1Image(mask, affine), tmp_path / "P1_mask.nii.gz")
    (source,) = open_cases(tmp_path)
    pack_masks([source], tmp_path / "packed")
    (other,) = open_cases(tmp_path / "packed")
    before, after = source.read().geometry, other.read().geometry
    assert after.spacing == before.spacing
    np.testing.assert_array_equal(after.affine, before.affine)


def test_a_case_without_a_mask_leaves_nothing(tmp_path):
    image = np.random.default_rng(0).random((4, 5, 6))
    nib.save(nib.Nifti1Image(image, np.eye(4)), tmp_path / "P1_flair.nii.gz")
    with pytest.raises(CaseError, match="Expected case P1 to have a mask, found none"):
        pack_masks(open_cases(tmp_path), tmp_path / "packed")
    assert not list((tmp_path / "packed").glob("*"))


def test_archives_that_are_damaged(packed):
    path = packed / "masks.npz"
    sources = open_cases(packed)
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(InputError, match=r"to be an archive of packed masks, found: .*\.$"):
        open_cases(packed)
    with pytest.raises(CaseError, match=r"masks\.npz to hold the mask of case .*, found"):
        sources[0].read()
    np.savez(path, cases=np.array(["P1"]))
    with pytest.raises(InputError, match="to be an archive of packed masks"):
        open_cases(packed)


def test_nothing_is_written_beside_packed_masks(packed, tmp_path):
    source = open_cases(packed)[0]
    with pytest.raises(CaseError, match="to have an image, found packed masks"):
        source.write(tmp_path / "out", {"mask": np.zeros((5, 33, 47), dtype=bool)})


def test_one_name_in_two_layouts_is_named(cohort, packed):
    (case,) = (source.id for source in open_cases(packed)[:1])
    (packed / case).mkdir()
    for path in (cohort / case).iterdir():
        (packed / case / path.name).write_bytes(path.read_bytes())
    with pytest.raises(CaseError, match=r"to have one layout, found several: .*masks\.npz"):
        open_cases(packed)[0].read()
