"""The JSON files that dcm2niix writes beside images: what the series shows, by its DICOM header.

They are asked where the name of an image does not tell. The rules are those for DICOM series
(`lggshape.readers.dicom_choice`).
"""

import json
from pathlib import Path
from typing import Any

from lggshape.readers.dicom_choice import DESCRIBING, role_of
from lggshape.readers.naming import UNNAMED
from lggshape.readers.unusable import UnusableError

_MOST_BYTES = 2**20
_TIMES = ("EchoTime", "InversionTime", "RepetitionTime")  # in seconds, and in ms in DICOM
_AGENTS = ("ContrastBolusAgent", "ContrastBolusIngredient")


def sidecar_role(path: Path) -> str:
    """Return what the file beside an image says that the image shows.

    Parameters
    ----------
    path : Path
        The JSON file.

    Returns
    -------
    str
        One of `lggshape.case.SEQUENCES`; `UNNAMED` if it tells none of them, or cannot be read.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "5.json")
    ...     _ = path.write_text('{"SeriesDescription": "AX T2 FLAIR", "EchoTime": 0.12}')
    ...     sidecar_role(path)
    'FLAIR'
    """
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return UNNAMED
        said = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return UNNAMED
    if not isinstance(said, dict):
        return UNNAMED
    header: dict[str, Any] = {**said, **_in_milliseconds(said)}
    header["ContrastBolusAgent"] = next((said[name] for name in _AGENTS if said.get(name)), None)
    header["ScanningSequence"] = str(said.get("ScanningSequence", "")).split("_")
    words = " ".join(str(said[name]) for name in DESCRIBING if name in said)
    try:
        return role_of(words.lower(), header)[0]
    except UnusableError:
        return UNNAMED


def _in_milliseconds(said: dict[str, Any]) -> dict[str, float]:
    numbers = {name: said.get(name) for name in _TIMES}
    return {
        name: 1000.0 * number
        for name, number in numbers.items()
        if isinstance(number, int | float) and not isinstance(number, bool)
    }
