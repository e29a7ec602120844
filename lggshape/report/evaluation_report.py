"""The report of an evaluation: how good predicted masks are, and where they are not."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from lggshape.evaluation import Evaluation
from lggshape.evaluation.drawing import draw
from lggshape.evaluation.evaluation import LOW
from lggshape.figures import Journal
from lggshape.labels import Label
from lggshape.names import counted, first_few
from lggshape.progress import OnProgress, counter
from lggshape.provenance import InputFile
from lggshape.report import columns
from lggshape.report.blocks import Block, Column, Heading, Points, Section, Table, Text, link
from lggshape.report.closing import methods_section, provenance
from lggshape.report.gallery import Gallery
from lggshape.report.page import Page, made_by, write_page
from lggshape.report.people import NO_CHECKS, PAGE, People
from lggshape.report.wording import interval_text

TITLE = "Predicted masks against their references"

DICE = (
    "Dice is twice the volume that two masks share, divided by the sum of their volumes: 0 if they "
    "share nothing, 1 if they are the same."
)

DISTANCES = (
    "HD95 is the 95th percentile of the distances from the border of one mask to that of the "
    "other, the larger of both directions. The surface Dice is the share of both borders that lies "
    "within {tolerance:g} {unit} of the other one. Distances are in mm in three dimensions where "
    "the spacing is known, and otherwise in pixels within each slice."
)

CLUSTERED = (
    "Intervals of means and medians are percentiles of a bootstrap that draws patients. Those of "
    "the AUC are Obuchowski's for clustered values, on the logit scale with Student's t, and those "
    "of shares of slices are Rao and Scott's, in the same way: the slices of a patient are one "
    "cluster. All intervals are 95 % intervals."
)

REFERENCES = (
    "Taha AA, Hanbury A. Metrics for evaluating 3D medical image segmentation: analysis, "
    "selection, and tool. BMC Medical Imaging 2015; 15: 29.",
    "Maier-Hein L, Reinke A, Godau P, et al. Metrics reloaded: recommendations for image analysis "
    "validation. Nature Methods 2024; 21: 195-212.",
    "Nikolov S, Blackwell S, Zverovitch A, et al. Clinically applicable segmentation of head and "
    "neck anatomy for radiotherapy: deep learning algorithm development and validation study. "
    "Journal of Medical Internet Research 2021; 23: e26151.",
    "Obuchowski NA. Nonparametric analysis of clustered ROC curve data. Biometrics 1997; 53: "
    "567-578.",
    "Rao JNK, Scott AJ. A simple method for the analysis of clustered binary data. Biometrics "
    "1992; 48: 577-585.",
    "Davison AC, Hinkley DV. Bootstrap methods and their application. Cambridge University Press "
    "1997.",
)

SCORES = {
    "dice": "Dice",
    "iou": "IoU",
    "precision": "precision",
    "recall": "recall",
    "hd95": "HD95",
    "surface_dice": "surface Dice",
    "volume_error": "volume error",
}
"""The scores in words, in the order of a patient's panel."""

_FIGURES = {
    "dice": "The Dice of every case, from the lowest to the highest",
    "dice_by_group": "Mean Dice by group, with 95 % intervals; the dotted line is the mean of all",
    "detection": "ROC curve of tumour in a slice",
    "volumes_mm3": "Predicted against reference volume, and their difference against their mean",
    "volumes_voxels": "Predicted against reference volume, and their difference against their mean",
}

_NO_LABELS: Mapping[str, Label] = MappingProxyType({})


def write_evaluation_report(
    evaluation: Evaluation,
    folder: Path,
    *,
    inputs: Sequence[InputFile] = (),
    options: Mapping[str, Any] | None = None,
    labels: Mapping[str, Label] = _NO_LABELS,
    checks: Mapping[str, Mapping[str, str]] = NO_CHECKS,
    title: str | None = None,
    authors: Sequence[str] = (),
    journal: Journal | None = None,
    on_progress: OnProgress | None = None,
) -> None:
    """Write `report.html` and its figures, to lie beside the tables of an evaluation.

    Parameters
    ----------
    evaluation : Evaluation
        The results; with portraits, the outlines are shown.
    folder : Path
        Folder of the tables. Files of the same names are replaced.
    inputs, options
        What the evaluation was made from.
    labels : mapping of str to Label
        Labels of the patients to show.
    checks : mapping of str to mapping of str to str
        What `segment` said of its masks, by case: `expected_dice`, `check` and `check_reason`.
    title : str, optional
        The heading; by default `TITLE`.
    authors : sequence of str
        Who wrote it.
    journal : Journal, optional
        A further format of the figures in `figures/`, or another size of one of them.
    on_progress : callable, optional
        Called with a `Progress` after each figure.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    """
    people = _people(evaluation, labels, checks)
    figures = dict(draw(evaluation, targets=people.targets))
    gallery = Gallery(
        folder, journal=journal, advance=counter(on_progress, "drawing", len(figures))
    )
    parts = [
        _Part(
            evaluation.of_region(name), name, figures, gallery, people.titles("Dice", _plain(name))
        )
        for name in evaluation.regions
    ] or [_Part(evaluation, "", figures, gallery, people.titles("Dice", _MASKS))]
    sections = [
        Section("answer", "How good the masks are", list(_answer(evaluation, parts)), "Answer"),
        Section("scores", "All scores", _each(parts, _scores), "Scores"),
        Section("groups", "By groups of cases", _each(parts, _groups), "Groups"),
        Section("detection", "Slices with tumour", _each(parts, _detection), "Slices"),
        people.section(),
        _methods(evaluation),
        _limits(evaluation),
        provenance(inputs, options or {}, evaluation.tables(), "evaluation.json"),
    ]
    page = Page(
        title or TITLE, "lggshape · evaluation report",
        [section for section in sections if section.blocks],
        [("Cohort", _cohort(evaluation.scores)), *made_by()], authors,
    )  # fmt: skip
    write_page(page, folder / PAGE)


