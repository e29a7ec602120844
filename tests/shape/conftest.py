"""What the tests of feature tables share."""

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest


@pytest.fixture(scope="session")
def write_labels() -> Callable[[Path, np.ndarray], None]:
    """Return a function that writes values (Z, Y, X) as NIfTI, with voxels of 2 x 1 x 1 mm."""

    def write(path: Path, values: np.ndarray) -> None:
        nib.save(nib.Nifti1Image(values.T, np.diag([1.0, 1.0, 2.0, 1.0])), path)

    return write
