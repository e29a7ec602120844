"""Shape against IDH in three cohorts side by side: a description, with no test and no verdict."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from lggshape.association import Family, Hypothesis, associate
from lggshape.association.adjusted_models import ADJUSTED, SAME_PATIENTS
from lggshape.association.feature_table import FeatureSource
from lggshape.errors import InputError
from lggshape.labels import LabelDefinition, Labels, LabelSource
from lggshape.readers import open_cases
from lggshape.shape import Conventions, feature_table

FEATURES = ("sphericity", "elongation", "flatness", "volume")
LOWER, ALL = "grade 2 and 3", "all grades"
MUTANT, WILD_TYPE = "mutant", "wild type"

SOMERS_D = "Somers' d"
ALONE, GIVEN = "rank correlation", "partial rank correlation"
"""Somers' d is 2 AUC - 1. The rank correlations are of the patients who have volume and age."""

UCSF, BRATS, MANUAL, AUTOMATIC = "UCSF-PDGM", "BraTS group", "manual", "automatic"
"""The outlines, by the column `outlines`."""

ASSUMED = 6.0
"""Distance of slices in mm that the figure assumes where files record none."""
BESIDE = (4.0, 8.0)
PIXEL = 240 / 256

TUMOUR = (1, 2, 4)
"""The values of the BraTS group's masks that are the whole tumour."""


class Cohort(NamedTuple):
    """Patients whose tumours were outlined in one way.

    Attributes
    ----------
    name, outlines : str
        The patients, and who outlined their tumours.
    slice_distance : float
        Distance of the slices in mm.
    features : FeatureSource
        Their features, of the whole mask.
    labels : Labels, or what `read_labels` takes
        Their labels.
    idh : mapping of str to sequence of str
        The values of the column of IDH that are mutant and wild type.
    idh_column, grade, age : str
        The columns of the labels.
    lower_grades : sequence of str
        The values of `grade` that are grade 2 and 3.
    all_grades : bool
        Whether grade 4 is among the patients, so that all of them are described as well.
    """

    name: str
    outlines: str
    slice_distance: float
    features: FeatureSource
    labels: Labels | LabelSource
    idh: Mapping[str, Sequence[str]]
    idh_column: str
    grade: str
    age: str
    lower_grades: Sequence[str]
    all_grades: bool


def three_cohorts(
    data: Path, automatic: Path, idh: Mapping[str, Sequence[str]], *, jobs: int | None = None
) -> Iterator[Cohort]:
    """Yield the cohorts of the protocol, those that assume another distance of slices last.

    Parameters
    ----------
    data : Path
        The folder with the data sets, each as it was downloaded.
    automatic : Path
        Masks of the patients of TCGA-LGG that `lggshape segment` wrote.
    idh : mapping of str to sequence of str
        The values of the metadata of UCSF-PDGM that are mutant and wild type.
    jobs : int, optional
        Number of processes; all cores by default.

    Raises
    ------
    InputError
        If masks cannot be read.
    """
    ucsf, brats, tcga = (
        data / name for name in ("external/ucsf_pdgm", "external/brats_tcga_masks", "tcga_lgg")
    )
    by_status = {MUTANT: ["Mutant"], WILD_TYPE: ["WT"]}
    yield Cohort(
        "UCSF-PDGM", UCSF, 1.0, ucsf / "radiomic_features_T1gad_bias.csv",
        ucsf / "UCSF-PDGM-metadata_v2.csv", idh, "IDH", "WHO CNS Grade", "Age at MRI", ("2", "3"),
        all_grades=True,
    )  # fmt: skip
    yield Cohort(
        "TCGA", BRATS, 1.0, _measured(brats / "masks", jobs, mask_values=TUMOUR),
        brats / "clinical.csv", by_status, "IDH_status", "Grade", "Age_years_at_diagnosis",
        ("G2", "G3"), all_grades=True,
    )  # fmt: skip
    masks = {MANUAL: data / "lgg-mri-segmentation" / "kaggle_3m", AUTOMATIC: automatic}
    for distance in (ASSUMED, *BESIDE):
        for outlines, folder in masks.items():
            features = _measured(folder, jobs, spacing=(distance, PIXEL, PIXEL))
            yield Cohort(
                "TCGA-LGG", outlines, distance, features,
                [tcga / "idh_1p19q.csv", tcga / "clinical.csv"], by_status, "IDH_status_2016",
                "neoplasm_histologic_grade", "age_at_initial_pathologic_diagnosis",
                ("grade II", "grade III"), all_grades=False,
            )  # fmt: skip


