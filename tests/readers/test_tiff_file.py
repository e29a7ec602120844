"""TIFF files of several pages, against tifffile; and what tells them from slices."""

import numpy as np
import pytest
import tifffile

from lggshape.case import SEQUENCES
from lggshape.errors import CaseError
from lggshape.readers import open_cases

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (4, 6, 5, 3), dtype=np.uint8)
MASK = (RNG.random((4, 6, 5)) < 0.3).astype(np.uint8) * 255


def grey(path, values=MASK, **options):
    options = {"photometric": "minisblack", "metadata": None} | options
    tifffile.imwrite(path, values, **options)
    return path


def test_pages_are_slices_and_colours_are_sequences_tifffile(tmp_path, read_only):
    tifffile.imwrite(tmp_path / "P_7.tif", IMAGE, photometric="rgb", metadata=None)
    grey(tmp_path / "P_7_mask.tiff")
    case = read_only(tmp_path, sequences=SEQUENCES)
    np.testing.assert_array_equal(case.image, IMAGE)
    np.testing.assert_array_equal(case.mask, MASK > 0)
    assert (case.id, case.sequences, case.geometry.spacing) == ("P_7", SEQUENCES, None)


def test_files_of_sequences_are_told_by_their_names_tifffile(tmp_path, read_only):
    for role in ("flair", "t1"):
        grey(tmp_path / f"P_{role}.tif", RNG.integers(0, 9999, (4, 6, 5), dtype=np.uint16))
    case = read_only(tmp_path)
    assert case.sequences == ("pre-contrast", "FLAIR")
    assert case.image.dtype == np.uint16


def test_masks_alone_need_no_word(tmp_path):
    for name in ("A", "B"):
        grey(tmp_path / f"{name}.tif")
    for source in open_cases(tmp_path, masks_only=True):
        np.testing.assert_array_equal(source.read().mask, MASK > 0)


@pytest.mark.parametrize(
    ("said", "unit", "spacing"),
    [
        ({"spacing": 3.0, "unit": "mm"}, 1.0, (3.0, 0.8, 0.5)),
        ({"spacing": 3000.0, "unit": "um"}, 1000.0, (3.0, 0.8, 0.5)),
        ({"spacing": 3.0, "unit": "pixel"}, 1.0, None),
        ({"unit": "mm"}, 1.0, None),
        ({"spacing": 3.0}, 1.0, None),
    ],
)
def test_the_metadata_of_imagej_tell_the_spacing_analytic(tmp_path, said, unit, spacing, read_only):
    resolution = (1 / (0.5 * unit), 1 / (0.8 * unit))
    grey(
        tmp_path / "P_mask.tif",
        imagej=True,
        metadata={"axes": "ZYX", **said},
        resolution=resolution,
    )
    # The file holds fractions of 32-bit whole numbers.
    assert read_only(tmp_path).geometry.spacing == (spacing and pytest.approx(spacing, rel=1e-6))


def test_dots_per_inch_are_no_spacing(tmp_path, read_only):
    grey(tmp_path / "P_mask.tif", resolution=(300, 300), resolutionunit="inch")
    assert read_only(tmp_path).geometry.spacing is None


@pytest.mark.parametrize(
    ("sizes", "spacing"),
    [
        ({"X": (500, "µm"), "Y": (0.8, "mm"), "Z": (3, "mm")}, (3.0, 0.8, 0.5)),
        ({"X": (500, None), "Y": (800, None), "Z": (3000, None)}, (3.0, 0.8, 0.5)),
        ({"X": (0.5, "mm"), "Y": (0.8, "mm")}, None),
        ({"X": (1, "pixel"), "Y": (1, "pixel"), "Z": (1, "pixel")}, None),
    ],
)
def test_the_metadata_of_ome_tell_the_spacing_analytic(tmp_path, sizes, spacing, read_only):
    metadata = {"axes": "ZYX"}
    for axis, (size, unit) in sizes.items():
        metadata[f"PhysicalSize{axis}"] = size
        if unit:
            metadata[f"PhysicalSize{axis}Unit"] = unit
    grey(tmp_path / "P_mask.ome.tif", ome=True, metadata=metadata)
    assert read_only(tmp_path, masks_only=True).geometry.spacing == spacing


