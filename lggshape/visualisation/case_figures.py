"""The files of a case's figures: its slices, and what its features are computed from."""

import math
import os
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lggshape.errors import CaseError
from lggshape.figures import Journal, Rendered, render
from lggshape.files import write_figure
from lggshape.masks import dice
from lggshape.names import what_is_unsafe
from lggshape.parallel import map_cases
from lggshape.progress import OnProgress, counter
from lggshape.readers.in_memory import Cases
from lggshape.shape.portrait import Portrait, portray
from lggshape.visualisation.case_features import draw_features
from lggshape.visualisation.case_slices import draw_slices
from lggshape.visualisation.shown_cases import (
    PREDICTED,
    REFERENCE,
    CaseToShow,
    CaseVolumes,
    find_cases,
    read_volumes,
)


class DrawnCase(NamedTuple):
    """What is drawn of a case.

    Attributes
    ----------
    figures : dict of str to Rendered
        The montage under the name of the case, and `<case>-features`.
    portrait : Portrait or None
        The slice of the largest area with the outlines.
    dice : float
        Of the reference and the predicted mask; NaN unless there are both.
    """

    figures: dict[str, Rendered]
    portrait: Portrait | None
    dice: float


class WrittenCase(NamedTuple):
    """A case whose figures were written, or why not.

    Attributes
    ----------
    case, patient : str
        Its names.
    reason : str
        Why it could not be drawn; empty if it was.
    portrait : Portrait or None
        The slice of the largest area with the outlines.
    dice : float
        Of the reference and the predicted mask; NaN unless there are both.
    """

    case: str
    patient: str
    reason: str
    portrait: Portrait | None = None
    dice: float = math.nan


def write_case_figures(
    cases: Cases,
    folder: str | os.PathLike[str],
    *,
    names: str | Iterable[str] = (),
    predicted: Cases | None = None,
    journal: Journal | None = None,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> dict[str, str]:
    """Write the figures of cases, `<case>` and `<case>-features`, as SVG and PNG.

    Parameters
    ----------
    cases : path, or sequence of CaseSource or Case
        A data set, its cases as `lggshape.open_cases` returns them, or cases in memory.
    folder : path
        Where to write.
    names : str or iterable of str
        The cases to draw, or their patients; all cases if there are none.
    predicted : path, or sequence of CaseSource or Case, optional
        Predicted masks of cases of the same names, to draw as well.
    journal : Journal, optional
        A further format of the figures, or another size of one of these.
    jobs : int, optional
        Number of processes; all cores by default.
    on_progress : callable, optional
        Called with a `Progress` after each case.

    Returns
    -------
    dict of str to str
        For each case, the reason why it could not be drawn; empty if it was.

    Raises
    ------
    InputError
        If a path holds no case, no predicted mask has the name of a case, or a name is that of no
        case and no patient.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from lggshape import Case
    >>> cases = [Case("a", "patient_1", mask=np.ones((3, 9, 9), dtype=bool))]
    >>> with TemporaryDirectory() as folder:
    ...     reasons = write_case_figures(cases, folder, jobs=1)
    ...     files = sorted(path.name for path in Path(folder).glob("*.png"))
    >>> reasons, files
    ({'a': ''}, ['a-features.png', 'a.png'])
    """
    written = write_cases(
        cases, folder, names=names, predicted=predicted, journal=journal, jobs=jobs,
        on_progress=on_progress,
    )  # fmt: skip
    return {one.case: one.reason for one in written}


def write_cases(
    cases: Cases,
    folder: str | os.PathLike[str],
    *,
    names: str | Iterable[str] = (),
    predicted: Cases | None = None,
    journal: Journal | None = None,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> list[WrittenCase]:
    """Write the figures of cases as `write_case_figures` does, and return what a page shows.

    Parameters
    ----------
    cases, folder, names, predicted, journal, jobs, on_progress
        As for `write_case_figures`.

    Returns
    -------
    list of WrittenCase
        In the order of the data set.

    Raises
    ------
    InputError
        As `write_case_figures` does.
    """
    shown = find_cases(cases, names=names, predicted=predicted)
    written = []
    advance = counter(on_progress, "drawing", len(shown))
    for outcome in map_cases(partial(draw_case, journal=journal), shown, jobs=jobs):
        source = outcome.item.source
        if outcome.error is not None:
            written.append(WrittenCase(source.id, source.patient, str(outcome.error)))
        else:
            figures, portrait, value = outcome.value
            for name, figure in figures.items():
                write_figure(Path(folder) / name, *figure)
            written.append(WrittenCase(source.id, source.patient, "", portrait, value))
        advance()
    return written


def draw_case(shown: CaseToShow, *, journal: Journal | None = None) -> DrawnCase:
    """Read a case and draw its figures.

    Parameters
    ----------
    shown : CaseToShow
        The case.
    journal : Journal, optional
        A further format of the figures.

    Returns
    -------
    DrawnCase
        The features are those of the reference mask, or of the predicted one where there is no
        tumour in a reference.

    Raises
    ------
    CaseError
        If the case cannot be read, has no mask with a tumour, or has a name that cannot be that of
        a file.
    """
    if unsafe := what_is_unsafe(shown.id):
        msg = f"Expected the name of case {shown.id!r} to fit a file, found {unsafe}."
        raise CaseError(msg)
    volumes = read_volumes(shown)
    masks = {name: mask for name, mask in volumes.masks.items() if mask.any()}
    if not masks:
        found = f"empty {' and '.join(volumes.masks)}" if volumes.masks else "none"
        msg = f"Expected case {shown.id} to have a mask with a tumour, found {found}: "
        raise CaseError(f"{msg}{shown.source.path}.")
    case, flair = volumes.case, volumes.flair
    name, mask = next(iter(masks.items()))
    figures = {
        shown.id: render(draw_slices(case, flair, volumes.outlines), journal),
        f"{shown.id}-features": render(draw_features(case, flair, mask, name), journal),
    }
    plain = replace(case, regions={}, image=case.image if flair is not None else None)
    drawn = {name: replace(plain, mask=mask) for name, mask in masks.items()}
    return DrawnCase(figures, portray(drawn, measured=False), _dice(volumes))


def _dice(volumes: CaseVolumes) -> float:
    masks = volumes.masks
    both = REFERENCE in masks and PREDICTED in masks
    return dice(masks[REFERENCE], masks[PREDICTED]) if both else math.nan
