"""What the tests of the readers share: files to read, and what reading them gives."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import tifffile

from helpers.dicom_files import phantom
from lggshape.case import Case
from lggshape.errors import CaseError
from lggshape.phantoms import write_dicom
from lggshape.readers import open_cases

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (12, 16, 20, 3), dtype=np.uint8)
MASK = RNG.random((12, 16, 20)) < 0.3

STORED = np.zeros((5, 6, 7), dtype=np.uint8)
STORED[1, 2, 3] = STORED[1, 2, 4] = STORED[4, 0, 0] = 1
AFFINE = np.array([[0.5, 0, 0, -10], [0, 0.8, 0, -20], [0, 0, 3, 5], [0, 0, 0, 1.0]])


@pytest.fixture(scope="session")
def write_slices() -> Callable[..., Path]:
    """Return a function that writes a case as TIFF slices and returns its folder."""

    def write(
        folder: Path,
        name: str = "A",
        *,
        image: Any = IMAGE,
        mask: Any = MASK,
        value: float = 255,
        dtype: Any = np.uint8,
        **options: Any,
    ) -> Path:
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

    return write


@pytest.fixture(scope="session")
def save_nifti() -> Callable[..., Path]:
    """Return a function that saves a NIfTI file of values stored as (X, Y, Z)."""

    def save(
        path: Path,
        values: Any = STORED,
        affine: Any = AFFINE,
        *,
        kind: Any = nib.Nifti1Image,
        **header: Any,
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        image = kind(values, affine)
        if affine is not None:
            image.header.set_xyzt_units("mm")
        for name, value in header.items():
            image.header[name] = value
        nib.save(image, path)
        return path

    return save


@pytest.fixture(scope="session")
def rewrite_header() -> Callable[..., Path]:
    """Return a function that changes the header of an uncompressed file as it lies there."""

    def rewrite(path: Path, **header: Any) -> Path:
        content = bytearray(path.read_bytes())
        raw = nib.Nifti1Header(bytes(content[:348]), check=False)
        for name, value in header.items():
            raw[name] = value
        content[:348] = raw.binaryblock
        path.write_bytes(bytes(content))
        return path

    return rewrite


@pytest.fixture(scope="session")
def read_only() -> Callable[..., Case]:
    """Return a function that reads the only case of a path; one volume without a name is FLAIR."""

    def read(
        path: Path,
        *,
        masks_only: bool = False,
        sequences: Sequence[str] = ("FLAIR",),
        **options: bool,
    ) -> Case:
        said = () if masks_only else sequences
        (source,) = open_cases(path, masks_only=masks_only, sequences=said)
        return source.read(**options)

    return read


@pytest.fixture(scope="session")
def failure() -> Callable[..., str]:
    """Return a function that returns why the only case of a path cannot be read."""

    def fail(path: Path, *, masks_only: bool = False, **options: bool) -> str:
        said = () if masks_only else ("FLAIR",)
        (source,) = open_cases(path, masks_only=masks_only, sequences=said)
        with pytest.raises(CaseError) as caught:
            source.read(**options)
        assert f"case {source.id} " in str(caught.value)
        return str(caught.value)

    return fail


@pytest.fixture(scope="session")
def written_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a DICOM study. Not to be changed."""
    folder = tmp_path_factory.mktemp("written") / "study"
    write_dicom(phantom(), folder)
    return folder


@pytest.fixture
def study(written_study: Path, tmp_path: Path) -> Path:
    """Folder of a DICOM study that a test may change."""
    return shutil.copytree(written_study, tmp_path / "study")
