import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def dataset() -> Path:
    """Folder of the 110 real cases; the test is skipped where the data set is not at hand."""
    default = ROOT.parent / "shared" / "data"
    data = Path(os.environ.get("LGGSHAPE_DATA", default))
    folder = data / "lgg-mri-segmentation" / "kaggle_3m"
    if not folder.is_dir():
        pytest.skip(f"the LGG data set is not in {data} (set LGGSHAPE_DATA to its folder)")
    return folder
