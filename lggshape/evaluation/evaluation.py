"""An evaluation: the scores of many cases, and what they say together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from lggshape.checks import check_seed
from lggshape.errors import InputError
from lggshape.evaluation.by_region import REGION, by_region, with_region
from lggshape.evaluation.compare_case import compare_case
from lggshape.evaluation.compare_cases import COLUMNS, compare_cases
from lggshape.evaluation.detection import detection_table
from lggshape.evaluation.matching import Matched, match_cases
from lggshape.evaluation.scores import check_tolerance
from lggshape.evaluation.summaries import choose_labels, group_table, summary_table
from lggshape.files import to_records
from lggshape.labels import Label, Labels, LabelSource, as_labels, match_patients
from lggshape.names import counted
from lggshape.progress import OnProgress
from lggshape.readers.columns import check_columns, with_columns
from lggshape.readers.in_memory import Cases
from lggshape.readers.predicted import MaskMeaning
from lggshape.regions import RegionSource
from lggshape.shape.portrait import Portrait
from lggshape.tables import TableSource

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TITLES = {
    "dice": "Dice",
    "hd95": "HD95 ({unit})",
    "surface_dice": "Surface Dice (tolerance {tolerance:g} {unit})",
    "volume_error": "Volume error",
    "auc": "AUC of slices with tumour",
    "sensitivity": "Sensitivity for slices with tumour",
    "specificity": "Specificity for slices without",
}
"""What the summary shows, with 95 % intervals."""

LOW = 0.5
"""Cases with a Dice below this are named one by one."""


@dataclass(frozen=True, repr=False)
class Evaluation:
    """How good predicted masks are.

    Attributes
    ----------
    scores : DataFrame
        A row per case, with the columns `COLUMNS`. A case that could not be compared has a row
        without scores; `reason` says why. `notes` tell what was done to read the masks. Of regions
        there is a row per case and region, and each table has a column `region`.
    summaries : DataFrame
        Each score over the cases; see `summaries.summary_table`.
    groups : DataFrame
        Dice by groups of cases; see `summaries.group_table`.
    detection : DataFrame
        Slices with and without tumour; see `detection.detection_table`.
    slices : DataFrame
        A row per slice, with the columns `SLICE_COLUMNS`, from which `detection` was computed.
    failures : dict of str to str
        The cases that could not be compared, with the reason.
    without_prediction : tuple of str
        Cases that have a reference and no predicted mask, if it is unknown whether one was asked
        for.
    surface_tolerance : float
        Tolerance of the surface Dice, in mm; in pixels if the spacing is unknown.
    regions : tuple of str
        The regions that were compared; empty if masks were compared as they are.
    regions_left_out : tuple of str
        The regions of the references that the predicted masks do not tell.
    portraits : dict of str to Portrait
        The outlines of both masks in the slice of the largest area, by case, if they were asked
        for.
    """

    scores: pd.DataFrame
    summaries: pd.DataFrame
    groups: pd.DataFrame
    detection: pd.DataFrame
    slices: pd.DataFrame
    failures: dict[str, str]
    without_prediction: tuple[str, ...]
    surface_tolerance: float
    regions: tuple[str, ...] = ()
    regions_left_out: tuple[str, ...] = ()
    portraits: dict[str, Portrait] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return the numbers of cases and failures, and the mean Dice of each region."""
        means = ""
        for region in self.regions or [""]:
            dice = (self.of_region(region) if region else self).scores["dice"]
            if dice.notna().any():
                means += f", mean Dice {region and f'of {region} '}{dice.mean():.3f}"
        return f"Evaluation({counted(self.cases, 'case')}, {len(self.failures)} failed{means})"

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.summaries.to_html(index=False)}"

    @property
    def cases(self) -> int:
        """How many cases were asked for."""
        return len(self.scores) // max(len(self.regions), 1)

    def of_region(self, region: str) -> "Evaluation":
        """Return the evaluation of one region alone, without the column of that name.

        Raises
        ------
        InputError
            If this region was not compared.
        """
        if region not in self.regions:
            msg = f"Expected one of the regions {', '.join(self.regions)}, found: {region}."
            raise InputError(msg)
        scores, summaries, groups, detection, slices = (
            table[table[REGION] == region].drop(columns=REGION).reset_index(drop=True)
            for table in self.tables().values()
        )
        return replace(
            self,
            scores=scores,
            summaries=summaries,
            groups=groups,
            detection=detection,
            slices=slices,
            regions=(),
            regions_left_out=(),
        )

    @property
    def names(self) -> "pd.Series[str]":
        """What to call each row of `scores`: its patient, or its case if a patient has several."""
        cases = self.scores.drop_duplicates("case")
        return self.scores["patient" if cases["patient"].is_unique else "case"]

    @property
    def low(self) -> pd.DataFrame:
        """The rows of `scores` with a Dice below `LOW`, the lowest first."""
        return self.scores[self.scores["dice"] < LOW].sort_values("dice", kind="stable")

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table by its name."""
        return {
            "scores": self.scores,
            "summary": self.summaries,
            "groups": self.groups,
            "detection": self.detection,
            "slices": self.slices,
        }

    def plots(self) -> "dict[str, Figure]":
        """Draw the figures for which there are data, by name; see `drawing.draw`."""
        from lggshape.evaluation.drawing import draw

        return dict(draw(self))

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the slices as plain values, missing ones as None."""
        return {
            "surface_tolerance": self.surface_tolerance,
            **({"regions": list(self.regions)} if self.regions else {}),
            "low": [
                f"{row.case}, {row.region}" if self.regions else row.case
                for row in self.low.itertuples()
            ],
            "failures": self.failures,
            "without_prediction": list(self.without_prediction),
            **{
                name: to_records(table) for name, table in self.tables().items() if name != "slices"
            },
        }

    def summary(self) -> str:
        """Return the main results in words, one per line, without the failures."""
        first = f"{self.cases - len(self.failures)} of {self.cases} cases evaluated"
        if not self.regions:
            return "\n".join([first, *self._results()])
        parts = [
            f"Region {one}\n" + "\n".join(self.of_region(one)._results()) for one in self.regions
        ]
        return "\n".join([first, *parts])

    def not_evaluated(self) -> list[str]:
        """Return in words what references there are besides, of cases and of regions."""
        reasons = {
            "there is no prediction": self.without_prediction,
            "the predicted masks do not tell them": self.regions_left_out,
        }
        return [
            f"Not evaluated, as {reason}: {', '.join(names)}"
            for reason, names in reasons.items()
            if names
        ]

    def _results(self) -> list[str]:
        lines = []
        row: Any
        for row in self.summaries.itertuples():
            if row.score in _TITLES and row.n:
                title = _TITLES[row.score].format(tolerance=self.surface_tolerance, unit=row.unit)
                mean = _with_interval(row.mean, row.mean_low, row.mean_high)
                median = _with_interval(row.median, row.median_low, row.median_high)
                lines.append(f"{title}: mean {mean}, median {median}, n = {row.n}")
            if row.score == "dice":
                lines.append(self._low_text())
        for row in self.detection.itertuples():
            if row.measure in _TITLES and not math.isnan(row.estimate):
                estimate = _with_interval(row.estimate, row.low, row.high)
                lines.append(f"{_TITLES[row.measure]}: {estimate}")
        return lines

    def _low_text(self) -> str:
        low = self.low
        count = low["patient"].nunique()
        people = f"{count} {'patient' if count == 1 else 'patients'}"
        # Several cases of one patient are told apart by their own names.
        several = len(low) > count
        names = low["case"] if several else low["patient"]
        named = [f"{name} {value:.3f}" for name, value in zip(names, low["dice"], strict=True)]
        listed = f": {', '.join(named)}" if named else ""
        return f"  {f'{len(low)} cases of ' if several else ''}{people} below {LOW}{listed}"


