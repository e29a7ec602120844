"""The JSON files that dcm2niix writes beside images: what the series shows, by its DICOM header.

They are asked where the name of an image does not tell. The rules are those for DICOM series
(`lggshape.readers.dicom_choice`).
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lggshape.readers.dicom_choice import DESCRIBING, role_of
from lggshape.readers.naming import UNNAMED
from lggshape.readers.unusable import UnusableError

_MOST_BYTES = 2**20
_TIMES = ("EchoTime", "InversionTime", "RepetitionTime")  # in seconds, and in ms in DICOM
_WHOSE = ("PatientID", "PatientName", "StudyInstanceUID")
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
    said = _read(path)
    header: dict[str, Any] = {**said, **_in_milliseconds(said)}
    header["ContrastBolusAgent"] = next((said[name] for name in _AGENTS if said.get(name)), None)
    header["ScanningSequence"] = str(said.get("ScanningSequence", "")).split("_")
    words = " ".join(str(said[name]) for name in DESCRIBING if name in said)
    try:
        return role_of(words.lower(), header)[0]
    except UnusableError:
        return UNNAMED


def differs_in(paths: Iterable[Path]) -> str:
    """Return in what the files beside images say that these are of several patients or studies.

    Parameters
    ----------
    paths : iterable of Path
        The JSON files.

    Returns
    -------
    str
        An element of DICOM, never its values; "" if those that are there agree. Where headers were
        anonymised there are none.
    """
    said = [_read(path) for path in paths]
    for name in _WHOSE:
        if len({str(one[name]) for one in said if one.get(name)}) > 1:
            return name
    return ""


def _read(path: Path) -> dict[str, Any]:
    """Read a file; nothing if it is none of dcm2niix."""
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return {}
        said = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _in_milliseconds(said: dict[str, Any]) -> dict[str, float]:
    numbers = {name: said.get(name) for name in _TIMES}
    return {
        name: 1000.0 * number
        for name, number in numbers.items()
        if isinstance(number, int | float) and not isinstance(number, bool)
    }
