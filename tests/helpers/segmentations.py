"""What tells whether results of a segmentation are the same, and whether files were left alone."""

from pathlib import Path

import numpy as np
import pandas as pd

from lggshape.segmentation import SegmentationTable


def assert_same_results(one: SegmentationTable, other: SegmentationTable) -> None:
    """Compare what two runs return: the values and their types, cell by cell."""
    for name in ("table", "slices"):
        first, second = getattr(one, name), getattr(other, name)
        pd.testing.assert_frame_equal(first, second)
        pd.testing.assert_frame_equal(first.map(_kind), second.map(_kind))
    assert (one.failures, one.skipped, one.files) == (other.failures, other.skipped, other.files)


def _kind(cell: object) -> str:
    """Return the kind of a value, which tells 1 from True."""
    return np.asarray(cell).dtype.kind


def stamps(folder: Path) -> dict[Path, int]:
    """Return when each file of a folder was written."""
    return {path: path.stat().st_mtime_ns for path in folder.iterdir()}
