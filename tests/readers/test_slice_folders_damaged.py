import logging
import re
import tracemalloc

import numpy as np
import pytest
import tifffile

from lggshape.readers import open_cases, slice_folders
from lggshape.readers.tiff_file import open_tiff

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (12, 16, 20, 3), dtype=np.uint8)
MASK = RNG.random((12, 16, 20)) < 0.3


def test_the_pairs_are_checked_even_if_the_mask_alone_is_asked_for(tmp_path, write_slices, failure):
    case = write_slices(tmp_path)
    (case / "A_3.tif").unlink()
    message = failure(tmp_path, image=False)
    assert "A_3_mask.tif" in message
    assert "partner A_3.tif, found none" in message


def test_an_image_without_its_mask(tmp_path, write_slices, failure):
    case = write_slices(tmp_path)
    (case / "A_12_mask.tif").unlink()
    message = failure(tmp_path)
    assert "A_12.tif" in message
    assert "partner A_12_mask.tif, found none" in message


@pytest.mark.parametrize(("gone", "found"), [(1, "no slice 1 but 2"), (7, "no slice 7 but 8")])
def test_a_missing_slice(tmp_path, gone, found, write_slices, failure):
    case = write_slices(tmp_path)
    (case / f"A_{gone}.tif").unlink()
    (case / f"A_{gone}_mask.tif").unlink()
    assert found in failure(tmp_path)


@pytest.mark.parametrize("twin", ["A_07.tif", "A_7.tiff", "A_7.TIF"])
def test_a_doubled_slice(tmp_path, twin, write_slices, failure):
    case = write_slices(tmp_path)
    (case / twin).write_bytes((case / "A_7.tif").read_bytes())
    message = failure(tmp_path)
    assert "slice 7" in message
    assert "A_7.tif" in message
    assert twin in message


@pytest.mark.parametrize("name", ["thumbnail.tif", "B_13.tif", "A_3_mask (1).tif", "A_-1.tif"])
def test_a_tiff_file_that_is_no_slice_of_the_case(tmp_path, name, write_slices, failure):
    case = write_slices(tmp_path)
    (case / name).write_bytes((case / "A_7.tif").read_bytes())
    assert f"found {name}" in failure(tmp_path)


@pytest.mark.parametrize("kind", ["", "_mask"])
def test_slices_of_different_shapes(tmp_path, kind, write_slices, failure):
    case = write_slices(tmp_path)
    values = tifffile.imread(case / f"A_5{kind}.tif")
    tifffile.imwrite(case / f"A_5{kind}.tif", values[:-1])
    message = failure(tmp_path)
    assert "of one shape and type" in message
    assert f"A_5{kind}.tif" in message


def test_slices_of_different_types(tmp_path, write_slices, failure):
    case = write_slices(tmp_path)
    tifffile.imwrite(case / "A_5_mask.tif", MASK[4].astype(np.float32))
    assert "uint8 in A_1_mask.tif and (16, 20) float32 in A_5_mask.tif" in failure(tmp_path)


def test_image_and_mask_of_different_shapes(tmp_path, write_slices, failure):
    case = write_slices(tmp_path, mask=MASK[:, 1:])
    for image in (True, False):  # also where only the mask is read
        said = failure(tmp_path, image=image)
        assert "to have the same shape, found (16, 20) and (15, 20)" in said
    (case / "A_1.tif").write_bytes(b"damaged")
    assert open_cases(tmp_path)[0].read(image=False).mask.shape == (12, 15, 20)


def test_some_slices_in_colour_and_some_grey(tmp_path, write_slices, failure):
    case = write_slices(tmp_path)
    tifffile.imwrite(case / "A_5.tif", IMAGE[4, ..., 1])
    assert "of one shape and type" in failure(tmp_path)


def test_a_mask_with_channels(tmp_path, write_slices, failure):
    write_slices(tmp_path, mask=np.stack([MASK] * 3, axis=3), photometric="rgb")
    assert "to have shape (Y, X), found (16, 20, 3)" in failure(tmp_path)


def test_a_mask_with_several_values_names_file_and_values(tmp_path, write_slices, failure):
    case = write_slices(tmp_path)
    values = (MASK[4] * 255).astype(np.uint8)
    values[0, :3] = [1, 2, 255]
    tifffile.imwrite(case / "A_5_mask.tif", values)
    message = failure(tmp_path)
    assert re.search(r"found 0 \(\d+ voxels\), 1 \(1\), 2 \(1\), 255 \(\d+\)", message)
    assert "A_5_mask.tif" in message


