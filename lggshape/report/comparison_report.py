"""The report of a comparison of training runs: which differ, by how much, and in which cases."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from lggshape.comparison import Comparison
from lggshape.comparison.drawing import draw
from lggshape.figures import Journal
from lggshape.names import counted, first_few
from lggshape.progress import OnProgress, counter
from lggshape.provenance import InputFile
from lggshape.report import columns
from lggshape.report.blocks import Block, Column, Points, Section, Table, Text, link
from lggshape.report.closing import methods_section, provenance
from lggshape.report.evaluation_report import CLUSTERED, DICE, DISTANCES, REFERENCES, SCORES
from lggshape.report.gallery import Gallery
from lggshape.report.page import Page, made_by, write_page
from lggshape.report.people import PAGE, People
from lggshape.report.wording import interval_text, p_equals
from lggshape.shape.portrait import Portrait

TITLE = "Training runs side by side"

_ALPHA = 0.05

_MEASURES = {"dice": "Dice", "auc": "AUC of slices with tumour"}
"""The measures of the conclusion in words."""

_FIGURES = {
    "paired": "The difference in Dice of each case, and the mean of the patients with its 95 % "
    "interval",
    "differences": "Mean differences in Dice, with 95 % intervals and p after Holm's correction",
    "dice": "Mean Dice of all patients whom a run held out, with 95 % intervals",
    "detection": "AUC of slices with tumour, with 95 % intervals",
    "training": "Dice of the inner split by epoch",
    "learning_curve": "Dice by number of patients trained on, with 95 % intervals",
    "worst": "The cases with the lowest mean Dice, by run",
}

_HOLM = (
    "Holm S. A simple sequentially rejective multiple test procedure. Scandinavian Journal of "
    "Statistics 1979; 6: 65-70."
)


def write_comparison_report(
    comparison: Comparison,
    folder: Path,
    *,
    surface_tolerance: float = 1.0,
    inputs: Sequence[InputFile] = (),
    options: Mapping[str, Any] | None = None,
    title: str | None = None,
    authors: Sequence[str] = (),
    journal: Journal | None = None,
    on_progress: OnProgress | None = None,
) -> None:
    """Write `report.html` and its figures, to lie beside the tables of a comparison.

    Parameters
    ----------
    comparison : Comparison
        The results.
    folder : Path
        Folder of the tables. Files of the same names are replaced.
    surface_tolerance : float
        The tolerance of the surface Dice.
    inputs, options
        What the comparison was made from.
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
    people = _people(comparison)
    figures = dict(draw(comparison, targets=people.targets))
    gallery = Gallery(
        folder, journal=journal, advance=counter(on_progress, "drawing", len(figures))
    )
    titles = _titles(comparison, people)

    def drawings(*names: str) -> Iterator[Block]:
        for name in names:
            if name in figures:
                what = _FIGURES.get(name) or f"Where {name.partition('_')[2]} finds tumour"
                yield gallery.keep(figures[name], what, name, titles=titles)

    evidence = [name for name in figures if name not in _FIGURES]
    sections = [
        Section("answer", "Which runs differ", [
            *(Text(text, "lead") for text in _conclusion(comparison)),
            *drawings("paired", *() if "paired" in figures else ("detection",)),
            Text(
                f"{DICE} Each point is a case that both runs held out. An interval that holds 0 "
                "does not show that two runs are equally good. " + link("cases.csv")
                + " has the Dice of every case.", "note",
            ),
            *_failures(comparison),
        ], "Answer"),
        Section("differences", "All differences", [
            *_differences(comparison.differences), *drawings("differences"),
        ], "Differences"),
        Section("runs", "Run by run", [
            *_runs(comparison.runs), *drawings("dice", "detection", *evidence),
        ], "Runs"),
        Section("training", "Training", [
            *drawings("training", "learning_curve"), *_epochs(comparison.epochs),
        ]),
        *([people.section()] if len(comparison.cases) else []),
        Section("worst", "The lowest Dice", list(drawings("worst"))),
        _methods(comparison, surface_tolerance),
        _limits(),
        provenance(inputs, options or {}, comparison.tables(), ""),
    ]  # fmt: skip
    page = Page(
        title or TITLE, "lggshape · comparison report",
        [section for section in sections if section.blocks],
        [("Runs", ", ".join(comparison.results)), *made_by()], authors,
    )  # fmt: skip
    write_page(page, folder / PAGE)


