from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

WriteCase = Callable[..., None]


@pytest.fixture(scope="session")
def write_case() -> WriteCase:
    """Return a function that writes a case as a slice folder: masks, and perhaps images."""

    def write(folder: Path, name: str, mask: np.ndarray, image: np.ndarray | None = None) -> None:
        (folder / name).mkdir(parents=True)
        for number, plane in enumerate(mask, start=1):
            stem = f"{name}_{number}"
            tifffile.imwrite(folder / name / f"{stem}_mask.tif", plane.astype(np.uint8) * 255)
            if image is not None:
                tifffile.imwrite(
                    folder / name / f"{stem}.tif", image[number - 1], photometric="rgb"
                )

    return write
