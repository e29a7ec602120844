import gzip
import logging
import tracemalloc

import numpy as np
import pytest

from lggshape.readers import nifti_file, open_cases

# Stored as (x, y, z): all three lengths differ, so that a wrong axis shows.
STORED = np.zeros((5, 6, 7), dtype=np.uint8)
STORED[1, 2, 3] = STORED[1, 2, 4] = STORED[4, 0, 0] = 1
AFFINE = np.array([[0.5, 0, 0, -10], [0, 0.8, 0, -20], [0, 0, 3, 5], [0, 0, 0, 1.0]])


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ((STORED * np.arange(7)).astype(np.uint8), "found 0 (208 voxels), 3 (1), 4 (1)"),
        (np.where(STORED == 1, np.nan, 0).astype(np.float32), "found 0 (207 voxels), nan (3)"),
    ],
)
def test_masks_of_several_labels_or_nan(tmp_path, values, found, save_nifti, failure):
    message = failure(save_nifti(tmp_path / "A.nii.gz", values), masks_only=True)
    assert found in message
    assert "A.nii.gz" in message


@pytest.mark.parametrize("kept", [0, 0.1, 0.5, 0.95])
@pytest.mark.parametrize("name", ["A.nii", "A.nii.gz"])
def test_truncated_files(tmp_path, capfd, caplog, name, kept, save_nifti, failure):
    noise = np.random.default_rng(0).random((5, 6, 7)).astype(np.float32)
    path = save_nifti(tmp_path / name, noise)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with caplog.at_level(logging.DEBUG):
        message = failure(path)
    assert "to be readable NIfTI, found: " in message
    assert str(path) in message
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_a_flipped_bit_in_a_compressed_file_is_noticed(tmp_path, save_nifti, failure):
    path = save_nifti(tmp_path / "A.nii")
    # Stored, not deflated: only the checksum at the end of the stream can tell.
    content = bytearray(gzip.compress(path.read_bytes(), compresslevel=0))
    content[-20] ^= 1
    (tmp_path / "B.nii.gz").write_bytes(bytes(content))
    assert "CRC check failed" in failure(tmp_path / "B.nii.gz", masks_only=True)


def test_a_file_that_is_no_nifti(tmp_path, failure):
    (tmp_path / "A.nii").write_bytes(b"\x89PNG" + bytes(1000))
    assert "found: no NIfTI header" in failure(tmp_path / "A.nii", masks_only=True)


def test_absurd_dimensions(tmp_path, save_nifti, rewrite_header, failure):
    path = rewrite_header(save_nifti(tmp_path / "A.nii"), dim=[3, 32767, 32767, 32767, 1, 1, 1, 1])
    assert "to be readable NIfTI" in failure(path, masks_only=True)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (STORED[0], "shape (6, 7) instead of a volume"),
        (np.zeros((2, 2, 2, 2, 2), np.uint8), "shape (2, 2, 2, 2, 2) instead of a volume"),
        (np.zeros((5, 6, 7), np.complex64), "complex64 instead of plain numbers"),
    ],
)
def test_contents_that_are_no_volume(tmp_path, values, found, save_nifti, failure):
    assert found in failure(save_nifti(tmp_path / "A.nii", values), masks_only=True)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ({"dim": [3, 5, 6, 700, 1, 1, 1, 1]}, "instead of the 21352 that the header promises"),
        ({"dim": [3, 2048, 2048, 2048, 1, 1, 1, 1]}, "3 axes of the sizes"),
        ({"dim": [3, 5, -6, 7, 1, 1, 1, 1]}, "3 axes of the sizes"),
        ({"dim": [3, 5, 0, 7, 1, 1, 1, 1]}, "3 axes of the sizes"),
        ({"dim": [9, 5, 6, 7, 1, 1, 1, 1]}, "axes of the sizes"),
        ({"vox_offset": 1e9}, "values from byte 1000000000 on"),
        ({"vox_offset": np.nan}, "values from byte nan on"),
        ({"datatype": 64, "bitpix": 64}, "that the header promises"),
        ({"datatype": 999}, "found"),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_headers_that_promise_what_is_not_there_analytic(
    tmp_path, save_nifti, rewrite_header, failure, header, found, compressed
):
    path = rewrite_header(save_nifti(tmp_path / "A.nii"), **header)
    if compressed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    assert found in failure(path, masks_only=True)


def test_a_file_that_holds_far_more_than_its_header_promises_analytic(
    tmp_path, save_nifti, failure
):
    """A kilobyte is a slip; 256 MB, in 260 kB, is a bomb, of which little is unpacked."""
    path = save_nifti(tmp_path / "A.nii")
    packed = gzip.compress(path.read_bytes() + bytes(2**28), 9)
    (tmp_path / "A.nii").unlink()
    (tmp_path / "B.nii.gz").write_bytes(packed)
    tracemalloc.start()
    said = failure(tmp_path / "B.nii.gz", masks_only=True)
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()
    assert "more bytes instead of the 562 that the header promises" in said


def test_a_bug_is_not_taken_for_damage(tmp_path, save_nifti, monkeypatch):
    monkeypatch.setattr(nifti_file, "zyx_values", lambda _: 1 / 0)
    (source,) = open_cases(save_nifti(tmp_path / "A_flair.nii"))
    with pytest.raises(ZeroDivisionError):
        source.read()