def _column(run: str) -> str:
    return f"Dice, {run}"


def _dice(comparison: Comparison) -> pd.DataFrame:
    """Return the Dice by every run that segments."""
    return comparison.cases.drop(columns=["case", "patient"])


def _people(comparison: Comparison) -> People:
    """Return the cases with their Dice by every run as features."""
    dice = _dice(comparison).rename(columns=_column)
    names = comparison.names
    keys = pd.DataFrame(
        {"case": comparison.cases["case"], "patient": names, "masks": "predicted", "reason": ""}
    )
    key = "patient" if names.name == "patient" else "case"
    shown = [str(name) for name in dice]
    table = pd.concat([keys, dice], axis="columns")
    return People(table, {}, shown, _portraits(comparison), dice=shown, key=key)


def _portraits(comparison: Comparison) -> dict[str, Portrait]:
    """Return the outlines of the reference and of each run's mask, by case."""
    found: dict[str, Portrait] = {}
    for run, result in comparison.results.items():
        for case, one in result.portraits.items():
            # Without a reference in it, an outline may be of another slice.
            if "reference" not in one.outlines:
                continue
            before = found[case].outlines if case in found else {}
            own = {"reference": one.outlines["reference"], run: one.outlines.get("predicted", [])}
            found[case] = one._replace(outlines={**before, **own}, dice=float("nan"))
    return found


def _titles(comparison: Comparison, people: People) -> dict[str, str]:
    """Return what pointing at a case tells: its Dice by every run."""
    rows = zip(comparison.names, _dice(comparison).to_dict("records"), strict=True)
    return {
        f"#{people.anchors[name]}": f"{name}: "
        + ", ".join(f"{run} {value:.3f}" for run, value in row.items() if pd.notna(value))
        for name, row in rows
        if name in people.anchors
    }


def _conclusion(comparison: Comparison) -> Iterator[str]:
    """Yield what was found in Dice, and in finding slices with tumour."""
    for measure in _MEASURES:
        rows: list[Any] = [
            row for row in comparison.differences.itertuples() if row.measure == measure
        ]
        if rows:
            yield _found(measure, rows)


def _found(measure: str, rows: Sequence[Any]) -> str:
    """Return which runs differ from the reference, and the largest difference or the only one."""
    reference, title = rows[0].reference, _MEASURES[measure]
    largest = max(rows, key=lambda row: abs(row.difference))
    value = interval_text(largest.difference, largest.low, largest.high, 3)
    sure = f"p {p_equals(largest.p_holm)}" + (" after Holm's correction" if len(rows) > 1 else "")
    n = counted(largest.patients, "patient")
    if len(rows) == 1:
        return (
            f"{title} is {largest.value:.3f} by {largest.run} and {largest.reference_value:.3f} by "
            f"{reference} in the {n} whom both held out: a difference of {value}, with the 95 % "
            f"interval in brackets ({sure})."
        )
    differ = [row.run for row in rows if row.p_holm <= _ALPHA]
    which = f": {first_few(differ)}" if differ else ""
    return (
        f"{title}: {len(differ)} of {len(rows)} runs differ from {reference} (p of at most "
        f"{_ALPHA:g} after Holm's correction){which}. The largest difference is that of "
        f"{largest.run}, {value} in {n}, with the 95 % interval in brackets ({sure})."
    )


def _failures(comparison: Comparison) -> Iterator[Block]:
    if comparison.failures:
        yield Table.of(
            list(comparison.failures.items()),
            "Cases that could not be segmented or compared.",
            "",
            Column("case (run)", lambda row: row[0], "text"),
            Column("reason", lambda row: row[1], "long"),
        )


