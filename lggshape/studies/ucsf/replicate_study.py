"""The whole study, from the tables as they were downloaded and two sets of masks to the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lggshape.association import Family, Study, associate, read_family
from lggshape.checks import check_seed
from lggshape.files import StrPath, write_json, write_table
from lggshape.labels import Labels, LabelSource, as_labels
from lggshape.progress import OnProgress
from lggshape.provenance import code_hash, recorded
from lggshape.results import results_folder
from lggshape.studies.given_folders import checked_folders, recorded_inputs
from lggshape.studies.ucsf.cohorts import (
    FEATURE_TABLE,
    FOLDERS,
    METADATA,
    OutlinedCohort,
    describe,
    difference_table,
    three_cohorts,
)
from lggshape.studies.ucsf.conclusions import conclusion, conclusions_table
from lggshape.studies.ucsf.populations import COVARIATES, in_populations
from lggshape.studies.ucsf.report import write_hospital_report
from lggshape.studies.ucsf.stand_ins import stand_in_table

HYPOTHESES = Path(__file__).with_name("ucsf.toml")
GRADE = "WHO CNS Grade"


@dataclass(frozen=True)
class HospitalResults:
    """What came of the study.

    Attributes
    ----------
    folder : Path
        Where the results lie.
    tables : dict of str to DataFrame
        Every table by its name, as in the folder.
    failures : dict of str to str
        Empty: a mask that cannot be measured ends the study.
    """

    folder: Path
    tables: dict[str, pd.DataFrame]
    failures: dict[str, str]

    @property
    def report(self) -> Path:
        """The report, an HTML file that stands alone."""
        return self.folder / "report.html"

    def summary(self) -> str:
        """Return what the protocol concludes about the primary hypothesis."""
        return conclusion(self.tables["conclusions"])


def replicate(
    dataset: StrPath,
    labels: Labels | LabelSource,
    out: StrPath,
    *,
    masks: StrPath | None = None,
    protocol: StrPath | None = None,
    seed: int = 0,
    jobs: int | None = None,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
) -> HospitalResults:
    """Test the hypotheses of the protocol, and describe the three cohorts.

    Parameters
    ----------
    dataset : str or Path
        A folder with three folders in it (or links to them): `ucsf_pdgm`, the table of features and
        the metadata as they were downloaded; `brats_tcga_masks`, with `masks` and `clinical.csv`;
        and `manual`, the cases of TCGA-LGG with manual masks.
    labels : Labels, or what `read_labels` takes
        Labels of the patients of TCGA-LGG: IDH, grade and age.
    out : str or Path
        Folder for the results.
    masks : str or Path
        The automatic masks of TCGA-LGG, as from `lggshape segment`.
    protocol : str or Path, optional
        What was written down before; `run.json` keeps its hash.
    seed : int
        Seed of the permutations.
    jobs : int, optional
        Number of processes; all cores by default.
    overwrite : bool
        Whether to replace the results of an earlier run.
    on_progress : callable, optional
        Called with a `Progress` after each unit of work.

    Returns
    -------
    HospitalResults

    Raises
    ------
    InputError
        If there are no automatic masks, `dataset` lacks one of its folders, a mask cannot be
        measured, or a label is missing.
    """
    check_seed(seed)
    places = checked_folders([Path(dataset) / name for name in FOLDERS], masks)
    known, family = as_labels(labels), read_family(HYPOTHESES)
    inputs = [*recorded_inputs(places, known, protocol), HYPOTHESES]
    options = {"study": "ucsf", "seed": seed, "adjust": ",".join(COVARIATES)}
    with (
        results_folder(out, overwrite=overwrite, inputs=inputs) as folder,
        recorded(
            folder / "run.json", command="replicate", options=options, inputs=inputs
        ) as record,
    ):
        metadata = as_labels(places[0] / METADATA)
        settings: dict[str, Any] = {"jobs": jobs, "on_progress": on_progress}
        study = associate(
            places[0] / FEATURE_TABLE, metadata, family, adjust=COVARIATES, seed=seed, **settings
        )
        cohorts = list(
            three_cohorts(Path(dataset), places[-1], known, _idh_values(family), **settings)
        )
        further = _further_tables(study, cohorts, places[0], metadata, seed=seed, **settings)
        tables = {**study.tables(), **further}
        for name, table in tables.items():
            write_table(folder / f"{name}.csv", table)
        write_json(folder / "results.json", study.to_dict())
        write_hospital_report(study, further, folder, inputs=record.inputs, options=options)
        record.details["code"] = code_hash()
    return HospitalResults(Path(out), tables, {})


def _further_tables(
    study: Study,
    cohorts: Sequence[OutlinedCohort],
    ucsf: Path,
    metadata: Labels,
    **settings: Any,
) -> dict[str, pd.DataFrame]:
    """Return the tables that the association command does not write."""
    given = [*COVARIATES, GRADE]
    with_grade = associate(ucsf / FEATURE_TABLE, metadata, study.family, adjust=given, **settings)
    assert with_grade.given is not None  # there are covariates
    described = describe(cohorts)
    return {
        "conclusions": conclusions_table(study),
        "adjusted_with_grade": with_grade.given.adjusted,
        "sensitivity_populations": in_populations(
            study, ucsf / FEATURE_TABLE, metadata, seed=settings["seed"]
        ),
        "cohorts": described,
        "cohort_differences": difference_table(described),
        "stand_ins": stand_in_table(cohorts),
    }


def _idh_values(family: Family) -> Mapping[str, Sequence[str]]:
    """Return the values of the metadata that are mutant and wild type."""
    levels = next(one.levels for one in family.labels if one.name == "IDH")
    assert isinstance(levels, Mapping)  # ucsf.toml merges values
    return levels
