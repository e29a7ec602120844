import logging
import pickle

import numpy as np
import pytest
import tifffile

from lggshape.case import Geometry
from lggshape.errors import CaseError
from lggshape.readers import open_cases

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (12, 16, 20, 3), dtype=np.uint8)
MASK = RNG.random((12, 16, 20)) < 0.3


def write_case(folder, name="A", *, image=IMAGE, mask=MASK, value=255, dtype=np.uint8, **options):
    case = folder / name
    case.mkdir(parents=True, exist_ok=True)
    if image is not None:
        for number, values in enumerate(image, start=1):
            tifffile.imwrite(case / f"{name}_{number}.tif", values, **options)
    if mask is not None:
        for number, values in enumerate(mask, start=1):
            stored = (values * value).astype(dtype)
            tifffile.imwrite(case / f"{name}_{number}_mask.tif", stored, **options)
    return case


def read_only(folder, **options):
    (source,) = open_cases(folder)
    return source.read(**options)


def failure(folder, **options):
    """The message of the case, which has to name it."""
    (source,) = open_cases(folder)
    with pytest.raises(CaseError) as caught:
        source.read(**options)
    assert f"case {source.id} " in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("compression", [None, "deflate", "webp"])
def test_round_trip_in_numeric_order_invariant(tmp_path, compression):
    # Twelve slices: as text, slice 10 would come before slice 2.
    write_case(tmp_path, mask=None, compression=compression, compressionargs=LOSSLESS[compression])
    write_case(tmp_path, image=None, compression=None if compression is None else "deflate")
    case = read_only(tmp_path)
    np.testing.assert_array_equal(case.image, IMAGE)
    np.testing.assert_array_equal(case.mask, MASK)
    assert case.image.dtype == np.uint8
    assert case.mask.dtype == bool
    assert (case.id, case.patient) == ("A", "A")
    assert case.sequences == ("pre-contrast", "FLAIR", "post-contrast")
    assert case.geometry == Geometry()


LOSSLESS = {None: None, "deflate": None, "webp": {"lossless": True}}


@pytest.mark.parametrize(
    ("value", "dtype"), [(1, np.uint8), (1, bool), (0.5, np.float32), (65535, np.uint16)]
)
def test_masks_of_other_values_and_types(tmp_path, value, dtype):
    write_case(tmp_path, value=value, dtype=dtype)
    np.testing.assert_array_equal(read_only(tmp_path).mask, MASK)


def test_a_case_opened_by_its_own_folder(tmp_path, monkeypatch):
    case = write_case(tmp_path)
    np.testing.assert_array_equal(read_only(case).mask, MASK)
    monkeypatch.chdir(case)
    assert [source.id for source in open_cases(case.relative_to(case))] == ["A"]


def test_masks_alone(tmp_path):
    write_case(tmp_path, image=None)
    (source,) = open_cases(tmp_path, masks_only=True)
    assert (source.has_image, source.has_mask) == (False, True)
    case = source.read()
    assert case.image is None
    assert case.sequences == ()
    np.testing.assert_array_equal(case.mask, MASK)


def test_images_alone(tmp_path):
    write_case(tmp_path, mask=None)
    (source,) = open_cases(tmp_path)
    assert (source.has_image, source.has_mask) == (True, False)
    case = source.read()
    assert case.mask is None
    np.testing.assert_array_equal(case.image, IMAGE)


def test_images_alone_fail_where_masks_are_wanted(tmp_path):
    write_case(tmp_path, mask=None)
    (source,) = open_cases(tmp_path, masks_only=True)
    with pytest.raises(CaseError, match="Expected case A to have a mask, found none"):
        source.read(image=False)
    assert source.read(mask=False).mask is None


def test_what_is_not_asked_for_is_not_decoded(tmp_path):
    case = write_case(tmp_path)
    (case / "A_3.tif").write_bytes(b"no image")
    assert read_only(tmp_path, image=False).image is None
    (case / "A_3_mask.tif").write_bytes(b"no mask")
    assert read_only(tmp_path, image=False, mask=False).mask is None


