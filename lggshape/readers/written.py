"""The masks and maps that are written for a case: their files, and how they are replaced."""

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from lggshape.errors import InputError
from lggshape.names import natural_key, what_is_unsafe
from lggshape.readers.listing import visible_names
from lggshape.readers.naming import MAPS, MASK, pattern_of_written


def case_files(folder: str | os.PathLike[str], case: str) -> list[str]:
    """List the masks and maps of a case in a folder that `CaseSource.write` wrote to.

    Parameters
    ----------
    folder : path
        The folder that was written to.
    case : str
        Name of the case.

    Returns
    -------
    list of str
        The files relative to the folder, with `/` between the parts, in natural order. What else
        lies there is not listed, nor is what lies behind a link to another folder. The time this
        takes does not depend on the number of other cases.
    """
    folder = Path(folder)
    if what_is_unsafe(case):  # no file was written under such a name
        return []
    place = folder / case
    found = [name for kind in (MASK, *MAPS) if (folder / (name := flat_name(case, kind))).is_file()]
    if place.is_dir() and not place.is_symlink():
        ours = pattern_of_written(case)
        inside = (path.name for path in place.iterdir() if path.is_file())
        found += [f"{case}/{name}" for name in inside if ours.fullmatch(name)]
    return sorted(found, key=natural_key)


def flat_name(case: str, kind: str) -> str:
    """Return the name of the NIfTI file of a mask or map."""
    return f"{case}_{kind}.nii.gz"


def is_free(place: Path, ours: re.Pattern[str]) -> bool:
    """Test whether a file or folder is not there, or holds nothing but files of the given names."""
    try:
        names = chain(*visible_names(place)) if place.is_dir() else [place.name]
        return not place.exists() or all(map(ours.fullmatch, names))
    except OSError:
        return False


@contextmanager
def all_replaced(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    """Make an empty hidden folder; if the block succeeds, move from there what is so named.

    What was there under any of the names goes. The first one goes first and comes last, so that
    after a kill in between there is none.
    """
    hidden = folder / f".{names[0]}.part"
    new, old = hidden / "new", hidden / "old"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Of an earlier run that was killed. A link is not followed: it may lead elsewhere.
        if hidden.is_symlink():
            hidden.unlink()
        shutil.rmtree(hidden, ignore_errors=True)
        hidden.mkdir()
        new.mkdir()
        yield new
        old.mkdir()
        for name in names:
            # A link that leads nowhere does not exist, but is there.
            if (folder / name).exists() or (folder / name).is_symlink():
                (folder / name).replace(old / name)
        for name in reversed(names):
            if (new / name).exists():
                (new / name).replace(folder / name)
    except OSError as error:
        found = error.strerror or error
        msg = f"Expected {folder} to be a folder that can be written, found: {found}."
        raise InputError(msg) from error
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
