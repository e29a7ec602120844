"""Write files in place so that a kill at any moment leaves it known whose they are."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lggshape.files import StrPath
from lggshape.results.records import record_file


@contextmanager
def recorded_in_place(folder: StrPath, *paths: StrPath) -> Iterator[None]:
    """Record files as not finished before the block writes them, and with their hashes after it.

    Parameters
    ----------
    folder : str or Path
        The folder of the results, which is made if it is not there.
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
