"""Image files whose names do not tell what they show: never a patient by a guess.

Where the order of the sequences is said (`ReadOptions.sequences`), such a file is the image of its
case. Where only masks are wanted and no file of the data set has a role, it is the mask of its
case. Else it is left out and listed, if other files have roles; and if none has, the data set is
refused.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from lggshape.errors import InputError
from lggshape.names import counted, first_few
from lggshape.readers.naming import MASK, UNDERSTOOD, UNNAMED
from lggshape.readers.source import CaseSource, UnreadableCase
from lggshape.readers.volume_case import VolumeCase

WAYS_OUT = (
    "rename them, give their order of sequences with --sequences (sequences= in Python), the form "
    "of their paths with --pattern (pattern=), or list them in a table with --manifest (manifest=)"
)
"""What a user can do about files that are not understood, for messages."""

ONLY_MASKS = (
    "If all files are masks, `features` takes them as they are; for other commands, `lggshape "
    "inspect --masks-only --write manifest.csv` lists them in a manifest."
)
"""What to do where no file tells what it shows, because all are masks."""


class LeftOutFile(NamedTuple):
    """A file that belongs to no case.

    Attributes
    ----------
    path : Path
        The file.
    reason : str
        Why it was left out.
    """

    path: Path
    reason: str


class NothingNamedError(InputError):
    """No image file of a data set tells what it shows.

    Parameters
    ----------
    message : str
        What was expected, and what to do.
    left_out : list of LeftOutFile
        All of its image files.
    """

    def __init__(self, message: str, left_out: list[LeftOutFile]) -> None:
        super().__init__(message)
        self.left_out = left_out


_NO_ROLE = "its name does not tell what it shows"


def settle_unnamed(
    cases: Mapping[str, CaseSource], path: Path, *, masks_only: bool, has_sequences: bool
) -> tuple[dict[str, CaseSource], list[LeftOutFile]]:
    """Decide about the files of some cases that have no role.

    Parameters
    ----------
    cases : mapping of str to CaseSource
        All cases of a data set by name, as layouts found them.
    path : Path
        Where the data set lies.
    masks_only : bool
        Whether the data set is read for its masks.
    has_sequences : bool
        Whether the sequences of such a file are said.

    Returns
    -------
    cases : dict of str to CaseSource
        The cases. One whose folder holds files without roles alone cannot be read.
    left_out : list of LeftOutFile
        The files that belong to no case.

    Raises
    ------
    NothingNamedError
        If the data set has no file with a role, and nothing else tells what its files show.
    """
    unnamed = {name: _unnamed_files(case) for name, case in cases.items()}
    every = [file for files in unnamed.values() for file in files]
    if not every or has_sequences:
        return dict(cases), []
    if all(
        isinstance(case, VolumeCase) and len(unnamed[name]) == len(case.files)
        for name, case in cases.items()
    ):
        if masks_only:
            return {name: _as_mask(case) for name, case in cases.items()}, []
        found = first_few([file.name for file in every], 3)
        msg = (
            "Expected the names of image files to tell what they show, found "
            f"{counted(len(every), 'file')} without such a name ({found}): {path}. Understood are "
            f"names that end in {UNDERSTOOD}. You can {WAYS_OUT}. {ONLY_MASKS}"
        )
        raise NothingNamedError(msg, [LeftOutFile(file, _NO_ROLE) for file in every])
    settled: dict[str, CaseSource] = {}
    for name, case in cases.items():
        if not unnamed[name]:
            settled[name] = case
        elif isinstance(case, VolumeCase) and len(case.files) > len(unnamed[name]):
            named = [(role, file) for role, file in case.files if role != UNNAMED]
            settled[name] = case.with_files(named)
        elif case.path.is_dir() and case.path != path:
            files = first_few([file.name for file in unnamed[name]], 3)
            reason = (
                f"Expected the files of case {name} to have names that tell what they show, found "
                f"{files}: {case.path}. Understood are names that end in {UNDERSTOOD}."
            )
            settled[name] = UnreadableCase(name, "", case.path, reason=reason)
    return settled, [LeftOutFile(file, _NO_ROLE) for file in every]


def left_out_warning(left_out: list[LeftOutFile], path: str) -> str:
    """Return in one line which files of a path were left out, and what would be understood."""
    top = Path(path)
    names = [
        one.path.relative_to(top).as_posix() if one.path.is_relative_to(top) else one.path.name
        for one in left_out
    ]
    reasons = " or ".join(dict.fromkeys(one.reason for one in left_out))
    return (
        f"Left out {counted(len(left_out), 'image file')} of {path}, because {reasons}: "
        f"{first_few(names, 10)}. Understood are names that end in {UNDERSTOOD}. You can "
        f"{WAYS_OUT}."
    )


def _unnamed_files(case: CaseSource) -> list[Path]:
    if not isinstance(case, VolumeCase):
        return []
    return [file for role, file in case.files if role == UNNAMED]


def _as_mask(case: CaseSource) -> CaseSource:
    assert isinstance(case, VolumeCase)
    files = tuple((MASK, file) for _, file in case.files)
    return replace(case, files=files, has_image=False, has_mask=True)
