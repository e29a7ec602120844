"""Names of cases that are worked on together."""

from collections import Counter
from collections.abc import Iterable

from lggshape.errors import InputError
from lggshape.readers import CaseSource


def refuse_repeated_names(sources: Iterable[CaseSource]) -> None:
    """Raise if two cases have one name.

    Raises
    ------
    InputError
        With the names.
    """
    counts = Counter(source.id for source in sources)
    repeated = sorted(name for name, count in counts.items() if count > 1)
    if repeated:
        msg = f"Expected every case once, found several of: {', '.join(repeated)}."
        raise InputError(msg)