def test_slices_stay_slices_and_other_names_are_volumes(tmp_path):
    (tmp_path / "P7").mkdir()
    for number in (1, 2):
        grey(tmp_path / "P7" / f"P7_{number}.tif", MASK[0])
    grey(tmp_path / "P7_1_flair.tif")
    assert {case.id: type(case).__name__ for case in open_cases(tmp_path)} == {
        "P7": "SliceFolder",
        "P7_1": "VolumeCase",
    }


@pytest.mark.parametrize(
    ("values", "options", "found"),
    [
        (MASK[0], {}, "found: one page; a volume has a page per slice"),
        (MASK, {"photometric": "miniswhite"}, "0 is white"),
        (MASK, {"colormap": np.zeros((3, 256), np.uint16), "photometric": "palette"}, "palette"),
        (np.moveaxis(IMAGE, -1, 1), {"imagej": True, "metadata": {"axes": "ZCYX"}}, "axes ZCYX"),
        (MASK, {"imagej": True, "metadata": {"axes": "TYX"}}, "axes TYX"),
    ],
)
def test_files_that_hold_no_volume_are_refused_by_name_tifffile(
    tmp_path, values, options, found, failure
):
    grey(tmp_path / "P_flair.tif", values, **options)
    said = failure(tmp_path)
    assert found in said
    assert "P_flair.tif" in said


def test_pages_of_different_sizes_are_refused_tifffile(tmp_path, failure):
    grey(tmp_path / "P_mask.tif", MASK[:2])
    grey(tmp_path / "P_mask.tif", MASK[:, :3], append=True)
    assert "instead of slices of one shape" in failure(tmp_path)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_a_file_that_was_cut_is_refused_invariant(tmp_path, keep, failure):
    path = grey(tmp_path / "P_mask.tif", compression="zlib")
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    assert "to be readable TIFF" in failure(path)


def test_a_mask_of_slices_in_which_0_is_white_is_refused_as_images_are(tmp_path, failure):
    (tmp_path / "A").mkdir()
    grey(tmp_path / "A" / "A_1_mask.tif", MASK[0], photometric="miniswhite")
    assert "0 is white" in failure(tmp_path)


@pytest.mark.parametrize("spacing", [None, (3.0, 0.8, 0.5)])
def test_a_written_mask_lies_on_the_grid_of_the_image_invariant(tmp_path, spacing, read_only):
    metadata = {"axes": "ZYX", "spacing": 3.0, "unit": "mm"}
    known = {"imagej": True, "metadata": metadata, "resolution": (2, 1.25)}
    (tmp_path / "images").mkdir()
    grey(tmp_path / "images" / "P_flair.tif", IMAGE[..., 1], **(known if spacing else {}))
    (source,) = open_cases(tmp_path / "images")
    volumes = {"mask": MASK > 0, "probability": MASK / np.float32(510)}
    first = [path.read_bytes() for path in source.write(tmp_path / "masks", volumes)]
    written = source.write(tmp_path / "masks", volumes)
    assert [path.read_bytes() for path in written] == first
    assert [path.name for path in written] == ["P_mask.tif", "P_probability.tif"]
    np.testing.assert_array_equal(tifffile.imread(written[0]), MASK)
    np.testing.assert_array_equal(tifffile.imread(written[1]), volumes["probability"])
    case = read_only(tmp_path / "masks", masks_only=True)
    np.testing.assert_array_equal(case.mask, MASK > 0)
    assert case.geometry.spacing == spacing


def test_a_damaged_page_fails_alone(tmp_path):
    grey(tmp_path / "A_mask.tif")
    (tmp_path / "B_mask.tif").write_bytes(b"no TIFF")
    good, bad = open_cases(tmp_path)
    assert good.read().mask is not None
    with pytest.raises(CaseError, match="case B to be readable TIFF"):
        bad.read()


def test_a_grey_file_whose_name_tells_no_sequence_is_not_taken_for_flair_analytic(tmp_path):
    grey(tmp_path / "P8_scan.tif")
    grey(tmp_path / "P9_flair.tif")
    unnamed, named = open_cases(tmp_path)
    assert named.read().sequences == ("FLAIR",)
    with pytest.raises(CaseError, match=r"case P8_scan .*found 1 without names.*--sequences"):
        unnamed.read()
    assert "--sequences" in unnamed.described()[0].reason
    assert open_cases(tmp_path, sequences=["FLAIR"])[0].read().sequences == ("FLAIR",)
