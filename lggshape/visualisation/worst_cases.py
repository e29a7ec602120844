"""The cases whose predicted masks agree least with their references."""

import math
from collections.abc import Mapping

from lggshape.errors import InputError
from lggshape.masks import dice
from lggshape.parallel import map_cases
from lggshape.progress import OnProgress, counter
from lggshape.readers.in_memory import Cases
from lggshape.visualisation.shown_cases import CaseToShow, find_cases, on_grid_of_case


def worst_cases(
    cases: Cases,
    predicted: Cases,
    count: int,
    *,
    checks: Mapping[str, Mapping[str, str]],
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> list[str]:
    """Find the cases with the lowest Dice.

    Parameters
    ----------
    cases : path, or sequence of CaseSource or Case
        The cases, with reference masks as far as there are any.
    predicted : path, or sequence of CaseSource or Case
        Predicted masks of cases of the same names.
    count : int
        How many to return.
    checks : mapping of str to mapping of str to str
        What `segment` said of its masks, by case: the `expected_dice` of those without a reference.
    jobs : int, optional
        Number of processes; all cores by default.
    on_progress : callable, optional
        Called with a `Progress` after each case.

    Returns
    -------
    list of str
        The names of the cases, the lowest Dice first, after those whose masks cannot be read.

    Raises
    ------
    InputError
        If neither a Dice nor one to expect is known of any case.

    Examples
    --------
    >>> import numpy as np
    >>> from lggshape import Case
    >>> mask = np.arange(18).reshape(2, 3, 3) > 9
    >>> cases = [Case(name, name, mask=mask) for name in "abc"]
    >>> masks = [Case("a", "a", mask=mask), Case("b", "b", mask=np.roll(mask, 1, axis=2))]
    >>> worst_cases(cases, masks, 1, checks={}, jobs=1)
    ['b']
    """
    shown = [one for one in find_cases(cases, predicted=predicted) if one.predicted is not None]
    known: dict[str, float] = {}
    failed: list[str] = []
    advance = counter(on_progress, "comparing", len(shown))
    for outcome in map_cases(_dice, shown, jobs=jobs):
        case = outcome.item.id
        if outcome.error is not None:
            failed.append(case)
        else:
            expected = float(checks.get(case, {}).get("expected_dice") or math.nan)
            known[case] = expected if math.isnan(outcome.value) else outcome.value
        advance()
    order = sorted((value, case) for case, value in known.items() if not math.isnan(value))
    if not order:
        msg = (
            "Expected predicted masks of cases with references, or masks that `segment` wrote with "
            f"the Dice to expect, found neither among {len(shown)}."
        )
        raise InputError(msg)
    return [*failed, *(case for _, case in order[:count])]


def _dice(shown: CaseToShow) -> float:
    """Return the Dice of a case; NaN without a reference."""
    if shown.predicted is None or not shown.source.has_mask:
        return math.nan
    case = shown.source.read(image=False)
    predicted = on_grid_of_case(case, shown.predicted.read(image=False), shown)
    assert case.mask is not None
    assert predicted.mask is not None
    return dice(case.mask, predicted.mask)
