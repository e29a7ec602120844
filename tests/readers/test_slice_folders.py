import logging
import pickle
import subprocess
import sys

import numpy as np
import pytest
import tifffile

from lggshape.case import Geometry
from lggshape.errors import CaseError, InputError
from lggshape.readers import open_cases
from lggshape.readers.naming import SEQUENCES

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
        (IMAGE[..., 0] > 4, r"found (16, 20) bool"),
        (IMAGE[..., 0].astype(np.complex64), r"found (16, 20) complex64"),
        (IMAGE[..., :2], r"found (16, 20, 2) uint8"),
        (np.concatenate([IMAGE, IMAGE[..., :1]], axis=3), r"found (16, 20, 4) uint8"),
    ],
)
def test_images_of_other_types_or_channels(tmp_path, image, found):
    options = {"planarconfig": "contig"} if image.ndim == 4 else {}
    write_case(tmp_path, image=image, mask=None, photometric="minisblack", **options)
    assert found in failure(tmp_path)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float16, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_any_number_type_and_flair_alone_invariant(tmp_path, dtype, channels):
    image = (IMAGE[..., :channels].astype(dtype) - 100).astype(dtype)
    write_case(tmp_path, image=image, mask=None, photometric=PHOTOMETRIC[channels])
    case = read_only(tmp_path)
    assert case.image.dtype == dtype
    np.testing.assert_array_equal(case.image, image)
    assert case.sequences == (("FLAIR",) if channels == 1 else SEQUENCES)


PHOTOMETRIC = {1: "minisblack", 3: "rgb"}


def test_sequences_name_the_channels_that_were_read(tmp_path):
    write_case(tmp_path)
    assert read_only(tmp_path, image=False).sequences == ()


@pytest.mark.parametrize(
    ("photometric", "options"),
    [("miniswhite", {}), ("palette", {"colormap": np.zeros((3, 256), dtype=np.uint16)})],
)
def test_grey_values_that_are_no_intensities(tmp_path, photometric, options):
    write_case(tmp_path, image=IMAGE[..., 0], mask=None, photometric=photometric, **options)
    assert f"found: {photometric} instead of intensities" in failure(tmp_path)


def test_some_slices_in_colour_and_some_grey(tmp_path):
    case = write_case(tmp_path)
    tifffile.imwrite(case / "A_5.tif", IMAGE[4, ..., 1])
    assert "of one shape and type" in failure(tmp_path)


def test_maps_beside_the_masks_are_left_aside(tmp_path):
    case = write_case(tmp_path)
    for kind in ("probability", "uncertainty", "ENTROPY"):
        (case / f"A_3_{kind}.tif").write_bytes(b"not decoded")
    np.testing.assert_array_equal(read_only(tmp_path).mask, MASK)


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
    ("case", "patient", "site"),
    [
        ("TCGA_CS_4941_19960909", "TCGA_CS_4941", "CS"),
        ("TCGA_HT_A5RC_19990831", "TCGA_HT_A5RC", "HT"),
        ("TCGA_CS_4941", "TCGA_CS_4941", "CS"),
        ("TCGA-CS-4941", "TCGA_CS_4941", "CS"),
        ("tcga-cs-4941_1996.09.09_copy", "TCGA_CS_4941", "CS"),
        ("TCGA_CS_49411_19960909", "TCGA_CS_49411_19960909", ""),
        ("TCGA_segmentation_1", "TCGA_segmentation_1", ""),
        ("MINE_CS_4941_19960909", "MINE_CS_4941_19960909", ""),
    ],
)
def test_patients_and_sites_by_the_name_of_the_case_analytic(tmp_path, case, patient, site):
    write_case(tmp_path, case)
    (source,) = open_cases(tmp_path)
    assert (source.patient, source.site) == (patient, site)
    assert source.read(image=False).patient == patient


def test_sources_can_be_sent_to_another_process(tmp_path):
    write_case(tmp_path)
    (source,) = open_cases(tmp_path)
    copy = pickle.loads(pickle.dumps(source))
    assert copy == source
    np.testing.assert_array_equal(copy.read(image=False).mask, MASK)


# --- writing

KINDS = ("mask", "entropy")
MAP = RNG.random(MASK.shape).astype(np.float32)