def evaluate(
    predicted: Cases,
    reference: Cases,
    *,
    manifest: TableSource | None = None,
    mask_values: Sequence[int] = (),
    regions: RegionSource | None = None,
    resample_masks: bool = False,
    threshold: float | None = None,
    labels: Labels | LabelSource | None = None,
    by: str | Sequence[str] = (),
    surface_tolerance: float = 1.0,
    outlines: bool = False,
    seed: int = 0,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> Evaluation:
    """Compare predicted masks with references.

    Cases are matched by name; see `match_cases`.

    Parameters
    ----------
    predicted, reference : str, path, or sequence of CaseSource or Case
        What `lggshape.open_cases` reads or returns, or cases in memory. `predicted` may be the
        folder of a `segment` run: its tables are used then.
    manifest : path or DataFrame, optional
        A CSV or table with the columns `case` and `patient`, and perhaps `site`.
    mask_values, regions
        What the values of the masks mean, as for `lggshape.open_cases`. Each region is compared by
        itself. Masks that `segment` wrote are of the whole tumour.
    resample_masks : bool
        Whether a predicted mask on another grid than its reference is resampled onto it, and a
        reference onto its image; else such cases fail. For references that are open, the latter is
        what `lggshape.open_cases` was told.
    threshold : float, optional
        The lowest value inside the predicted masks, if these are probability maps.
    labels : Labels, or what `read_labels` takes, optional
        Labels of the patients, to group the cases by.
    by : str or sequence of str
        The labels to group by. `labels` and `by` need each other.
    surface_tolerance : float
        Tolerance of the surface Dice, in mm; in pixels if the spacing is unknown.
    outlines : bool
        Whether to keep outlines of the masks, which a report shows.
    seed : int
        Seed of the bootstrap intervals, 0 or more.
    jobs, on_progress
        As for `lggshape.feature_table`.

    Returns
    -------
    Evaluation
        One bad case does not keep the others from being evaluated: it has a row without scores.

    Raises
    ------
    InputError
        If no case has both masks, a table cannot be read, the tolerance or the seed is negative, a
        label to group by is missing or cannot group cases, no patient has a label, or predicted and
        reference masks have no region in common.

    Examples
    --------
    >>> import numpy as np
    >>> from lggshape.case import Case
    >>> mask = np.zeros((1, 8, 8), dtype=bool)
    >>> mask[0, 2:6, 2:6] = True
    >>> predicted = Case("a", "patient_1", mask=np.roll(mask, 1, axis=2))
    >>> found = evaluate([predicted], [Case("a", "patient_1", mask=mask)], jobs=1)
    >>> found
    Evaluation(1 case, 0 failed, mean Dice 0.750)
    >>> found.scores[["dice", "iou"]].to_numpy().tolist()
    [[0.75, 0.6]]
    """
    check_tolerance(surface_tolerance)
    check_seed(seed)
    meaning = MaskMeaning(regions, tuple(mask_values), threshold)
    matched = match_cases(
        predicted, reference, manifest=manifest, meaning=meaning, resample_masks=resample_masks
    )
    cases = [pair.described for pair in matched.pairs]
    check_columns(cases, with_region(COLUMNS, matched.regions))
    known = None if labels is None else as_labels(labels)
    grouping = _grouping(matched, known, [by] if isinstance(by, str) else by)
    compare = partial(
        compare_case, surface_tolerance=surface_tolerance, regions=matched.regions,
        resample_masks=resample_masks, outlines=outlines,
    )  # fmt: skip
    compared = compare_cases(matched, compare, jobs=jobs, on_progress=on_progress)
    of_regions = partial(by_region, regions=matched.regions)
    return Evaluation(
        scores=with_columns(compared.scores, cases),
        summaries=of_regions(partial(summary_table, seed=seed), compared.scores),
        groups=of_regions(partial(group_table, labels=grouping, seed=seed), compared.scores),
        detection=of_regions(partial(detection_table, seed=seed), compared.slices),
        slices=compared.slices,
        failures=compared.failures,
        without_prediction=matched.without_prediction,
        surface_tolerance=surface_tolerance,
        regions=matched.regions,
        regions_left_out=matched.regions_left_out,
        portraits=compared.portraits,
    )


def _grouping(matched: Matched, labels: Labels | None, by: Sequence[str]) -> list[Label]:
    if labels is None and not by:
        return []
    if labels is None:
        msg = f"Expected label tables to group by {', '.join(by)}, found none."
        raise InputError(msg)
    if not by:
        msg = (
            "Expected the names of labels to group the cases by, found none. The tables have: "
            f"{', '.join(labels.names)}."
        )
        raise InputError(msg)
    patients = [pair.patient for pair in matched.pairs]
    labels = match_patients(patients, labels).labels
    if labels.patients.isdisjoint(patients):
        msg = (
            "Expected patients that have both masks and labels, found none in common: the first "
            f"are {patients[0]} and {min(labels.patients, default='none')}."
        )
        raise InputError(msg)
    return choose_labels(labels, by)


def _with_interval(estimate: float, low: float, high: float) -> str:
    return f"{estimate:.3f}" + ("" if math.isnan(low) else f" ({low:.3f} to {high:.3f})")