_MASKS = "predicted"


class _Part(NamedTuple):
    """The masks, or one region of them, with the figures of all and what their points tell."""

    found: Evaluation
    region: str
    figures: Mapping[str, Figure]
    gallery: Gallery
    titles: Mapping[str, str]

    def drawing(self, name: str) -> Iterator[Block]:
        """Yield a figure, if there is one."""
        file = f"{name}_{self.region}" if self.region else name
        if file in self.figures:
            what = _FIGURES[name] + (f": {_plain(self.region)}" if self.region else "")
            yield self.gallery.keep(self.figures[file], what, file, titles=self.titles)


def _plain(region: str) -> str:
    return region.replace("_", " ")


def _people(
    evaluation: Evaluation,
    labels: Mapping[str, Label],
    checks: Mapping[str, Mapping[str, str]],
) -> People:
    """Return the cases with their scores as features."""
    scores, names = evaluation.scores, evaluation.names
    table = pd.DataFrame(
        {
            "case": scores["case"],
            "patient": names,
            "masks": scores["region"].map(_plain) if evaluation.regions else _MASKS,
            "reason": scores["reason"].fillna(""),
        }
    )
    for name, title in SCORES.items():
        if name != "hd95":
            table[title] = scores[name]
            continue
        for known, unit in ((True, "mm"), (False, "pixels")):
            chosen = (scores["spacing_known"] == known).fillna(False)
            if chosen.any():
                table[f"{title} ({unit})"] = scores[name].where(chosen)
    # The Dice is that of the table, which may be of a region.
    drawn = {case: one._replace(dice=float("nan")) for case, one in evaluation.portraits.items()}
    shown = [str(name) for name in table if name not in {"case", "patient", "masks", "reason"}]
    return People(
        table, labels, shown, drawn, checks, dice=["Dice"],
        key="patient" if names.name == "patient" else "case",
    )  # fmt: skip


def _each(parts: Sequence[_Part], make: Any) -> list[Block]:
    """Return the blocks of all regions, under a heading each if there are any."""
    blocks: list[Block] = []
    for part in parts:
        made = list(make(part))
        if made and part.region:
            blocks.append(Heading(f"Region {_plain(part.region)}"))
        blocks += made
    return blocks


def _answer(evaluation: Evaluation, parts: Sequence[_Part]) -> Iterator[Block]:
    yield from _each(parts, _lead)
    yield Text(f"{DICE} Each point is a case. " + link("scores.csv") + " has all scores.", "note")
    if evaluation.failures:
        yield Table.of(
            list(evaluation.failures.items()),
            "Cases that could not be compared. They are in no summary.",
            "scores",
            Column("case", lambda row: row[0], "text"),
            Column("reason", lambda row: row[1], "long"),
        )
    yield from (Text(note, "note") for note in evaluation.not_evaluated())


def _lead(part: _Part) -> Iterator[Block]:
    yield Text(_conclusion(part.found), "lead")
    yield from part.drawing("dice")


def _conclusion(found: Evaluation) -> str:
    """Return how good the masks are in up to three sentences: on average, at worst, by slice."""
    scored = found.scores[found.scores["dice"].notna()]
    if scored.empty:
        return "No case could be compared."
    row: Any = next(found.summaries[found.summaries["score"] == "dice"].itertuples())
    left_out = f"; {len(found.failures)} could not be compared" if found.failures else ""
    return " ".join(
        [
            f"In {_cohort(scored)}, the mean Dice of predicted and reference masks is "
            f"{interval_text(row.mean, row.mean_low, row.mean_high, 3)} and the median "
            f"{interval_text(row.median, row.median_low, row.median_high, 3)}, with 95 % intervals "
            f"in brackets{left_out}.",
            _lowest(found),
            *_by_slice(found.detection),
        ]
    )


