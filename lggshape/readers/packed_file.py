"""Archives of NumPy arrays (`.npz`) that may be damaged or made to do harm.

`numpy.load` believes what an archive declares. Here the sizes that the archive and the arrays in it
declare are compared with each other and with a limit before anything is unpacked.
"""

import io
import math
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lggshape.readers.listing import check_regular
from lggshape.readers.unusable import UnusableError, library_reading

_MOST_BYTES = 2**30  # of an archive, packed

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def open_archive(path: Path) -> zipfile.ZipFile:
    """Open an archive; raises UnusableError for a damaged one.

    It is kept in memory, without an open file, until another one is opened: listing the contents
    again for each of many cases would take longer than reading their masks.
    """
    check_regular(path)
    status = path.stat()
    if status.st_size > _MOST_BYTES:
        msg = f"{status.st_size} bytes instead of at most {_MOST_BYTES}"
        raise UnusableError(msg)
    return _archive(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=1)
def _archive(path: Path, _changed: int, _size: int) -> zipfile.ZipFile:
    content = io.BytesIO(path.read_bytes())
    with library_reading():
        return zipfile.ZipFile(content)


def read_array(archive: zipfile.ZipFile, name: str, *, most: int) -> NDArray[np.generic]:
    """Read an array of an archive.

    Parameters
    ----------
    archive : ZipFile
        The archive.
    name : str
        Name of the array.
    most : int
        The most bytes that it may take unpacked, its header included.

    Returns
    -------
    ndarray
        The array, which cannot be written to.

    Raises
    ------
    UnusableError
        If the array is not there, is larger, or is damaged.
    """
    with library_reading():
        member = archive.getinfo(f"{name}.npy")
    if member.file_size > most:
        msg = f"{member.file_size} bytes as {name} instead of at most {most}"
        raise UnusableError(msg)
    with library_reading(), archive.open(member) as stream:
        # One more than declared: with the last byte the checksum is compared.
        content = stream.read(member.file_size + 1)
    data = io.BytesIO(content)
    with library_reading():
        version = np.lib.format.read_magic(data)
    if version not in _HEADERS:
        msg = f"version {version} of the NumPy format"
        raise UnusableError(msg)
    with library_reading():
        shape, by_columns, dtype = _HEADERS[version](data)
    there = len(content) - data.tell()
    if dtype.hasobject or min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != there:
        msg = f"{there} bytes as {name} instead of {dtype} of shape {shape}"
        raise UnusableError(msg)
    with library_reading():
        flat = np.frombuffer(content, dtype, offset=data.tell())
        return flat.reshape(shape, order="F" if by_columns else "C")
