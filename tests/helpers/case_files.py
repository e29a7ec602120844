"""Cases as files, and the files that came of them."""

from pathlib import Path

import nibabel as nib
import numpy as np
import tifffile

from lggshape.readers import open_cases
from lggshape.readers.source import CaseSource


def first(cohort: Path) -> CaseSource:
    """Return the first case of a folder."""
    return open_cases(cohort)[0]


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file but hidden ones, which list what was written, in any order."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name[0] != "."
    }


def write_slices(folder: Path, name: str, image: np.ndarray) -> None:
    """Write an image (Z, Y, X[, C]) as the slices of a case folder."""
    (folder / name).mkdir(parents=True)
    for number, one in enumerate(image, start=1):
        tifffile.imwrite(folder / name / f"{name}_{number}.tif", one)


def write_nifti(path: Path, image: np.ndarray, affine: np.ndarray | None = None) -> None:
    """Write an image (Z, Y, X[, C]) as stored axes (X, Y, Z[, C]); by default of 1 mm."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = image.transpose(2, 1, 0, *range(3, image.ndim))
    volume = nib.Nifti1Image(stored, np.eye(4) if affine is None else affine)
    volume.header.set_xyzt_units("mm")
    nib.save(volume, path)