def _lowest(found: Evaluation) -> str:
    """Return how many cases have a low Dice, and which have the lowest."""
    known = pd.DataFrame({"name": found.names, "dice": found.scores["dice"]}).dropna()
    rows: Any = known.sort_values("dice", kind="stable").itertuples(index=False)
    ordered = [(row.name, row.dice) for row in rows]
    low = [f"{name} ({dice:.3f})" for name, dice in ordered if dice < LOW]
    if low:
        return f"The Dice is below {LOW:g} in {counted(len(low), 'case')}: {first_few(low)}."
    name, dice = ordered[0]
    return f"The lowest Dice is {dice:.3f}, of {name}."


def _by_slice(detection: pd.DataFrame) -> Iterator[str]:
    rows: dict[Any, Any] = {row.measure: row for row in detection.itertuples()}
    found, free = rows["sensitivity"], rows["specificity"]
    if found.slices and free.slices:
        yield (
            f"Of the {found.slices} slices with tumour, the predicted masks find a share of "
            f"{_share(found)}; of the {free.slices} slices without tumour, they leave a "
            f"share of {_share(free)} empty."
        )


def _share(row: Any) -> str:
    return interval_text(row.estimate, row.low, row.high, 3)


def _scores(part: _Part) -> Iterator[Block]:
    yield Table.of(
        part.found.summaries,
        "Each score over the cases in which it is defined. The unit of the surface Dice is that of "
        f"its tolerance, {part.found.surface_tolerance:g}. The volume error is the difference from "
        "the reference's volume, divided by it.",
        "summary",
        Column("score", lambda row: SCORES[row.score], "text"),
        Column("unit", lambda row: "" if row.unit == "1" else row.unit, "text"),
        *_summary_columns(),
    )
    yield from part.drawing("volumes_mm3")
    yield from part.drawing("volumes_voxels")


def _summary_columns() -> Iterable[Column]:
    return (
        columns.count("n", "n"),
        columns.interval("mean (95 %)", "mean", "mean_low", "mean_high", 3),
        columns.interval("median (95 %)", "median", "median_low", "median_high", 3),
        columns.number("SD", "sd", 3),
        columns.number("lowest", "min", 3),
        columns.number("highest", "max", 3),
        # The names of these columns are no names of Python.
        Column("below 0.5", lambda row: _count(row[-2])),
        Column("below 0.7", lambda row: _count(row[-1])),
    )


def _count(value: Any) -> str:
    return "—" if pd.isna(value) else str(int(value))


def _groups(part: _Part) -> Iterator[Block]:
    if part.found.groups.empty:
        return
    yield from part.drawing("dice_by_group")
    yield Table.of(
        part.found.groups,
        "Dice by group. Differences between groups are described, not tested. Intervals of groups "
        "with few patients are too narrow.",
        "groups",
        Column("group", lambda row: row.group.replace("_", " "), "text"),
        columns.words("level", "level"),
        *_summary_columns(),
    )


def _detection(part: _Part) -> Iterator[Block]:
    yield Table.of(
        part.found.detection,
        "How well slices with tumour are told from those without. The area is in pixels.",
        "detection",
        Column("measure", lambda row: row.measure.replace("_", " "), "text"),
        Column("estimate (95 %)", _share),
        columns.count("slices", "slices"),
        columns.count("patients", "patients"),
    )
    yield from part.drawing("detection")


def _methods(evaluation: Evaluation) -> Section:
    known = evaluation.scores["spacing_known"].dropna()
    unit = "mm or pixels" if known.nunique() > 1 else "mm" if known.all() else "pixels"
    paragraphs = [
        f"{DICE} IoU is the shared volume over that of both together, precision the shared volume "
        "over that of the predicted mask, and recall that over the reference's.",
        DISTANCES.format(tolerance=evaluation.surface_tolerance, unit=unit),
        "A slice has tumour if the reference has a pixel in it, and is found if the predicted mask "
        "has one. The AUC is that of the score that came with the masks, or of the predicted area.",
        CLUSTERED,
    ]
    opening = (
        f"Predicted masks of {_cohort(evaluation.scores)} were compared with reference masks with "
        f"lggshape {version('lggshape')}."
    )
    return methods_section(opening, paragraphs, REFERENCES)


def _limits(evaluation: Evaluation) -> Section:
    points = [
        "The references are taken as right. Two people who outline the same tumour differ, too.",
        "The intervals are about other patients like these, not about images of another kind.",
        "The same distance between two outlines costs a small tumour more Dice than a large one.",
        "Cases that could not be compared are in no summary: compare their numbers before two "
        "evaluations.",
    ]
    if evaluation.scores["spacing_known"].eq(False).any():
        points.append(
            "The spacing of some cases is unknown. Their distances are in pixels within slices, "
            "and their volumes in voxels."
        )
    return Section("limits", "Limits", [Points(points)])


def _cohort(scores: pd.DataFrame) -> str:
    """Return how many patients there are, and how many cases if that is another number."""
    cases, patients = scores["case"].nunique(), scores["patient"].nunique()
    several = f" ({counted(cases, 'case')})" if cases != patients else ""
    return f"{counted(patients, 'patient')}{several}"
