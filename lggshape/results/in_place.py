"""Write files in place, and record them so that even after a kill they are known as results."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lggshape.files import StrPath
from lggshape.results.records import record_file


@contextmanager
def recorded_in_place(folder: StrPath, *paths: StrPath) -> Iterator[None]:
    """Record files as unfinished before the block writes them, and with their hashes after it.

    Parameters
    ----------
    folder : str or Path
        The folder of the results. It is created if it is missing.
    *paths : str or Path
        The files: their paths, or their names relative to the folder.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from lggshape.results import recorded_outputs
    >>> with TemporaryDirectory() as folder:
    ...     with recorded_in_place(folder, "a.txt"):
    ...         written = Path(folder, "a.txt").write_text("whole")
    ...     len(recorded_outputs(folder)["a.txt"])
    1
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    for path in paths:
        record_file(folder, path, finished=False)
    yield
    for path in paths:
        record_file(folder, path)
