"""Files that cannot be used: what a library says of a damaged file is no bug of this tool."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from lggshape.errors import MissingPackageError
from lggshape.extras import require


class UnusableError(ValueError):
    """What a file holds cannot be used; the message completes "found: ..."."""


@contextmanager
def library_reading() -> Iterator[None]:
    """Raise UnusableError for whatever the block raises.

    The block holds nothing but the calls of a library: a damaged file makes it raise nearly
    anything (`IndexError`, `struct.error`, `zlib.error`, or `MemoryError` for absurd dimensions).

    Examples
    --------
    >>> import zipfile, io
    >>> with library_reading():
    ...     zipfile.ZipFile(io.BytesIO(b"damaged"))
    Traceback (most recent call last):
    lggshape.readers.unusable.UnusableError: File is not a zip file
    """
    try:
        with np.errstate(all="ignore"):  # of numbers that a damaged header has
            yield
    except MissingPackageError:
        raise
    except Exception as error:
        if "imagecodecs" in str(error):  # by which tifffile decodes most compressions
            require("imagecodecs", "to decode compressed TIFF files")
        raise UnusableError(str(error) or type(error).__name__) from error
