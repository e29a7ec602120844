"""What the tests of the figures share: cases as NIfTI files, and as slice folders."""

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

WriteCase = Callable[..., None]


@pytest.fixture(scope="session")
def write_nifti() -> WriteCase:
    """Return a function that writes volumes (Z, Y, X) of a case, by role, to one folder."""

    def write(folder: Path, name: str, affine: np.ndarray | None = None, **volumes: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for role, values in volumes.items():
            stored = np.asarray(values).T
            stored = stored.astype(np.uint8) if stored.dtype == bool else stored.astype(np.float32)
            nib.save(
                nib.Nifti1Image(
                    stored, np.diag([1.0, 2.0, 3.0, 1.0]) if affine is None else affine
                ),
                folder / f"{name}_{role}.nii.gz",
            )

    return write


@pytest.fixture(scope="session")
def head() -> np.ndarray:
    """Return FLAIR (10, 40, 30): a block of tissue in noisy air, with a cavity, from (1, 5, 4)."""
    rng = np.random.default_rng(0)
    flair = rng.uniform(0, 5, (10, 40, 30))
    flair[1:9, 5:35, 4:24] = rng.uniform(90, 110, (8, 30, 20))
    flair[3:6, 15:20, 10:14] = 0
    return flair


@pytest.fixture(scope="session")
def tumour() -> np.ndarray:
    """Return a mask of the same shape: a block of 2 x 6 x 5 voxels from (4, 20, 14)."""
    mask = np.zeros((10, 40, 30), dtype=bool)
    mask[4:6, 20:26, 14:19] = True
    return mask
