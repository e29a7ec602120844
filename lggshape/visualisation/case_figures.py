"""The files of a case's figures: its slices, and what its features are computed from."""

import os
from collections.abc import Sequence
from pathlib import Path

from lggshape.errors import CaseError
from lggshape.figures import Rendered, render
from lggshape.files import write_figure
from lggshape.names import what_is_unsafe
from lggshape.parallel import map_cases
from lggshape.progress import OnProgress, counter
from lggshape.visualisation.case_features import draw_features
from lggshape.visualisation.case_slices import draw_slices
from lggshape.visualisation.shown_cases import Shown, read_material


def write_cases(
    cases: Sequence[Shown],
    folder: str | os.PathLike[str],
    *,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> dict[str, str]:
    """Write the figures of cases, `<case>` and `<case>-features`, as SVG and PNG.

    Parameters
    ----------
    cases : sequence of Shown
        The cases, as `find_cases` returns them.
    folder : path
        Where to write.
    jobs : int, optional
        Number of processes; all cores by default.
    on_progress : callable, optional
        Called with a `Progress` after each case.

    Returns
    -------
    dict of str to str
        The cases that could not be shown, with the reason.
    """
    failures = {}
    advance = counter(on_progress, "drawing", len(cases))
    for outcome in map_cases(draw_case, cases, jobs=jobs):
        if outcome.error is None:
            for name, figure in outcome.value.items():
                write_figure(Path(folder) / name, *figure)
        else:
            failures[outcome.item.id] = str(outcome.error)
        advance()
    return failures


def draw_case(shown: Shown) -> dict[str, Rendered]:
    """Read a case and draw its figures.

    Parameters
    ----------
    shown : Shown
        The case.

    Returns
    -------
    dict of str to Rendered
        The montage under the name of the case, and `<case>-features`, of the reference mask, or of
        the predicted one where there is no tumour in a reference.

    Raises
    ------
    CaseError
        If the case cannot be read, has no mask with a tumour, or has a name that cannot be that of
        a file.
    """
    if unsafe := what_is_unsafe(shown.id):
        msg = f"Expected the name of case {shown.id!r} to fit a file, found {unsafe}."
        raise CaseError(msg)
    material = read_material(shown)
    masks = {name: mask for name, mask in material.masks.items() if mask.any()}
    if not masks:
        found = f"empty {' and '.join(material.masks)}" if material.masks else "none"
        msg = f"Expected case {shown.id} to have a mask with a tumour, found {found}: "
        raise CaseError(f"{msg}{shown.source.path}.")
    case, flair, _ = material
    name, mask = next(iter(masks.items()))
    return {
        shown.id: render(draw_slices(case, flair, material.masks)),
        f"{shown.id}-features": render(draw_features(case, flair, mask, name)),
    }
