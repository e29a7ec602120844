"""How the masks and maps that were written for a case are replaced."""

import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from lggshape.errors import InputError
from lggshape.readers.listing import visible_names


def is_free(place: Path, ours: Collection[Path]) -> bool:
    """Test whether a file or folder is not there, or holds nothing but certain files."""
    try:
        if not place.is_dir():
            return not place.exists() or place in ours
        return all(place / name in ours for name in chain(*visible_names(place)))
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
        msg = f"Expected {folder} to be a writable folder, found: {found}."
        raise InputError(msg) from error
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
