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
from lggshape.progress import OnProgress
from lggshape.readers import CaseSource, open_cases
from lggshape.shape import Conventions, feature_table
from lggshape.statistics import Effect, difference_of_estimates
from lggshape.studies.second_outlines.compare_outlines import TUMOUR

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

FOLDERS = ("ucsf_pdgm", "brats_tcga_masks", MANUAL)
FEATURE_TABLE, METADATA = "radiomic_features_T1gad_bias.csv", "UCSF-PDGM-metadata_v2.csv"

_WHOLE, _USUAL = Conventions(component="all"), Conventions()
_ENDS = ("effect", "effect_low", "effect_high")


class OutlinedCohort(NamedTuple):
    """Patients whose tumours were outlined in one way.

    Attributes
    ----------
    name, outlines : str
        The patients, and who outlined their tumours.
    slice_distance : float
        Distance of the slices in mm.
    features : FeatureSource
        Their features, of the whole mask.
    usual : DataFrame, optional
        Their features by the usual conventions, those of the replication.
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
    usual: pd.DataFrame | None
    labels: Labels | LabelSource
    idh: Mapping[str, Sequence[str]]
    idh_column: str
    grade: str
    age: str
    lower_grades: Sequence[str]
    all_grades: bool


def three_cohorts(
    dataset: Path,
    automatic: Path,
    labels: Labels | LabelSource,
    idh: Mapping[str, Sequence[str]],
    *,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> Iterator[OutlinedCohort]:
    """Yield the cohorts of the protocol, those that assume another distance of slices last.

    Parameters
    ----------
    dataset : Path
        A folder with those named in `FOLDERS`.
    automatic : Path
        Masks of the patients of TCGA-LGG that `lggshape segment` wrote.
    labels : Labels, or what `read_labels` takes
        Labels of the patients of TCGA-LGG.
    idh : mapping of str to sequence of str
        The values of the metadata of UCSF-PDGM that are mutant and wild type.
    jobs : int, optional
        Number of processes; all cores by default.
    on_progress : callable, optional
        Called with a `Progress` after each mask.

    Raises
    ------
    InputError
        If masks cannot be read.
    """
    ucsf, brats, manual = (dataset / name for name in FOLDERS)
    settings: dict[str, Any] = {"jobs": jobs, "on_progress": on_progress}
    by_status = {MUTANT: ["Mutant"], WILD_TYPE: ["WT"]}
    yield OutlinedCohort(
        "UCSF-PDGM", UCSF, 1.0, ucsf / FEATURE_TABLE, None, ucsf / METADATA, idh, "IDH",
        "WHO CNS Grade", "Age at MRI", ("2", "3"), all_grades=True,
    )  # fmt: skip
    cases = open_cases(brats / "masks", masks_only=True, mask_values=TUMOUR)
    yield OutlinedCohort(
        "TCGA", BRATS, 1.0, _measured(cases, _WHOLE, **settings),
        _measured(cases, _USUAL, **settings), brats / "clinical.csv", by_status, "IDH_status",
        "Grade", "Age_years_at_diagnosis", ("G2", "G3"), all_grades=True,
    )  # fmt: skip
    for distance in (ASSUMED, *BESIDE):
        for outlines, folder in ((MANUAL, manual), (AUTOMATIC, automatic)):
            cases = open_cases(folder, masks_only=True, spacing=(distance, PIXEL, PIXEL))
            usual = None
            if distance == ASSUMED:
                unscaled = open_cases(folder, masks_only=True)
                usual = _measured(unscaled, _USUAL, **settings)
            yield OutlinedCohort(
                "TCGA-LGG", outlines, distance, _measured(cases, _WHOLE, **settings),
                usual, labels, by_status, "IDH_status_2016", "neoplasm_histologic_grade",
                "age_at_initial_pathologic_diagnosis", ("grade II", "grade III"), all_grades=False,
            )  # fmt: skip


def _measured(
    cases: Sequence[CaseSource], conventions: Conventions, **settings: Any
) -> pd.DataFrame:
    found = feature_table(cases, conventions=conventions, **settings)
    if found.failures:
        case, reason = next(iter(found.failures.items()))
        msg = f"Expected every mask to be measured, found for {case}: {reason}"
        raise InputError(msg)
    return found.table


def describe(cohorts: Iterable[OutlinedCohort]) -> pd.DataFrame:
    """Return the effects of IDH on the features of cohorts.

    Parameters
    ----------
    cohorts : iterable of OutlinedCohort
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


def _rows(cohort: OutlinedCohort) -> Iterator[dict[str, Any]]:
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
                **{end: row[end] for end in _ENDS},
            }


def _family(cohort: OutlinedCohort) -> Family:
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


def difference_table(described: pd.DataFrame) -> pd.DataFrame:
    """Return the effects of UCSF-PDGM less those of the other cohorts, which are other patients.

    Parameters
    ----------
    described : DataFrame
        As from `describe`.

    Returns
    -------
    DataFrame
        A row per row of another cohort: its `cohort`, `outlines`, `slice_distance`, `patients`,
        `feature` and `measure`, and the `difference` with `low` and `high`.
    """
    key = ["patients", "feature", "measure"]
    here = described[described["outlines"] == UCSF].set_index(key)
    rows = []
    for _, there in described[described["outlines"] != UCSF].iterrows():
        found = difference_of_estimates(_effect(here.loc[tuple(there[key])]), _effect(there))
        columns = ["cohort", "outlines", "slice_distance", *key]
        rows.append(
            {**there[columns], "difference": found.estimate, "low": found.low, "high": found.high}
        )
    return pd.DataFrame(rows)


def _effect(row: "pd.Series[Any]") -> Effect:
    return Effect(*(float(row[end]) for end in _ENDS))