def test_a_mask_whose_value_changes_between_slices(tmp_path, write_slices, failure):
    case = write_slices(tmp_path)
    tifffile.imwrite(case / "A_5_mask.tif", MASK[4].astype(np.uint8))
    assert re.search(r"found 0 \(\d+ voxels\), 1 \(\d+\), 255 \(\d+\): ", failure(tmp_path))


def test_several_pages(tmp_path, write_slices, failure):
    case = write_slices(tmp_path)
    pages = np.zeros((4, 16, 20), dtype=np.uint8)
    tifffile.imwrite(case / "A_5_mask.tif", pages, photometric="minisblack")
    message = failure(tmp_path)
    assert "one page, found 4" in message
    assert "A_5_mask.tif" in message


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("kept", [0, 0.02, 0.3, 0.6, 0.99])
def test_truncated_files_are_named_without_a_word_elsewhere(
    tmp_path, capfd, caplog, kept, compression, write_slices, failure
):
    case = write_slices(tmp_path, compression=compression)
    content = (case / "A_5.tif").read_bytes()
    (case / "A_5.tif").write_bytes(content[: int(kept * len(content))])
    with caplog.at_level(logging.DEBUG):
        message = failure(tmp_path)
    assert "to be a readable TIFF file" in message
    assert "A_5.tif" in message
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_a_file_that_is_no_tiff(tmp_path, write_slices, failure):
    case = write_slices(tmp_path)
    (case / "A_5_mask.tif").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert "to be a readable TIFF file, found: not a TIFF file" in failure(tmp_path)


def test_what_tifffile_logs_as_an_error_is_an_error(tmp_path, monkeypatch, write_slices, failure):
    case = write_slices(tmp_path)
    pages = tifffile.TiffPage.asarray

    def log_and_read(page, **options):
        logging.getLogger("tifffile").error("strip is corrupted")
        return pages(page, **options)

    monkeypatch.setattr(tifffile.TiffPage, "asarray", log_and_read)
    message = failure(tmp_path)
    assert "found: strip is corrupted" in message
    assert str(case / "A_1.tif") in message
    assert logging.getLogger("tifffile").propagate


def test_a_slice_that_cannot_be_opened(tmp_path, write_slices, failure):
    case = write_slices(tmp_path)
    (case / "A_5.tif").unlink()
    (case / "A_5.tif").symlink_to(tmp_path / "nowhere")
    assert "A_5.tif" in failure(tmp_path)


def set_tag(path, code, value):
    """Change the value of a tag of a little-endian TIFF file in place."""
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tiff:
        tag = tiff.pages.first.tags[code]
        size = {3: 2, 4: 4}[tag.dtype]
        place = tag.valueoffset
    content[place : place + size] = value.to_bytes(size, "little")
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize(
    ("tag", "value", "found"),
    [
        ("ImageLength", 60000, "A_5_mask.tif"),
        ("ImageWidth", 0, "A_5_mask.tif"),
        ("StripByteCounts", 0, "parts are missing"),
    ],
)
def test_tags_that_promise_what_is_not_there_analytic(
    tmp_path, write_slices, failure, compression, tag, value, found
):
    case = write_slices(tmp_path, image=None, compression=compression)
    set_tag(case / "A_5_mask.tif", tag, value)
    assert found in failure(tmp_path)


def test_a_slice_of_absurd_size_is_refused_before_room_is_made_for_it_analytic(
    tmp_path, write_slices, failure
):
    case = write_slices(tmp_path, image=None)
    for tag in ("ImageLength", "ImageWidth", "RowsPerStrip"):
        set_tag(case / "A_5_mask.tif", tag, 60000)
    tracemalloc.start()
    assert "shape (60000, 60000), at most 67108864 values expected" in failure(tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


def test_a_bug_is_not_taken_for_damage(tmp_path, write_slices, monkeypatch):
    monkeypatch.setattr(slice_folders, "check_page", lambda _: 1 / 0)
    write_slices(tmp_path)
    (source,) = open_cases(tmp_path)
    with pytest.raises(ZeroDivisionError):
        source.read()


def test_threads_that_read_at_once_leave_the_log_as_it_was_invariant(tmp_path, write_slices):
    path = write_slices(tmp_path) / "A_1.tif"
    logger = logging.getLogger("tifffile")
    before = logger.propagate, list(logger.handlers)
    other = open_tiff(path)  # as in a thread that begins later, and ends later
    with open_tiff(path):
        other.__enter__()
    other.__exit__(None, None, None)
    assert (logger.propagate, logger.handlers) == before