def test_the_pairs_are_checked_even_if_the_mask_alone_is_asked_for(tmp_path):
    case = write_case(tmp_path)
    (case / "A_3.tif").unlink()
    message = failure(tmp_path, image=False)
    assert "A_3_mask.tif" in message
    assert "partner A_3.tif, found none" in message


def test_an_image_without_its_mask(tmp_path):
    case = write_case(tmp_path)
    (case / "A_12_mask.tif").unlink()
    message = failure(tmp_path)
    assert "A_12.tif" in message
    assert "partner A_12_mask.tif, found none" in message


@pytest.mark.parametrize(("gone", "found"), [(1, "no slice 1 but 2"), (7, "no slice 7 but 8")])
def test_a_missing_slice(tmp_path, gone, found):
    case = write_case(tmp_path)
    (case / f"A_{gone}.tif").unlink()
    (case / f"A_{gone}_mask.tif").unlink()
    assert found in failure(tmp_path)


@pytest.mark.parametrize("twin", ["A_07.tif", "A_7.tiff", "A_7.TIF"])
def test_a_doubled_slice(tmp_path, twin):
    case = write_case(tmp_path)
    (case / twin).write_bytes((case / "A_7.tif").read_bytes())
    message = failure(tmp_path)
    assert "slice 7" in message
    assert "A_7.tif" in message
    assert twin in message


@pytest.mark.parametrize("name", ["thumbnail.tif", "B_13.tif", "A_3_mask (1).tif", "A_-1.tif"])
def test_a_tiff_file_that_is_no_slice_of_the_case(tmp_path, name):
    case = write_case(tmp_path)
    (case / name).write_bytes((case / "A_7.tif").read_bytes())
    assert f"found {name}" in failure(tmp_path)


def test_names_in_capitals_and_the_longer_extension(tmp_path):
    case = write_case(tmp_path)
    for file in list(case.iterdir()):
        longer = file.with_suffix(".TIFF").name.replace("_mask", "_MASK")
        file.rename(case / longer)
    np.testing.assert_array_equal(read_only(tmp_path).mask, MASK)


def test_files_that_are_no_slices_are_left_aside(tmp_path):
    case = write_case(tmp_path)
    for folder in (case, tmp_path):
        for name in (".DS_Store", "._A_1.tif", "data.csv", "README.md", "Thumbs.db"):
            (folder / name).write_text("x")
    np.testing.assert_array_equal(read_only(tmp_path).mask, MASK)


@pytest.mark.parametrize("kind", ["", "_mask"])
def test_slices_of_different_shapes(tmp_path, kind):
    case = write_case(tmp_path)
    values = tifffile.imread(case / f"A_5{kind}.tif")
    tifffile.imwrite(case / f"A_5{kind}.tif", values[:-1])
    message = failure(tmp_path)
    assert "of one shape and type" in message
    assert f"A_5{kind}.tif" in message


def test_slices_of_different_types(tmp_path):
    case = write_case(tmp_path)
    tifffile.imwrite(case / "A_5_mask.tif", MASK[4].astype(np.float32))
    assert "uint8 in A_1_mask.tif and (16, 20) float32 in A_5_mask.tif" in failure(tmp_path)


def test_image_and_mask_of_different_shapes(tmp_path):
    write_case(tmp_path, mask=MASK[:, 1:])
    assert "to have the same shape, found (16, 20) and (15, 20)" in failure(tmp_path)


@pytest.mark.parametrize(
    ("image", "found"),
    [
        (IMAGE[..., 0], r"found (16, 20) uint8"),
        (IMAGE.astype(np.uint16), r"found (16, 20, 3) uint16"),
        (np.concatenate([IMAGE, IMAGE[..., :1]], axis=3), r"found (16, 20, 4) uint8"),
    ],
)
def test_images_of_other_types_or_channels(tmp_path, image, found):
    write_case(tmp_path, image=image, photometric=None)
    assert found in failure(tmp_path)


def test_a_mask_with_channels(tmp_path):
    write_case(tmp_path, mask=np.stack([MASK] * 3, axis=3), photometric="rgb")
    assert "to have shape (Y, X), found (16, 20, 3)" in failure(tmp_path)


