"""The figures of a cohort."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from lggshape.figures import Journal, box_and_points, write_figures
from lggshape.figures.intensities import intensity_quantiles
from lggshape.figures.locations import location_maps
from lggshape.figures.style import VOLUME_UNITS, label_powers
from lggshape.files import write_table
from lggshape.progress import OnProgress
from lggshape.visualisation.cohort_survey import ADDED, HEAD, MISSED, RAW, STANDARDISED, Survey
from lggshape.visualisation.shown_cases import PREDICTED, REFERENCE

_GROUP_WIDTH = 0.85  # inches

_TITLES = {
    REFERENCE: "reference masks",
    PREDICTED: "predicted masks",
    MISSED: "missed by the prediction",
    ADDED: "added by the prediction",
}


def draw_cohort(found: Survey) -> Iterator[tuple[str, Figure]]:
    """Draw the figures of a cohort that there are data for.

    Parameters
    ----------
    found : Survey
        What is known of it.

    Yields
    ------
    tuple of str and Figure
        The name of the file, without ending, and the figure: `volumes_mm3` or `volumes_voxels`,
        `locations`, `errors` of predicted masks, and `intensities`.
    """
    table = found.table.assign(site=found.table["site"].replace("", "site unknown"))
    for known, unit, symbol in VOLUME_UNITS:
        measured = table[(table["spacing_known"] == known) & (table["volume"] > 0)]
        if len(measured):
            groups = dict(list(measured.groupby("site")["volume"]))
            figure = box_and_points(
                list(groups.values()),
                [str(site) for site in groups],
                value_name=f"tumour volume ({symbol})",
            )
            figure.axes[0].set_yscale("log")
            label_powers(figure.axes[0].yaxis)
            figure.set_figwidth(max(figure.get_figwidth(), _GROUP_WIDTH * len(groups)))
            yield f"volumes_{unit}", figure
    if found.counts[REFERENCE] or found.counts[PREDICTED]:
        yield "locations", _locations(found, (REFERENCE, PREDICTED))
    if found.counts[MISSED]:
        yield "errors", _locations(found, (MISSED, ADDED))
    scaled = table.dropna(subset=[RAW[0], STANDARDISED[0]])
    if len(scaled):
        yield (
            "intensities",
            intensity_quantiles(
                {
                    "FLAIR in the head, as stored": scaled[[*RAW]],
                    "standardised (robust standard deviations)": scaled[[*STANDARDISED]],
                },
                list(scaled["site"]),
            ),
        )


def write_cohort_figures(
    found: Survey,
    folder: str | os.PathLike[str],
    *,
    journal: Journal | None = None,
    on_progress: OnProgress | None = None,
) -> None:
    """Write `cohort.csv`, and every figure as SVG and PNG.

    Parameters
    ----------
    found : Survey
        What is known of the cohort.
    folder : path
        Where to write. For the names of the figures see `draw_cohort`.
    journal : Journal, optional
        A further format of the figures, or another size of one of these.
    on_progress : callable, optional
        Called with a `Progress` after each figure.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from lggshape.phantoms import write_cohort
    >>> from lggshape.visualisation import survey
    >>> with TemporaryDirectory() as folder:
    ...     cases = write_cohort(Path(folder, "cases"), patients=3, size=(6, 32, 32))
    ...     write_cohort_figures(survey(cases, jobs=1), folder)
    ...     sorted(path.name for path in Path(folder).glob("*.svg"))
    ['intensities.svg', 'locations.svg', 'volumes_voxels.svg']
    """
    write_table(Path(folder) / "cohort.csv", found.table)
    write_figures(dict(draw_cohort(found)), folder, journal=journal, on_progress=on_progress)


def _locations(found: Survey, names: Sequence[str]) -> Figure:
    z, y, x = found.size
    notes = [
        "Every head's bounding box is brought to one grid. Colour: the largest share along the "
        "line of sight. Line: the median head."
    ]
    if np.isnan(z):
        z = (y + x) / 2
        notes.append("Slice distance unknown: heights are not to scale.")
    notes.append(
        "Radiological views: the patient's right is on the left."
        if found.oriented
        else "Orientation unknown: as stored."
    )
    return location_maps(
        {
            f"{_TITLES[name]} (n = {found.counts[name]})": found.located[name] / found.counts[name]
            for name in names
            if found.counts[name]
        },
        found.located[HEAD] / found.counts[HEAD],
        size=(z, y, x),
        oriented=found.oriented,
        value_name="share of the cases",
        note="\n".join(notes),
    )
