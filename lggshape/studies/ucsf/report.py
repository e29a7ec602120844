"""The report of the study: its own sections before those of any table of associations."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lggshape.association import Study
from lggshape.association.feature_table import feature_symbol
from lggshape.provenance import InputFile
from lggshape.report import columns
from lggshape.report.blocks import Column, Section, Table, Text
from lggshape.report.document import study_sections
from lggshape.report.gallery import Gallery
from lggshape.report.page import Page, made_by, write_page
from lggshape.report.wording import p_text
from lggshape.studies.ucsf.cohorts_figure import cohorts_figure
from lggshape.studies.ucsf.conclusions import PRIMARY, conclusion

_FEATURE, _LABEL, _N = columns.feature(), columns.label(), columns.count("n", "n")
_EFFECT = columns.interval("effect (95 %)", "effect", "effect_low", "effect_high")
_NAME = columns.words("effect", "effect_name")
_WHO = (
    columns.words("cohort", "cohort"), columns.words("outlines", "outlines"),
    columns.count("mm between slices", "slice_distance"), columns.words("patients", "patients"),
)  # fmt: skip


def write_hospital_report(
    study: Study,
    tables: Mapping[str, pd.DataFrame],
    folder: Path,
    *,
    inputs: Sequence[InputFile] = (),
    options: Mapping[str, Any] | None = None,
) -> None:
    """Write `report.html` and, beside it, every figure as PNG and SVG.

    Parameters
    ----------
    study : Study
        The hypotheses, tested unadjusted and adjusted.
    tables : mapping of str to DataFrame
        The further tables of the study by name.
    folder : Path
        Folder of a run that is being written.
    inputs, options
        As for the report of any study.
    """
    gallery = Gallery(folder)
    sections = [
        _protocol(tables),
        _cohorts(tables, gallery),
        _populations(tables),
        *study_sections(study, gallery, inputs=inputs, options=options),
    ]
    write_page(
        Page(study.family.title, "lggshape · another hospital", sections, made_by()),
        folder / "report.html",
    )


def _protocol(tables: Mapping[str, pd.DataFrame]) -> Section:
    blocks = [
        Text(
            f"{conclusion(tables['conclusions'])} This is the primary hypothesis. BEVR, MF and "
            "ASD are not in the table of features: nothing is shown for or against them."
        ),
        Table.of(
            tables["conclusions"],
            "The ten hypotheses, adjusted for volume and age. The primary one needs no correction; "
            "the p-values of the nine secondary ones are corrected together by Holm's method. A "
            "hazard ratio is for one standard deviation (SD) more of the feature.",
            "conclusions",
            columns.words("role", "role"), _FEATURE, _LABEL, _N, columns.count("events", "events"),
            columns.p("p"), Column("p after Holm", _corrected), _NAME, _EFFECT,
        ),
    ]  # fmt: skip
    return Section(
        "protocol", "The main results, adjusted for volume and age", blocks, "Main results"
    )


def _cohorts(tables: Mapping[str, pd.DataFrame], gallery: Gallery) -> Section:
    described = tables["cohorts"]
    measure = columns.words("measure", "measure")
    blocks = [
        Text(
            "This is a description, without tests. The two TCGA cohorts share 55 patients, so "
            "neither confirms the other. The files of the 110 patients do not record the distance "
            "between slices: the figure assumes 6 mm, and the table also has 4 and 8 mm. To see "
            "whether two cohorts differ, do not compare their intervals; use the table of "
            "differences."
        ),
        gallery.keep(
            cohorts_figure(described),
            "Rank correlation of each feature with IDH in every cohort, adjusted and unadjusted, "
            "with 95 % intervals",
            "cohorts",
        ),
        Table.of(
            described,
            "The association of each feature with IDH. Below 0, the feature is lower in wild type.",
            "cohorts",
            *_WHO, _FEATURE, measure, columns.words("adjusted for", "covariates"), _N,
            Column("wild type", lambda row: str(row.wild_type)), _EFFECT,
        ),
        Table.of(
            tables["cohort_differences"],
            "Effects at UCSF minus those in each other cohort.", "cohort_differences",
            *_WHO, _FEATURE, measure,
            columns.interval("difference (95 %)", "difference", "low", "high"),
        ),
        Table.of(
            tables["stand_ins"],
            "Rank correlations of features that UCSF-PDGM has with those that it lacks, in the "
            "cohorts of TCGA.", "stand_ins",
            *_WHO[:2], _FEATURE, Column("with", lambda row: feature_symbol(row.absent), "text"),
            _N, columns.interval("rank correlation (95 %)", "rho", "rho_low", "rho_high"),
        ),
    ]  # fmt: skip
    return Section("cohorts", "Tumour shape and IDH in three cohorts", blocks, "Three cohorts")


def _populations(tables: Mapping[str, pd.DataFrame]) -> Section:
    table = Table.of(
        tables["sensitivity_populations"],
        "The hypotheses, unadjusted and adjusted, when some of the patients are left out. An "
        "analysis shows only the hypotheses that lose patients by it. No p is corrected.",
        "sensitivity_populations",
        columns.words("patients", "analysis"), _FEATURE, _LABEL,
        columns.words("adjusted for", "covariates"), _N, columns.p("p"), _NAME, _EFFECT,
    )  # fmt: skip
    return Section(
        "populations", "When some of the patients are left out", [table], "Fewer patients"
    )


def _corrected(row: Any) -> str:
    """Return the corrected p of a secondary hypothesis; the primary one has none."""
    return "—" if row.role == PRIMARY else p_text(row.p_holm)
