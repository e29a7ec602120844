import pickle

import numpy as np
import pytest

from lggshape.case import SEQUENCES, Geometry
from lggshape.errors import CaseError
from lggshape.readers import open_cases

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (12, 16, 20, 3), dtype=np.uint8)
MASK = RNG.random((12, 16, 20)) < 0.3


@pytest.mark.parametrize("compression", [None, "deflate", "webp"])
def test_round_trip_in_numeric_order_invariant(tmp_path, compression, write_slices, read_only):
    # Twelve slices: as text, slice 10 would come before slice 2.
    write_slices(
        tmp_path, mask=None, compression=compression, compressionargs=LOSSLESS[compression]
    )
    write_slices(tmp_path, image=None, compression=None if compression is None else "deflate")
    case = read_only(tmp_path)
    np.testing.assert_array_equal(case.image, IMAGE)
    np.testing.assert_array_equal(case.mask, MASK)
    assert case.image.dtype == np.uint8
    assert case.mask.dtype == bool
    assert (case.id, case.patient) == ("A", "A")
    assert case.sequences == ("pre-contrast", "FLAIR", "post-contrast")
    assert case.geometry == Geometry()


LOSSLESS = {None: None, "deflate": None, "webp": {"lossless": True}}


@pytest.mark.parametrize(("value", "dtype"), [(1, np.uint8), (1, np.float32), (65535, np.uint16)])
def test_masks_of_other_values_and_types(tmp_path, value, dtype, write_slices, read_only):
    write_slices(tmp_path, value=value, dtype=dtype)
    np.testing.assert_array_equal(read_only(tmp_path).mask, MASK)


def test_a_fraction_needs_a_threshold(tmp_path, write_slices, read_only):
    write_slices(tmp_path, value=0.5, dtype=np.float32)
    with pytest.raises(CaseError, match=r"0\.5 .*--threshold"):
        read_only(tmp_path)


def test_masks_of_one_bit(tmp_path, write_slices, read_only):
    write_slices(tmp_path, image=None, value=1, dtype=bool, photometric="minisblack")
    np.testing.assert_array_equal(read_only(tmp_path).mask, MASK)


def test_a_case_opened_by_its_own_folder(tmp_path, monkeypatch, write_slices, read_only):
    case = write_slices(tmp_path)
    np.testing.assert_array_equal(read_only(case).mask, MASK)
    monkeypatch.chdir(case)
    assert [source.id for source in open_cases(case.relative_to(case))] == ["A"]


def test_masks_alone(tmp_path, write_slices):
    write_slices(tmp_path, image=None)
    (source,) = open_cases(tmp_path, masks_only=True)
    assert (source.has_image, source.has_mask) == (False, True)
    case = source.read()
    assert case.image is None
    assert case.sequences == ()
    np.testing.assert_array_equal(case.mask, MASK)


def test_images_alone(tmp_path, write_slices):
    write_slices(tmp_path, mask=None)
    (source,) = open_cases(tmp_path)
    assert (source.has_image, source.has_mask) == (True, False)
    case = source.read()
    assert case.mask is None
    np.testing.assert_array_equal(case.image, IMAGE)


def test_images_alone_fail_where_masks_are_wanted(tmp_path, write_slices):
    write_slices(tmp_path, mask=None)
    (source,) = open_cases(tmp_path, masks_only=True)
    with pytest.raises(CaseError, match="Expected case A to have a mask, found none"):
        source.read(image=False)
    assert source.read(mask=False).mask is None


def test_what_is_not_asked_for_is_not_decoded(tmp_path, write_slices, read_only):
    case = write_slices(tmp_path)
    (case / "A_3.tif").write_bytes(b"no image")
    assert read_only(tmp_path, image=False).image is None
    (case / "A_3_mask.tif").write_bytes(b"no mask")
    assert read_only(tmp_path, image=False, mask=False).mask is None


def test_names_in_capitals_and_the_longer_extension(tmp_path, write_slices, read_only):
    case = write_slices(tmp_path)
    for file in list(case.iterdir()):
        longer = file.with_suffix(".TIFF").name.replace("_mask", "_MASK")
        file.rename(case / longer)
    np.testing.assert_array_equal(read_only(tmp_path).mask, MASK)


def test_files_that_are_no_slices_are_left_aside(tmp_path, write_slices, read_only):
    case = write_slices(tmp_path)
    for folder in (case, tmp_path):
        for name in (".DS_Store", "._A_1.tif", "data.csv", "README.md", "Thumbs.db"):
            (folder / name).write_text("x")
    np.testing.assert_array_equal(read_only(tmp_path).mask, MASK)


@pytest.mark.parametrize(
    ("image", "found"),
    [
        (IMAGE[..., 0] > 4, r"found (16, 20) bool"),
        (IMAGE[..., 0].astype(np.complex64), r"found (16, 20) complex64"),
        (IMAGE[..., :2], r"found (16, 20, 2) uint8"),
        (np.concatenate([IMAGE, IMAGE[..., :1]], axis=3), r"found (16, 20, 4) uint8"),
    ],
)
def test_images_of_other_types_or_channels(tmp_path, image, found, write_slices, failure):
    options = {"planarconfig": "contig"} if image.ndim == 4 else {}
    write_slices(tmp_path, image=image, mask=None, photometric="minisblack", **options)
    assert found in failure(tmp_path)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float16, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_any_number_type_and_flair_alone_invariant(
    tmp_path, dtype, channels, write_slices, read_only
):
    image = (IMAGE[..., :channels].astype(dtype) - 100).astype(dtype)
    write_slices(tmp_path, image=image, mask=None, photometric=PHOTOMETRIC[channels])
    case = read_only(tmp_path)
    assert case.image.dtype == dtype
    np.testing.assert_array_equal(case.image, image)
    assert case.sequences == (("FLAIR",) if channels == 1 else SEQUENCES)


PHOTOMETRIC = {1: "minisblack", 3: "rgb"}


def test_sequences_name_the_channels_that_were_read(tmp_path, write_slices, read_only):
    write_slices(tmp_path)
    assert read_only(tmp_path, image=False).sequences == ()


@pytest.mark.parametrize(
    ("photometric", "options"),
    [("miniswhite", {}), ("palette", {"colormap": np.zeros((3, 256), dtype=np.uint16)})],
)
def test_grey_values_that_are_no_intensities(tmp_path, photometric, options, write_slices, failure):
    write_slices(tmp_path, image=IMAGE[..., 0], mask=None, photometric=photometric, **options)
    assert f"found: {photometric}" in failure(tmp_path)


def test_maps_beside_the_masks_are_left_aside(tmp_path, write_slices, read_only):
    case = write_slices(tmp_path)
    for kind in ("probability", "uncertainty", "ENTROPY"):
        (case / f"A_3_{kind}.tif").write_bytes(b"not decoded")
    np.testing.assert_array_equal(read_only(tmp_path).mask, MASK)


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
def test_patients_and_sites_by_the_name_of_the_case_analytic(
    tmp_path, case, patient, site, write_slices
):
    write_slices(tmp_path, case)
    (source,) = open_cases(tmp_path)
    assert (source.patient, source.site) == (patient, site)
    assert source.read(image=False).patient == patient


def test_sources_can_be_sent_to_another_process(tmp_path, write_slices):
    write_slices(tmp_path)
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
