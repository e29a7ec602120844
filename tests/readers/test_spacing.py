"""A spacing that the user states, of cases whose files tell none."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from lggshape import extract_features, feature_table, inspect, verify
from lggshape.case import Case, Geometry
from lggshape.errors import CaseError, InputError
from lggshape.phantoms import make_phantom
from lggshape.phantoms.layouts import CASE_LAYOUTS
from lggshape.readers import CaseSource, open_cases

SIZE = (6, 24, 20)
STATED = (5.0, 1.5, 0.75)


def phantom(spacing: tuple[float, float, float] | None) -> Case:
    made = make_phantom(np.random.default_rng(3), size=SIZE, name="P1")
    return Case(
        "P1", "P1", image=made.image, mask=made.mask, sequences=made.sequences,
        geometry=Geometry(spacing),
    )  # fmt: skip


def write_plain_nifti(case: Case, folder: Path) -> None:
    """Write what programs write that know no geometry."""
    folder.mkdir()
    assert case.image is not None
    assert case.mask is not None
    for role, values in (("flair", case.image[..., 1]), ("mask", case.mask.astype(np.uint8))):
        nib.save(nib.Nifti1Image(values.T, np.eye(4)), folder / f"P1_{role}.nii.gz")


def write(layout: str, folder: Path) -> Path:
    case = phantom(None)
    if layout == "plain NIfTI":
        write_plain_nifti(case, folder)
        return folder
    CASE_LAYOUTS[layout].write(case, folder)
    CASE_LAYOUTS[layout].finish([case], folder)
    return folder


@pytest.mark.parametrize("layout", ["slices", "packed", "plain NIfTI"])
def test_a_case_without_a_spacing_has_the_stated_one_analytic(tmp_path: Path, layout: str) -> None:
    folder = write(layout, tmp_path / "cases")
    assert open_cases(folder)[0].read().geometry.spacing is None
    (source,) = open_cases(folder, spacing=STATED, masks_only=layout == "packed")
    assert source.read().geometry.spacing == STATED
    case = phantom(None)
    assert case.mask is not None
    row = feature_table([source], jobs=1).table.iloc[0]
    assert row["volume"] == pytest.approx(case.mask.sum() * np.prod(STATED))
    expected = extract_features(case.mask, spacing=STATED).values
    assert row["sphericity"] == pytest.approx(expected["sphericity"])


@pytest.mark.parametrize("layout", ["nifti", "multipage-tiff", "dicom"])
def test_a_spacing_that_the_files_contradict_is_refused(tmp_path: Path, layout: str) -> None:
    CASE_LAYOUTS[layout].write(phantom(STATED), tmp_path)

    def stating(z: float) -> CaseSource:
        return open_cases(tmp_path, spacing=(z, *STATED[1:]))[0]

    # That of the files counts where the stated one is but rounded.
    assert stating(5.04).read().geometry.spacing == pytest.approx(STATED)
    found = r"found voxels of 5 x 1\.5 x 0\.75 mm \(z, y, x\) in the file, and 5\.1 x 1\.5 x 0\.75"
    with pytest.raises(CaseError, match=found):
        stating(5.1).read()
    assert stating(5.1).id in verify([stating(5.1)], jobs=1).failures
    reasons = inspect(tmp_path, spacing=(5.1, *STATED[1:])).files["reason"]
    assert reasons.str.contains(found).any()
    assert not inspect(tmp_path, spacing=STATED).files["reason"].any()


def test_inspect_shows_the_stated_spacing_where_files_tell_none_analytic(tmp_path: Path) -> None:
    folder = write("slices", tmp_path / "cases")
    assert set(inspect(folder).files["spacing"]) == {""}
    assert set(inspect(folder, spacing=STATED).files["spacing"]) == {"5 x 1.5 x 0.75"}


@pytest.mark.parametrize(
    "spacing", [(1.0, 0.0, 1.0), (1.0, 1.0), (1.0, 1.0, float("nan")), (1e4, 1.0, 1.0), 5.0]
)
def test_a_spacing_that_is_none_is_refused_before_anything_is_read(spacing: object) -> None:
    with pytest.raises(InputError, match="spacing to be three positive numbers"):
        open_cases("nowhere", spacing=spacing)
