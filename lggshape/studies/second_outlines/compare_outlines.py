"""The whole comparison, from three sets of outlines and label tables to the report."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lggshape.association import Family, read_study_family
from lggshape.checks import check_seed
from lggshape.files import StrPath, write_table
from lggshape.labels import Labels, LabelSource, as_labels
from lggshape.progress import OnProgress
from lggshape.provenance import code_hash, recorded
from lggshape.readers import CaseSource, open_cases
from lggshape.results import results_folder
from lggshape.shape import feature_table
from lggshape.studies.buda2019.names import AUTOMATIC, MANUAL
from lggshape.studies.given_folders import checked_folders, recorded_inputs
from lggshape.studies.second_outlines.agreement import (
    contrast_table,
    influence_table,
    limits_table,
    medians_table,
    reliability_table,
)
from lggshape.studies.second_outlines.associations import associations, difference_table
from lggshape.studies.second_outlines.explanations import (
    disagreement_table,
    explanation_table,
    overlap_table,
)
from lggshape.studies.second_outlines.measure import Trio, measure_all, trios
from lggshape.studies.second_outlines.names import COMPARED, OUTLINES, RESAMPLES, SECOND
from lggshape.studies.second_outlines.report import write_outline_report

FAMILY = "buda2019"
TUMOUR = (1, 2, 4)
"""The values of the second group's masks that are the whole tumour."""


@dataclass(frozen=True)
class OutlineResults:
    """What came of the comparison.

    Attributes
    ----------
    folder : Path
        Where the results lie.
    tables : dict of str to DataFrame
        Every table by its name, as in the folder.
    failures : dict of str to str
        The masks that could not be measured, with the reason.
    """

    folder: Path
    tables: dict[str, pd.DataFrame]
    failures: dict[str, str]

    @property
    def report(self) -> Path:
        """The report, an HTML file that stands alone."""
        return self.folder / "report.html"

    def summary(self) -> str:
        """Return ICC(A,1) of each feature and pair of outlines."""
        table = self.tables["reliability"]
        table = table[table["measure"] == "ICC(A,1)"]
        return "\n".join(
            f"{row.feature}, {row.first} with {row.second}: ICC {row.estimate:.2f} "
            f"({row.low:.2f} to {row.high:.2f}), n = {row.n}"
            for row in table.itertuples()
        )


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
    number: int = RESAMPLES,
) -> OutlineResults:
    """Compare the features, and their associations, of three outlines of the same patients.

    Parameters
    ----------
    dataset : str or Path
        A folder with two folders in it (or links to them): `manual`, the cases with the masks of
        the first group, and `second`, the masks of the second group, with the values 1, 2 and 4.
    labels : Labels, or what `read_labels` takes
        Label tables with a row per patient.
    out : str or Path
        Folder for the results.
    masks : str or Path
        The automatic masks, as from `lggshape segment`.
    protocol : str or Path, optional
        What was written down before; `run.json` keeps its hash.
    seed : int
        Seed of all random numbers.
    jobs : int, optional
        Number of processes; all cores by default.
    overwrite : bool
        Whether to replace the results of an earlier run.
    on_progress : callable, optional
        Called with a `Progress` after each unit of work.
    number : int
        Bootstrap samples behind every interval.

    Returns
    -------
    OutlineResults

    Raises
    ------
    InputError
        If there are no automatic masks, `dataset` lacks one of its folders, nobody has all three
        outlines, or a label is missing.
    """
    check_seed(seed)
    names = (MANUAL, SECOND)
    folders = checked_folders([Path(dataset) / name for name in names], masks)
    places = dict(zip((*names, AUTOMATIC), folders, strict=True))
    known, family = as_labels(labels), read_study_family(FAMILY)
    inputs = recorded_inputs([places[one] for one in OUTLINES], known, protocol)
    with (
        results_folder(out, overwrite=overwrite, inputs=inputs) as folder,
        recorded(
            folder / "run.json", command="replicate",
            options={"study": "second_outlines", "seed": seed, "bootstrap": number}, inputs=inputs,
        ) as record,
    ):  # fmt: skip
        sources = _sources(places)
        patients = trios(*sources)
        features, failures = _primary_features(patients, jobs, on_progress)
        tables = _tables(
            patients, features, known, family, {"number": number, "seed": seed},
            jobs=jobs, on_progress=on_progress,
        )  # fmt: skip
        for name, table in tables.items():
            write_table(folder / f"{name}.csv", table)
        write_outline_report(tables, folder)
        record.details["failed"] = len(failures)
        record.details["code"] = code_hash()
    return OutlineResults(Path(out), tables, failures)


def _tables(
    patients: Sequence[Trio],
    features: pd.DataFrame,
    labels: Labels,
    family: Family,
    settings: dict[str, int],
    *,
    jobs: int | None,
    on_progress: OnProgress | None,
) -> dict[str, pd.DataFrame]:
    measured = measure_all(patients, jobs=jobs, on_progress=on_progress)
    together = _with_all_outlines(features)
    tested = associations(together, labels, family, seed=settings["seed"])
    return {
        "features": features,
        "medians": medians_table(together, COMPARED),
        "reliability": reliability_table(together, COMPARED, **settings),
        "contrasts": contrast_table(together, COMPARED, **settings),
        "limits": limits_table(together, COMPARED),
        "influence": influence_table(together, COMPARED),
        "ways": measured.features,
        "grids": measured.grids,
        "explanations": explanation_table(measured, **settings),
        "overlaps": overlap_table(measured),
        "disagreement": disagreement_table(measured),
        "associations": tested.associations,
        "associations_by_ranks": tested.by_ranks,
        "effect_differences": difference_table(
            together, labels, family, **settings, on_progress=on_progress
        ),
    }


def _sources(places: dict[str, Path]) -> list[list[CaseSource]]:
    return [
        open_cases(places[MANUAL]),
        open_cases(places[AUTOMATIC], masks_only=True),
        open_cases(places[SECOND], masks_only=True, mask_values=TUMOUR),
    ]


def _primary_features(
    patients: Sequence[Trio],
    jobs: int | None,
    on_progress: OnProgress | None,
) -> tuple[pd.DataFrame, dict[str, str]]:
    parts: list[pd.DataFrame] = []
    failures: dict[str, str] = {}
    for place, masks in enumerate(OUTLINES):
        sources = [patient.sources[place] for patient in patients]
        found = feature_table(sources, masks=masks, jobs=jobs, on_progress=on_progress)
        parts.append(found.table)
        failures |= {f"{masks}: {case}": reason for case, reason in found.failures.items()}
    columns = ["case", "patient", "masks", *COMPARED, "volume", "slices", "components", "reason"]
    return pd.concat(parts, ignore_index=True)[columns], failures


def _with_all_outlines(features: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the patients who have every feature by every outline."""
    complete = features[features[list(COMPARED)].notna().all(axis=1)]
    counts = complete["patient"].value_counts()
    everywhere = counts[counts == len(OUTLINES)].index
    return complete[complete["patient"].isin(everywhere)].reset_index(drop=True)
