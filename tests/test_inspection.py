from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

import lggshape
from lggshape.case import Geometry
from lggshape.errors import InputError
from lggshape.inspection import COLUMNS, inspect
from lggshape.phantoms import write_cohort
from lggshape.phantoms.layouts import CASE_LAYOUTS
from lggshape.readers import open_cases
from lggshape.readers.description import plane_of

AXES = {"axial": (0, 1, 2), "coronal": (0, 2, 1), "sagittal": (1, 2, 0)}


def save(path: Path, plane: str = "axial", *, thick: float = 5.0, flip: bool = False) -> Path:
    """Write a volume of which the slices of a plane are stacked along the third stored axis."""
    path.parent.mkdir(parents=True, exist_ok=True)
    affine = np.eye(4)
    sizes = (1.0, 1.0, thick)
    for stored, (axis, size) in enumerate(zip(AXES[plane], sizes, strict=True)):
        affine[:3, stored] = 0
        affine[axis, stored] = -size if flip else size
    image = nib.Nifti1Image(np.zeros((6, 7, 4), np.uint8), affine)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    return path


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("thick", [5.0, 1.0])
@pytest.mark.parametrize("plane", AXES)
def test_the_plane_is_that_of_the_slices_analytic(
    tmp_path: Path, plane: str, thick: float, flip: bool
) -> None:
    save(tmp_path / "a_flair.nii.gz", plane, thick=thick, flip=flip)
    row = inspect(tmp_path).files.iloc[0]
    assert row["plane"] == plane
    across = {"axial": 0, "coronal": 1, "sagittal": 2}[plane]
    assert row["spacing"].split(" x ")[across] == f"{thick:g}"
    assert row["shape"].split(" x ")[across] == "4"


@pytest.mark.parametrize(("degrees", "plane"), [(0, "axial"), (25, "axial"), (40, "oblique")])
def test_tilted_slices_are_oblique_analytic(degrees: float, plane: str) -> None:
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, 0, 1], [-5 * sine, cosine, 0], [5 * cosine, sine, 0]])
    assert plane_of(Geometry((5.0, 1.0, 1.0), affine)) == plane


def test_nothing_is_said_of_a_plane_that_is_not_known_analytic() -> None:
    assert plane_of(Geometry()) == plane_of(Geometry((5.0, 1.0, 1.0))) == ""
    assert plane_of(Geometry((1.0, 1.0, 1.0), np.eye(4))) == ""


def test_headers_agree_with_what_reading_gives_invariant(tmp_path: Path) -> None:
    for plane in AXES:
        save(tmp_path / f"{plane}_flair.nii.gz", plane, flip=True)
    for case in open_cases(tmp_path):
        (said,) = case.described()
        read = case.read()
        assert read.image is not None
        assert said.shape == read.image.shape[:3]
        assert said.geometry.difference(read.geometry, said.shape) == ""
        assert said.geometry == read.geometry


def test_every_file_is_listed_with_its_role_or_the_reason_analytic(tmp_path: Path) -> None:
    names = ("sub-07_ses-1_FLAIR", "sub-07_ses-1_T1w", "sub-07_ses-1_T2w", "sub-07_ses-1_scan")
    for name in names:
        save(tmp_path / f"{name}.nii.gz")
    (tmp_path / "sub-07_ses-1_mask.nii.gz").write_bytes(b"damaged")
    found = inspect(tmp_path)
    assert tuple(found.files.columns) == COLUMNS
    rows = found.files.set_index("file")
    assert rows.loc["sub-07_ses-1_FLAIR.nii.gz", "case":"plane"].tolist() == [
        "sub-07_ses-1", "sub-07", "1", "FLAIR", "4 x 7 x 6", "5 x 1 x 1", "axial",
    ]  # fmt: skip
    assert rows.loc["sub-07_ses-1_T1w.nii.gz", "role"] == "pre-contrast"
    assert rows.loc["sub-07_ses-1_T2w.nii.gz", "reason"] == "not used"
    assert "readable NIfTI" in rows.loc["sub-07_ses-1_mask.nii.gz", "reason"]
    left_out = rows.loc["sub-07_ses-1_scan.nii.gz"]
    assert (left_out["case"], left_out["reason"]) == ("", "its name does not tell what it shows")
    assert found.groups()["files"].sum() == len(found.files) == 5
    assert "5 files: 1 case of 1 patient, 1 file of no case" in found.summary()


def test_a_folder_that_other_commands_refuse_is_inspected(tmp_path: Path) -> None:
    save(tmp_path / "LGG_001_0001.nii.gz")
    found = inspect(tmp_path)
    assert found.files["case"].tolist() == [""]
    assert found.manifest.empty
    assert inspect(tmp_path, masks_only=True).manifest["mask"].tolist() == ["LGG_001_0001.nii.gz"]
    with pytest.raises(InputError):
        open_cases(tmp_path)


@pytest.mark.parametrize("place", [".", "tables", "cases"])
def test_the_manifest_gives_the_same_cases_invariant(tmp_path: Path, place: str) -> None:
    for case in ("P-1", "P-2"):
        for role in ("flair", "t1ce", "t2", "seg"):
            save(tmp_path / "cases" / case / f"{role}.nii.gz")
    (tmp_path / place).mkdir(exist_ok=True)
    path = tmp_path / place / "manifest.csv"
    inspect(tmp_path / "cases", relative_to=path.parent).write_manifest(path)
    expected = open_cases(tmp_path / "cases")
    found = open_cases(tmp_path / "cases", manifest=path)
    assert [case.id for case in found] == [case.id for case in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.patient == other.patient
        assert one.read() == other.read()
    columns = ["case", "patient", "site", "session", "flair", "t1", "t1ce", "mask"]
    assert pd.read_csv(path).columns.tolist() == columns
    with pytest.raises(InputError, match="a new file for the manifest"):
        inspect(tmp_path / "cases").write_manifest(path)


@pytest.mark.parametrize("layout", CASE_LAYOUTS)
def test_headers_and_the_manifest_give_the_same_cases_in_every_layout_invariant(
    tmp_path: Path, layout: str
) -> None:
    cohort = write_cohort(tmp_path / "cohort", patients=2, size=(3, 24, 24), layout=layout)
    inspect(cohort).write_manifest(tmp_path / "manifest.csv")
    found = open_cases(cohort, manifest=tmp_path / "manifest.csv")
    for one, other in zip(found, open_cases(cohort), strict=True):
        case, expected = one.read(), other.read()
        assert case == expected
        assert case.mask is not None
        np.testing.assert_array_equal(case.mask, expected.mask)
        if expected.image is not None:
            np.testing.assert_array_equal(case.image, expected.image)
        for said in other.described():
            if said.shape:  # a DICOM mask does not state its shape: its series does
                assert said.shape[:3] == case.mask.shape
                assert said.geometry == expected.geometry


def test_columns_of_a_manifest_stay_in_the_next_one_analytic(tmp_path: Path) -> None:
    save(tmp_path / "a_flair.nii.gz")
    manifest = pd.DataFrame({"case": ["a"], "patient": ["P1"], "scanner": ["3 T"]})
    assert inspect(tmp_path, manifest=manifest).manifest["scanner"].tolist() == ["3 T"]


def test_it_is_public_invariant() -> None:
    assert lggshape.inspect is inspect
