"""The figures of an evaluation."""

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lggshape.evaluation.evaluation import LOW, Evaluation
from lggshape.figures import interval_plot
from lggshape.figures.agreement import agreement_plot
from lggshape.figures.ranking import ranking
from lggshape.figures.roc import roc_curve
from lggshape.figures.style import VOLUME_UNITS

_NOWHERE: Mapping[str, str] = MappingProxyType({})


def draw(
    evaluation: Evaluation, *, targets: Mapping[str, str] = _NOWHERE
) -> Iterator[tuple[str, Figure]]:
    """Draw the figures of an evaluation for which there are data.

    Parameters
    ----------
    evaluation : Evaluation
        The results.
    targets : mapping of str to str
        Where the points of cases lead in the SVG, by their names in `Evaluation.names`.

    Yields
    ------
    tuple of str and Figure
        The name of the file, without ending, and the figure: `dice` (every case), `dice_by_group`,
        `detection` (the ROC curve), and `volumes_mm3` or `volumes_voxels`. Of regions there is one
        of each, with the region at the end of the name.
    """
    for region in evaluation.regions:
        for name, drawn in draw(evaluation.of_region(region), targets=targets):
            yield f"{name}_{region}", drawn
    if evaluation.regions:
        return
    is_scored = evaluation.scores["dice"].notna()
    scored, names = evaluation.scores[is_scored], evaluation.names[is_scored]
    if scored.empty:
        return
    yield (
        "dice",
        ranking(
            scored["dice"],
            list(names),
            value_name="Dice",
            item_name="cases",
            named_below=LOW,
            links=[targets.get(name) for name in names],
        ),
    )
    if len(evaluation.groups):
        yield "dice_by_group", _by_group(evaluation)
    if (figure := _detection(evaluation)) is not None:
        yield "detection", figure
    for known, unit, symbol in VOLUME_UNITS:
        part = scored[scored["spacing_known"] == known]
        if len(part):
            yield (
                f"volumes_{unit}",
                agreement_plot(
                    part["predicted_volume"],
                    part["reference_volume"],
                    measured_name="predicted",
                    reference_name="reference",
                    quantity=f"volume ({symbol})",
                    links=[targets.get(name) for name in names[part.index]],
                ),
            )


def _by_group(evaluation: Evaluation) -> Figure:
    groups = evaluation.groups
    # The name of a group stands before its first level alone.
    first = ~groups["group"].duplicated()
    headings = (groups["group"].str.replace("_", " ") + ": ").where(first, "")
    lowest = float(np.nanmin(groups[["mean", "mean_low"]].to_numpy(np.float64)))
    return interval_plot(
        list(headings + groups["level"] + " (n = " + groups["n"].astype(str) + ")"),
        list(groups["mean"]),
        list(groups["mean_low"]),
        list(groups["mean_high"]),
        value_name="mean Dice, 95 % interval",
        no_effect=float(evaluation.scores["dice"].mean()),
        limits=(math.ceil(20 * lowest - 1) / 20, 1.0),  # also if all are 1
    )


def _detection(evaluation: Evaluation) -> Figure | None:
    measures: dict[Any, Any] = evaluation.detection.set_index("measure").to_dict("index")
    area = measures["auc"]
    if math.isnan(area["estimate"]):
        return None
    slices = evaluation.slices
    return roc_curve(
        slices["score"],
        slices["reference_area"] > 0,
        title=f"AUC {area['estimate']:.3f} ({area['low']:.3f} to {area['high']:.3f})",
        decision=(measures["specificity"]["estimate"], measures["sensitivity"]["estimate"]),
        decision_name="predicted mask",
    )
