import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from lggshape.phantoms import make_phantom, write_dicom
from lggshape.readers import open_cases
from lggshape.segmentation import SHIPPED, read_ensemble
from lggshape.segmentation.run.fingerprints import (
    MINIMUM_LEVELS,
    KnownCase,
    KnownCases,
    slice_fingerprints,
)

SIZE = (6, 80, 72)
FLAIR, OTHER = (
    make_phantom(np.random.default_rng(seed), size=SIZE).image[..., 1] for seed in (0, 1)
)
KNOWN = KnownCases(
    [
        KnownCase("exam 1", "P1", tuple(slice_fingerprints(FLAIR))),
        KnownCase("exam 2", "P2", tuple(slice_fingerprints(OTHER))),
    ]
)
PRINTS = slice_fingerprints(FLAIR)


def test_a_fingerprint_a_slice_and_all_different():
    assert len(set(PRINTS + slice_fingerprints(OTHER))) == 12
    assert all(len(one) == 16 and int(one, 16) >= 0 for one in PRINTS)


def test_fingerprints_stay_the_same_between_versions_regression():
    # Stored beside weights: a change would let a training case go unrecognised.
    grid = np.add.outer(3 * np.arange(40), 7 * np.arange(50)).astype(np.uint16)
    assert slice_fingerprints(grid[None]) == ["07e7fbf068546d70"]


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.int32, np.float32, np.float64, ">i2"])
def test_number_types_do_not_count_invariant(dtype):
    assert slice_fingerprints(FLAIR.astype(dtype)) == PRINTS


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v * 3.7 - 41,
        lambda v: (v - v.mean()) / v.std(),
        np.sqrt,
        lambda v: (v.astype(np.int16) - 128).astype(np.int8),
    ],
)
def test_intensities_in_the_same_order_invariant(change):
    assert slice_fingerprints(change(FLAIR.astype(np.float64))) == PRINTS


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("quarters", range(4))
def test_the_symmetries_of_the_square_invariant(quarters, mirrored):
    turned = np.rot90(FLAIR, quarters, axes=(1, 2))
    assert slice_fingerprints(turned[:, ::-1] if mirrored else turned) == PRINTS


@pytest.mark.parametrize("value", [0, -5])
def test_margins_that_were_added_or_cut_off_invariant(value):
    values = FLAIR.astype(np.int16) + 1
    padded = np.pad(values, ((0, 0), (3, 20), (11, 0)), constant_values=value)
    assert slice_fingerprints(padded) == PRINTS
    # A margin within a margin.
    twice = np.pad(padded, ((0, 0), (1, 2), (3, 4)), constant_values=value - 1)
    assert slice_fingerprints(twice) == PRINTS


def test_one_voxel_counts():
    changed = FLAIR.copy()
    changed[2, 40, 36] ^= 64
    shared = [one == other for one, other in zip(slice_fingerprints(changed), PRINTS, strict=True)]
    assert shared == [True, True, False, True, True, True]


def test_a_shape_with_the_same_bytes_is_another_slice():
    values = np.arange(1, 40 * 60 + 1)
    one, other = (slice_fingerprints(values.reshape(1, *shape)) for shape in ((40, 60), (30, 80)))
    assert one != other


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((50, 50)),
        np.full((50, 50), np.nan),
        np.pad(np.arange(900).reshape(30, 30), 10),
        np.arange(2500).reshape(50, 50) % (MINIMUM_LEVELS - 1),
        np.zeros((0, 50)),
    ],
)
def test_slices_with_little_content_have_none(values):
    content = np.arange(2500).reshape(50, 50) % MINIMUM_LEVELS
    assert slice_fingerprints(values[None]) == []
    assert len(slice_fingerprints(content[None])) == 1


def test_a_slice_of_more_values_than_16_bits_hold():
    values = np.arange(300 * 300).reshape(1, 300, 300)
    swapped = values.copy()
    # Equal to the other modulo 2**16 only.
    swapped[0, 0, 1], swapped[0, 218, 137] = values[0, 218, 137], values[0, 0, 1]
    assert values[0, 218, 137] - values[0, 0, 1] == 2**16
    assert slice_fingerprints(values) != slice_fingerprints(swapped)