def written(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("options", [{}, {"image": None}, {"mask": None}])
def test_what_is_written_is_read_in_the_same_layout_invariant(tmp_path, options):
    write_case(tmp_path / "in", **options)
    (source,) = open_cases(tmp_path / "in")
    files = source.write(tmp_path / "new" / "out", {"mask": MASK, "entropy": MAP})
    out = tmp_path / "new" / "out"
    assert written(out) == {f"A/A_{n}_{kind}.tif" for n in range(1, 13) for kind in KINDS}
    assert sorted(files) == sorted(out / name for name in written(out))
    (found,) = open_cases(out, masks_only=True)
    assert (found.id, found.has_image, found.has_mask) == ("A", False, True)
    np.testing.assert_array_equal(found.read().mask, MASK)
    np.testing.assert_array_equal(tifffile.imread(out / "A/A_10_entropy.tif"), MAP[9])


def test_masks_are_bytes_of_0_and_255_and_compressed(tmp_path):
    write_case(tmp_path / "in")
    (source,) = open_cases(tmp_path / "in")
    source.write(tmp_path / "out", {"mask": MASK})
    with tifffile.TiffFile(tmp_path / "out/A/A_3_mask.tif") as tiff:
        page = tiff.pages.first
        assert page.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        assert page.dtype == np.uint8
        np.testing.assert_array_equal(page.asarray(), MASK[2] * 255)


def test_numbers_are_spelled_as_in_the_input(tmp_path):
    case = write_case(tmp_path / "in")
    for file in list(case.iterdir()):
        number = file.stem.split("_")[1]
        file.rename(case / file.name.replace(f"_{number}", f"_{int(number):03d}"))
    (source,) = open_cases(tmp_path / "in")
    source.write(tmp_path / "out", {"mask": MASK})
    assert (tmp_path / "out/A/A_003_mask.tif").is_file()
    np.testing.assert_array_equal(read_only(tmp_path / "out").mask, MASK)


def test_the_same_volumes_give_the_same_bytes_invariant(tmp_path):
    write_case(tmp_path / "in")
    (source,) = open_cases(tmp_path / "in")
    for out in ("one", "two"):
        source.write(tmp_path / out, {"mask": MASK, "probability": MAP})
    for name in written(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_an_earlier_output_is_replaced_whole(tmp_path):
    write_case(tmp_path / "in")
    (source,) = open_cases(tmp_path / "in")
    source.write(tmp_path / "out", {"mask": MASK, "probability": MAP})
    source.write(tmp_path / "out", {"mask": ~MASK})
    assert written(tmp_path / "out") == {f"A/A_{n}_mask.tif" for n in range(1, 13)}
    np.testing.assert_array_equal(read_only(tmp_path / "out").mask, ~MASK)


def test_a_case_that_cannot_be_written_whole_leaves_the_earlier_one(tmp_path, monkeypatch):
    write_case(tmp_path / "in")
    (source,) = open_cases(tmp_path / "in")
    source.write(tmp_path / "out", {"mask": MASK})
    imwrite, calls = tifffile.imwrite, []

    def full(path, *arguments, **options):
        calls.append(path)
        if len(calls) > 5:
            raise OSError(28, "No space left on device")
        # What a kill would leave by now is no case.
        assert [one.id for one in open_cases(tmp_path / "out")] == ["A"]
        return imwrite(path, *arguments, **options)

    monkeypatch.setattr(tifffile, "imwrite", full)
    with pytest.raises(InputError, match="can be written, found: No space left on device"):
        source.write(tmp_path / "out", {"mask": ~MASK})
    np.testing.assert_array_equal(read_only(tmp_path / "out").mask, MASK)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["A"]


def test_a_killed_writer_leaves_nothing_that_is_read(tmp_path):
    write_case(tmp_path / "in", "A")
    write_case(tmp_path / "in", "B")
    one, other = open_cases(tmp_path / "in")
    code = (
        "import os, pickle, sys, tifffile\n"
        "source, folder, mask = pickle.load(sys.stdin.buffer)\n"
        "imwrite, left = tifffile.imwrite, [5]\n"
        "def kill(*arguments, **options):\n"
        "    left[0] -= 1\n"
        "    return imwrite(*arguments, **options) if left[0] else os.kill(os.getpid(), 9)\n"
        "tifffile.imwrite = kill\n"
        "source.write(folder, {'mask': mask})\n"
    )
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps((one, out, MASK)), check=False
    )
    assert done.returncode == -9
    assert len(written(out)) == 4
    other.write(out, {"mask": MASK})
    assert [case.id for case in open_cases(out)] == ["B"]
    one.write(out, {"mask": MASK})
    assert [case.id for case in open_cases(out)] == ["A", "B"]
    assert sorted(path.name for path in out.iterdir()) == ["A", "B"]


def test_the_input_is_never_written_over(tmp_path):
    case = write_case(tmp_path / "in")
    before = written(tmp_path)
    for source in (*open_cases(tmp_path / "in"), *open_cases(case)):
        for folder in (tmp_path / "in", case):
            with pytest.raises(InputError, match="another folder than case A is read from"):
                source.write(folder, {"mask": MASK})
    # Nor is another case's image of the same name.
    write_case(tmp_path / "elsewhere")
    (source,) = open_cases(tmp_path / "elsewhere")
    write_case(tmp_path / "out")
    with pytest.raises(InputError, match="found something else"):
        source.write(tmp_path / "out", {"mask": MASK})
    assert before <= written(tmp_path)
    np.testing.assert_array_equal(read_only(tmp_path / "out").image, IMAGE)


@pytest.mark.parametrize(
    ("volumes", "message"),
    [
        ({"mask": MASK[1:]}, r"mask of case A to be \(12, 16, 20\), found \(11, 16, 20\)"),
        ({"probability": MAP[..., 0]}, r"found \(12, 16\)"),
        ({"masks": MASK}, r"found: \['masks'\]"),
    ],
)
def test_volumes_that_are_none_of_the_case(tmp_path, volumes, message):
    write_case(tmp_path / "in")
    (source,) = open_cases(tmp_path / "in")
    with pytest.raises(ValueError, match=message):
        source.write(tmp_path / "out", volumes)
    assert written(tmp_path / "out") == set()


def test_a_folder_that_cannot_be_written(tmp_path):
    write_case(tmp_path / "in")
    (source,) = open_cases(tmp_path / "in")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="to be a folder that can be written"):
        source.write(tmp_path / "file", {"mask": MASK})


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
