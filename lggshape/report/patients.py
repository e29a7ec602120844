"""Who was studied, who is missing, and whether those who are missing differ."""

from collections.abc import Iterator

from lggshape.association import Study
from lggshape.report import columns
from lggshape.report.blocks import Block, Flow, FlowStep, Points, Section, Table, Text
from lggshape.report.selection import for_each_kind, of_masks
from lggshape.report.wording import first_patients


def patients(study: Study) -> Section:
    """Return the section on the data and what is missing of them."""

    def of(masks: str) -> Iterator[Block]:
        yield Flow(_steps(study, masks))
        yield Table.of(
            of_masks(study.patients, masks),
            "Patients of each hypothesis. The AUC compares the feature of patients without the "
            "label with that of the others. Above 0.50, those without it have larger or more "
            "irregular shapes (for other columns: higher values). An interval that excludes 0.50 "
            "suggests a difference (not corrected for the number of rows). Groups of fewer than "
            "five patients are not compared.",
            "patients",
            columns.feature(),
            columns.label(),
            columns.count("n", "n"),
            columns.count("lack only the label", "label_missing"),
            columns.count("lack only the feature", "feature_missing"),
            columns.count("lack both", "both_missing"),
            columns.count("on a cut-point", "on_cut"),
            columns.count("empty bins", "empty_bins"),
            columns.interval(
                "AUC, without the label against with it (95 %)", "auc", "auc_low", "auc_high"
            ),
        )
        yield Text(
            "A value on a cut-point belongs to the lower bin. If many values are equal to a "
            "cut-point, bins are uneven or empty.",
            "note",
        )

    blocks = for_each_kind(study, of)
    blocks.append(Flow(_steps(study, "")))
    if notes := study.match.labels.notes:
        blocks += [Text("What was done to the label tables on reading:"), Points(notes)]
    if not study.left_out.empty:
        left_out = Table.of(
            study.left_out,
            "What was not tested, and why.",
            "left_out",
            columns.words("what", "what"),
            columns.words("name", "name"),
            columns.words("reason", "reason")._replace(kind="long"),
        )
        blocks.append(left_out)
    return Section("data", "The data, and what is missing", blocks, "Data")


def _steps(study: Study, masks: str) -> list[FlowStep]:
    steps = of_masks(study.flow, masks)[["patients", "step", "which"]]
    rows = steps.itertuples(index=False, name=None)
    return [FlowStep(number, step, first_patients(which)) for number, step, which in rows]
