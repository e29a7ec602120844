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
from lggshape.report.page import Page, write_page
from lggshape.studies.ucsf.cohorts import ALONE, GIVEN, SOMERS_D
from lggshape.studies.ucsf.cohorts_figure import cohorts_figure
from lggshape.studies.ucsf.conclusions import conclusion

_FEATURE, _LABEL, _N = columns.feature(), columns.words("label", "label"), columns.count("n", "n")
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
        The hypotheses, tested with and without covariates.
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
        Page(study.family.title, "lggshape · another hospital", sections), folder / "report.html"
    )


def _protocol(tables: Mapping[str, pd.DataFrame]) -> Section:
    blocks = [
        Text(
            f"{conclusion(tables['conclusions'])} BEVR, MF and ASD are not in the table of "
            "features: nothing is shown for or against them."
        ),
        Table.of(
            tables["conclusions"],
            "The tests that decide by the protocol, given volume and age. The primary hypothesis "
            "is not corrected; the nine secondary ones are, by Holm's method.",
            "conclusions",
            columns.words("role", "role"), _FEATURE, _LABEL, _N, columns.count("events", "events"),
            columns.p("p"), columns.p("Holm", "p_holm"), _NAME, _EFFECT,
        ),
    ]  # fmt: skip
    return Section("protocol", "What the protocol concludes", blocks)


def _cohorts(tables: Mapping[str, pd.DataFrame], gallery: Gallery) -> Section:
    described = tables["cohorts"]
    measure = columns.words("measure", "measure")
    blocks = [
        Text(
            "This is a description, without tests. 55 patients are in both TCGA cohorts, so these "
            "cohorts do not confirm each other. The files of the 110 patients record no distances: "
            "6 mm between slices are assumed in the figures; the table also has 4 and 8 mm. If one "
            "cohort's interval excludes 0 and another's contains it, that does not show that the "
            "cohorts differ; the table of differences does."
        ),
        gallery.keep(
            cohorts_figure(described, SOMERS_D),
            "Somers' d of IDH and each feature in every cohort, with 95 % intervals",
            "cohorts",
        ),
        gallery.keep(
            cohorts_figure(described, ALONE, GIVEN),
            "rank correlation of IDH and each feature in every cohort, without covariates and "
            "given age and volume",
            "cohorts-given",
        ),
        Table.of(
            described, "The effects of IDH. Below 0, the feature is lower in wild type.", "cohorts",
            *_WHO, _FEATURE, measure, columns.words("given", "covariates"), _N,
            Column("wild type", lambda row: str(row.wild_type)), _EFFECT,
        ),
        Table.of(
            tables["cohort_differences"],
            "Effects in UCSF-PDGM less those in another cohort.", "cohort_differences",
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
    return Section("cohorts", "The same in three cohorts", blocks)


def _populations(tables: Mapping[str, pd.DataFrame]) -> Section:
    table = Table.of(
        tables["sensitivity_populations"],
        "The hypotheses with and without covariates, without some of the patients. A hypothesis "
        "from which an analysis takes no patient is left out of it. No p is corrected.",
        "sensitivity_populations",
        columns.words("patients", "analysis"), _FEATURE, _LABEL,
        columns.words("given", "covariates"), _N, columns.p("p"), _NAME, _EFFECT,
    )  # fmt: skip
    return Section("populations", "Without some of the patients", [table])
