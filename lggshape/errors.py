"""The errors that lggshape raises on purpose.

Every message says what was expected, what was found, and where. Anything else that escapes is a
bug.
"""

from lggshape.names import as_unicode

SOME_FAILED, NOT_STARTED, BUG, INTERRUPTED = 1, 2, 70, 130
"""Exit statuses of the commands other than 0. 70 is EX_SOFTWARE of sysexits.h."""


class LggshapeError(Exception):
    """Base of every error that lggshape raises on purpose."""

    def __str__(self) -> str:
        return as_unicode(super().__str__())  # a reason may name a file, and becomes part of tables


class InputError(LggshapeError, ValueError):
    """An input or option cannot be used, so the work cannot start (exit status 2)."""


class MissingPackageError(InputError):
    """A package is not installed that this work needs; the message names the command."""


class CaseError(LggshapeError):
    """One case cannot be read or processed; the other cases go on (exit status 1)."""


class InternalError(CaseError):
    """A programming error stopped one case: a bug in lggshape, not a fault of the case.

    The error itself is the `__cause__`.
    """