def _measured(folder: Path, jobs: int | None, **reading: Any) -> pd.DataFrame:
    """Return the features of the whole masks of a folder."""
    cases = open_cases(folder, masks_only=True, **reading)
    found = feature_table(cases, conventions=Conventions(component="all"), jobs=jobs)
    if found.failures:
        case, reason = next(iter(found.failures.items()))
        msg = f"Expected every mask of {folder} to be measured, found for {case}: {reason}"
        raise InputError(msg)
    return found.table


def describe(cohorts: Iterable[Cohort]) -> pd.DataFrame:
    """Return the effects of IDH on the features of cohorts.

    Parameters
    ----------
    cohorts : iterable of Cohort
        The cohorts.

    Returns
    -------
    DataFrame
        A row per cohort, group of patients, feature and measure: `cohort`, `outlines`,
        `slice_distance`, `patients`, `feature`, `measure`, `covariates`, `n`, `mutant` and
        `wild_type` (patients with the feature), `effect`, `effect_low` and `effect_high`. Effects
        are below 0 if the feature is lower in wild type.
    """
    return pd.DataFrame([row for cohort in cohorts for row in _rows(cohort)])


def _rows(cohort: Cohort) -> Iterator[dict[str, Any]]:
    family = _family(cohort)
    adjust = ["features:volume", cohort.age]
    study = associate(cohort.features, cohort.labels, family, adjust=adjust, match_ids="loose")
    assert study.given is not None  # there are covariates
    models = study.given.adjusted
    of_model = {
        ALONE: models[models["model"] == SAME_PATIENTS],
        GIVEN: models[models["model"] == ADJUSTED],
    }
    tables = {SOMERS_D: study.associations.assign(covariates="")} | of_model
    for hypothesis in family.hypotheses:
        chosen = {
            measure: table[
                (table["feature"] == hypothesis.feature) & (table["label"] == hypothesis.label)
            ].iloc[0]
            for measure, table in tables.items()
        }
        levels = dict(part.rsplit(": ", 1) for part in chosen[SOMERS_D]["n_per_level"].split("; "))
        for measure, row in chosen.items():
            yield {
                "cohort": cohort.name,
                "outlines": cohort.outlines,
                "slice_distance": cohort.slice_distance,
                "patients": hypothesis.label,
                "feature": hypothesis.feature,
                "measure": measure,
                "covariates": row["covariates"].replace("features:", ""),
                "n": row["n"],
                "mutant": levels[MUTANT],
                "wild_type": levels[WILD_TYPE],
                **{end: row[end] for end in ("effect", "effect_low", "effect_high")},
            }


def _family(cohort: Cohort) -> Family:
    """Return the features against IDH, in grade 2 and 3 and in all grades if there are others."""
    everyone = LabelDefinition(ALL, cohort.idh_column, kind="ordinal", levels=cohort.idh)
    lower = LabelDefinition(LOWER, ALL, where={cohort.grade: list(cohort.lower_grades)})
    asked = (LOWER, ALL) if cohort.all_grades else (LOWER,)
    return Family(
        name="cohorts",
        title="Shape and IDH in three cohorts",
        hypotheses=tuple(Hypothesis(feature, label) for label in asked for feature in FEATURES),
        labels=(everyone, lower),
    )