@pytest.mark.parametrize(
    ("case", "patient", "flair", "found"),
    [
        ("new", "new", FLAIR, {"P1"}),
        ("new", "new", FLAIR[3:4], {"P1"}),
        ("new", "new", np.concatenate([FLAIR[:2], OTHER[:2]]), {"P1", "P2"}),
        ("exam 2", "new", np.zeros(SIZE), {"P2"}),
        ("new", "P2", np.zeros(SIZE), {"P2"}),
        ("exam 1", "P2", OTHER, {"P1", "P2"}),
        ("new", "new", np.zeros(SIZE), set()),
    ],
)
def test_cases_are_known_by_name_patient_or_slice(case, patient, flair, found):
    assert KNOWN.patients_of(case, patient, flair) == found


def test_another_head_is_not_known():
    other = make_phantom(np.random.default_rng(2), size=SIZE).image[..., 1]
    assert KNOWN.patients_of("new", "new", other) == set()


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
@pytest.mark.parametrize("affine", [np.eye(4), np.diag([-1, 2, -3, 1]), None])
@pytest.mark.parametrize("order", [(2, 1, 0), (0, 1, 2), (1, 0, 2), (2, 0, 1)])
def test_a_nifti_copy_is_known_however_its_axes_lie_nibabel(tmp_path, order, affine, dtype):
    copy = FLAIR.transpose(order)[::-1, :, ::-1].astype(np.float64) * 2.5 + 100
    image = nib.Nifti1Image(copy, affine)
    # Where the type is a whole number, nibabel scales the values to its range.
    image.set_data_dtype(dtype)
    nib.save(image, tmp_path / "renamed_flair.nii.gz")
    (source,) = open_cases(tmp_path)
    case = source.read()
    assert KNOWN.patients_of(case.id, case.patient, case.image[..., 0]) == {"P1"}


@pytest.mark.real_data
def test_no_two_of_every_eighth_patient_share_a_fingerprint(dataset):
    owner = {}
    for source in open_cases(dataset)[::8]:
        for one in slice_fingerprints(source.read(mask=False).image[..., 1]):
            assert owner.setdefault(one, source.patient) == source.patient
    assert len(owner) == 466


@pytest.mark.parametrize(
    ("case", "patient"),
    [
        ("TCGA-FG-6692", "TCGA-FG-6692"),
        ("TCGA_FG_6692_20020606", "other"),
        ("other", "tcga-fg-6692"),
        ("sub-TCGAFG6692_ses-1", "sub-TCGAFG6692"),
    ],
)
def test_a_patient_is_known_in_every_spelling_of_the_barcode_analytic(case, patient):
    known = KnownCases([KnownCase("TCGA_FG_6692_20020606", "TCGA_FG_6692", ())])
    assert known.patients_of(case, patient, OTHER) == {"TCGA_FG_6692"}
    assert known.patients_of("TCGA-FG-6693", "TCGA-FG-6693", OTHER) == set()
    by_case = KnownCases([KnownCase("TCGA_FG_6692_20020606", "P1", ())])
    assert by_case.patients_of(case, patient, OTHER) == {"P1"}


def test_a_patient_of_dicom_files_is_known_by_the_hash_of_their_id_sha256(tmp_path):
    head = make_phantom(np.random.default_rng(3), size=(6, 24, 20), name="TCGA-FG-6692")
    write_dicom(head, tmp_path)
    (source,) = open_cases(tmp_path)
    assert "TCGA" not in source.id + source.patient
    ensemble = read_ensemble(SHIPPED)
    patients = ensemble.known.patients_of(source.id, source.patient, OTHER)
    assert patients == {"TCGA_FG_6692"}
    assert len(ensemble.unseen_by(patients)) == 2


@pytest.mark.parametrize("name", ["TCGA-FG-6692_FLAIR.nii.gz", "sub-TCGAFG6692_ses-1_FLAIR.nii.gz"])
@pytest.mark.parametrize("patient", [None, "TCGA-FG-6692"])
def test_the_bundled_networks_that_saw_a_patient_are_left_out_in_every_layout(
    tmp_path, name, patient
):
    values = np.moveaxis(OTHER, (0, 1, 2), (2, 1, 0))
    nib.save(nib.Nifti1Image(np.ascontiguousarray(values), np.eye(4)), tmp_path / name)
    manifest = None
    if patient is not None:
        stem = name.removesuffix("_FLAIR.nii.gz")
        manifest = pd.DataFrame({"case": [stem], "patient": [patient]})
    (source,) = open_cases(tmp_path, manifest=manifest)
    case = source.read()
    assert case.patient == "TCGA_FG_6692"
    ensemble = read_ensemble(SHIPPED)
    patients = ensemble.known.patients_of(case.id, case.patient, OTHER)
    assert len(ensemble.members) == 10
    assert len(ensemble.unseen_by(patients)) == 2
