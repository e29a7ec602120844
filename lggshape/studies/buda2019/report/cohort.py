"""Who was studied, and how good the automatic masks of them are."""

from lggshape.figures.outlines import outline_panels
from lggshape.report import columns, wording
from lggshape.report.blocks import Section, Table, Text
from lggshape.studies.buda2019.names import AUTOMATIC, MANUAL
from lggshape.studies.buda2019.report.columns import MASKS, N
from lggshape.studies.buda2019.report.findings import Findings


def patients(findings: Findings) -> Section:
    """Return the section on the patients."""
    blocks = [
        Table.of(
            findings.tables["flow"],
            "From the patients of the data set to the patients of each test.", "flow",
            MASKS, columns.words("step", "step"), columns.count("patients", "patients"),
            columns.words("which", "which"),
        ),
        Table.of(
            findings.tables["cohort"],
            "The patients, as in Tables 1 and 2 of the paper. Values that one label table lacks "
            "are taken from another.", "cohort",
            columns.words("characteristic", "characteristic"), columns.words("level", "level"),
            columns.count("patients", "patients"), columns.number("value", "value", 1),
        ),
        Text(
            "The paper differs from these tables in three places. It counts 53 men in the text and "
            "32 in Table 1. It has 21 oligoastrocytomas of grade III in Table 2. Its average age "
            "of 47 is the median.",
            "note",
        ),
    ]  # fmt: skip
    return Section("patients", "Patients", blocks)


def masks(findings: Findings) -> Section:
    """Return the section on automatic masks against manual ones."""
    points = findings.tables["outlines"]
    panels = [
        (
            f"{patient}\nDice {wording.number_text(rows['dice'].iloc[0])}",
            {
                kind: [
                    part[["row", "column"]].to_numpy()
                    for _, part in rows[rows["masks"] == kind].groupby("part")
                ]
                for kind in (AUTOMATIC, MANUAL)
            },
        )
        for patient, rows in points.groupby("patient", sort=False)
    ]
    description = "Outlines of automatic and manual masks, from the lowest Dice to the highest"
    blocks = [
        Text(
            "The automatic mask of a patient comes from networks that were not trained on this "
            "patient, if the networks are those of this package. Distances are in the plane of the "
            "slice, and in pixels if the pixel size is unknown. The paper reports a "
            "Dice of 0.82 (mean) and 0.85 (median)."
        ),
        Table.of(
            findings.tables["evaluation"], "Automatic masks compared with manual masks.",
            "evaluation",
            columns.words("score", "score"), N,
            columns.interval("mean (95 %)", "mean", "mean_low", "mean_high"),
            columns.interval("median (95 %)", "median", "median_low", "median_high"),
        ),
        findings.gallery.keep(outline_panels(panels), description, "outlines"),
    ]  # fmt: skip
    return Section("masks", "Masks", blocks)