def test_a_mask_with_several_values_names_file_and_values(tmp_path):
    case = write_case(tmp_path)
    values = (MASK[4] * 255).astype(np.uint8)
    values[0, :3] = [1, 2, 255]
    tifffile.imwrite(case / "A_5_mask.tif", values)
    message = failure(tmp_path)
    assert "found 0, 1, 2, 255" in message
    assert "A_5_mask.tif" in message


def test_a_mask_whose_value_changes_between_slices(tmp_path):
    case = write_case(tmp_path)
    tifffile.imwrite(case / "A_5_mask.tif", MASK[4].astype(np.uint8))
    assert "found 1, 255" in failure(tmp_path)


def test_several_pages(tmp_path):
    case = write_case(tmp_path)
    pages = np.zeros((4, 16, 20), dtype=np.uint8)
    tifffile.imwrite(case / "A_5_mask.tif", pages, photometric="minisblack")
    message = failure(tmp_path)
    assert "one page, found 4" in message
    assert "A_5_mask.tif" in message


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("kept", [0, 0.02, 0.3, 0.6, 0.99])
def test_truncated_files_are_named_without_a_word_elsewhere(
    tmp_path, capfd, caplog, kept, compression
):
    case = write_case(tmp_path, compression=compression)
    content = (case / "A_5.tif").read_bytes()
    (case / "A_5.tif").write_bytes(content[: int(kept * len(content))])
    with caplog.at_level(logging.DEBUG):
        message = failure(tmp_path)
    assert "to be a readable TIFF file" in message
    assert "A_5.tif" in message
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_a_file_that_is_no_tiff(tmp_path):
    case = write_case(tmp_path)
    (case / "A_5_mask.tif").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert "to be a readable TIFF file, found: not a TIFF file" in failure(tmp_path)


def test_what_tifffile_logs_as_an_error_is_an_error(tmp_path, monkeypatch):
    case = write_case(tmp_path)
    pages = tifffile.TiffPage.asarray

    def log_and_read(page, **options):
        logging.getLogger("tifffile").error("strip is corrupted")
        return pages(page, **options)

    monkeypatch.setattr(tifffile.TiffPage, "asarray", log_and_read)
    message = failure(tmp_path)
    assert "found: strip is corrupted" in message
    assert str(case / "A_1.tif") in message
    assert logging.getLogger("tifffile").propagate


def test_a_slice_that_cannot_be_opened(tmp_path):
    case = write_case(tmp_path)
    (case / "A_5.tif").unlink()
    (case / "A_5.tif").symlink_to(tmp_path / "nowhere")
    assert "A_5.tif" in failure(tmp_path)


@pytest.mark.parametrize(
    ("case", "patient"),
    [
        ("TCGA_CS_4941_19960909", "TCGA_CS_4941"),
        ("TCGA_HT_A5RC_19990831", "TCGA_HT_A5RC"),
        ("TCGA_CS_4941", "TCGA_CS_4941"),
        ("TCGA_CS_4941_1996", "TCGA_CS_4941_1996"),
        ("MINE_CS_4941_19960909", "MINE_CS_4941_19960909"),
    ],
)
def test_patients_by_the_name_of_the_case(tmp_path, case, patient):
    write_case(tmp_path, case)
    assert read_only(tmp_path, image=False).patient == patient


def test_sources_can_be_sent_to_another_process(tmp_path):
    write_case(tmp_path)
    (source,) = open_cases(tmp_path)
    copy = pickle.loads(pickle.dumps(source))
    assert copy == source
    np.testing.assert_array_equal(copy.read(image=False).mask, MASK)


@pytest.mark.real_data
def test_all_cases_of_the_data_set(dataset):
    sources = open_cases(dataset)
    assert len(sources) == 110
    assert len({source.patient for source in sources}) == 110
    # Counted in the data set's own file list.
    assert sum(len(source.names) for source in sources) == 2 * 3929
    case = sources[0].read()
    assert (case.id, case.patient) == ("TCGA_CS_4941_19960909", "TCGA_CS_4941")
    assert case.image.shape == (23, 256, 256, 3)
    assert case.mask.shape == (23, 256, 256)