def _differences(differences: pd.DataFrame) -> Iterator[Block]:
    if len(differences):
        yield Table.of(
            differences,
            "Differences from the reference, over the cases that both runs held out. p is "
            "corrected for the runs that are compared in the same measure.",
            "differences",
            Column("measure", lambda row: _words(row.measure), "text"),
            columns.words("run", "run"),
            columns.words("reference", "reference"),
            columns.count("patients", "patients"),
            columns.count("cases", "cases"),
            columns.number("value", "value", 3),
            columns.number("reference's", "reference_value", 3),
            columns.interval("difference (95 %)", "difference", "low", "high", 3),
            columns.p("p"),
            columns.p("p (Holm)", "p_holm"),
        )


def _runs(runs: pd.DataFrame) -> Iterator[Block]:
    estimates = [
        columns.interval(f"{_words(str(name))} (95 %)", str(name), f"{name}_low", f"{name}_high", 3)
        for name in runs
        if f"{name}_low" in runs
    ]
    yield Table.of(
        runs,
        "What each run is, and how good it is on all the patients whom it held out. These may be "
        "others for each run.",
        "runs",
        columns.words("run", "run"),
        columns.words("task", "task"),
        columns.words("architecture", "architecture"),
        columns.words("encoder starts from", "encoder_weights"),
        columns.number("patients trained on", "training_patients", 0),
        Column("parameters", lambda row: f"{row.parameters:,}"),
        columns.number("minutes of training", "training_minutes", 1),
        columns.number("seconds per case", "seconds_per_case", 1),
        columns.count("patients", "patients"),
        columns.count("failed", "failed"),
        *estimates,
    )


def _words(measure: str) -> str:
    score, _, unit = measure.rpartition("_")
    if score in SCORES:
        return f"{SCORES[score]} ({unit})"
    return _MEASURES.get(measure) or measure.replace("_", " ")


def _epochs(epochs: pd.DataFrame) -> Iterator[Block]:
    if len(epochs):
        yield Table.of(
            epochs,
            "After how many epochs a run is as good as the reference is in the end, and the "
            "reverse, by the mean Dice on the inner splits that both have.",
            "epochs",
            columns.words("run", "run"),
            columns.words("reference", "reference"),
            columns.count("networks", "networks"),
            columns.count("epochs", "epochs"),
            columns.count("reference's", "reference_epochs"),
            columns.number("Dice", "inner_dice", 3),
            columns.number("reference's", "reference_inner_dice", 3),
            columns.count("epochs until the reference's Dice", "epochs_to_reference"),
            columns.count("reference's until the run's", "reference_epochs_to_run"),
        )


def _methods(comparison: Comparison, surface_tolerance: float) -> Section:
    unit = "mm or pixels, as the spacing is known or not,"
    paragraphs = [
        "Each run segmented the patients whom it held out, each by networks that were not trained "
        f"on them. {DICE}",
        DISTANCES.format(tolerance=surface_tolerance, unit=unit),
        "Differences are those of cases that both runs held out. Of scores of masks they are "
        "averaged within each patient; the interval is that of a bootstrap of patients, and p that "
        "of a permutation test that flips their signs. Differences in AUC, their intervals and "
        "their p are Obuchowski's. p is corrected by Holm's method for the runs that are compared "
        "in a measure.",
        CLUSTERED,
    ]
    opening = (
        f"{counted(len(comparison.runs), 'training run')} were compared with lggshape "
        f"{version('lggshape')}: {', '.join(comparison.results)}."
    )
    return methods_section(opening, paragraphs, [*REFERENCES, _HOLM])


def _limits() -> Section:
    points = [
        "A run is one training with one seed. Intervals and p are about other patients, and not "
        "about other trainings with the same settings.",
        "The cases of a run's summary are those that it held out. Only the differences compare "
        "runs on the same cases.",
        "The references are taken as right. Two people who outline the same tumour differ, too.",
        "p is corrected within a measure, and not over all measures together.",
    ]
    return Section("limits", "Limits", [Points(points)])
