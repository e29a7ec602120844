"""What the uncertainty of the masks does to features and conclusions."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.association import Family
from lggshape.labels import Labels
from lggshape.masks import dice
from lggshape.parallel import map_all
from lggshape.progress import OnProgress, counter
from lggshape.readers import CaseSource
from lggshape.shape import extract_features
from lggshape.studies.buda2019.analyses.masks import own_mask
from lggshape.studies.buda2019.analyses.perturbation import draw_mask, random_field
from lggshape.studies.buda2019.analyses.probabilities import (
    generator,
    read_probability,
    read_samples,
)
from lggshape.studies.buda2019.analyses.scatter import KEY, OTHER_COLUMNS, with_other_tests
from lggshape.studies.buda2019.analyses.sensitivity import Analysis, run_analyses
from lggshape.studies.buda2019.names import ASD, AUTOMATIC, BEVR, MF

DRAWN_FEATURES = (ASD, MF, BEVR)
"""What is measured of the drawn masks."""


_WithReference = tuple[CaseSource, CaseSource | None]
"""A case, and the same with its manual mask."""


class Field(NamedTuple):
    """A random field that masks are drawn by.

    Attributes
    ----------
    slices, pixels : float
        Its correlation length across and within slices.
    draws : int
        How many masks are drawn of each case.
    """

    slices: float
    pixels: float
    draws: int

    @property
    def name(self) -> str:
        """Its name in tables."""
        return f"{self.pixels:g} pixels, {self.slices:g} slices"


FEW = 20
"""With fewer draws there are no quantiles; the lowest and the highest value stand for them."""

BY_NETWORKS = "networks and flips"
"""What the masks of each network and flip by itself are called."""

FIELDS = (Field(2, 10, 100), Field(1, 5, 20), Field(4, 20, 20))
"""The first is the one that counts."""


def measure_draws(
    sources: Sequence[CaseSource],
    references: Mapping[str, CaseSource],
    probabilities: Path,
    field: Field,
    *,
    seed: int,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> pd.DataFrame:
    """Measure masks drawn from the calibrated probability.

    Parameters
    ----------
    sources : sequence of CaseSource
        The cases, with their automatic masks.
    references : mapping of str to CaseSource
        The cases with their manual masks, by name, as far as there are any.
    probabilities : Path
        The folder in which their probabilities are kept.
    field : Field
        How the voxels of a draw are correlated.
    seed : int
        Seed of the draws.
    jobs : int, optional
        Number of processes; all cores by default.
    on_progress : callable, optional
        Called with a `Progress` after each case.

    Returns
    -------
    DataFrame
        A row per case and draw (from 1): `case`, `patient`, `draw`, `dice` (with the manual mask)
        and the `DRAWN_FEATURES`, which are missing for a drawn mask that is empty.
    """
    rows: list[dict[str, Any]] = []
    work = partial(_draw_case, folder=probabilities, field=field, seed=seed)
    pairs = [(source, references.get(source.id)) for source in sources]
    advance = counter(on_progress, "drawing masks", len(sources))
    for found in map_all(work, pairs, jobs=jobs):
        rows += found
        advance()
    return pd.DataFrame(rows)


def _draw_case(
    pair: _WithReference, *, folder: Path, field: Field, seed: int
) -> list[dict[str, Any]]:
    source, reference = pair
    manual = _manual_mask(reference)
    found = read_probability(folder, source.id)
    spacing = source.read(image=False).geometry.spacing
    rows = []
    for draw in range(1, field.draws + 1):
        rng = generator(seed, source.id, draw)
        noise = random_field(found.values.shape, length=(field.slices, field.pixels), rng=rng)
        mask = found.chosen(draw_mask(found.values, noise))
        rows.append(_measure(source, draw, mask, manual, spacing))
    return rows


def _manual_mask(reference: CaseSource | None) -> NDArray[np.bool_] | None:
    return None if reference is None else own_mask(reference.read(image=False))


def _measure(
    source: CaseSource,
    draw: int,
    mask: NDArray[np.bool_],
    manual: NDArray[np.bool_] | None,
    spacing: Any,
) -> dict[str, Any]:
    values = extract_features(mask, spacing=spacing).values
    score = np.nan if manual is None else dice(mask, manual)
    row = {"case": source.id, "patient": source.patient, "draw": draw, "dice": score}
    return row | {name: values[name] for name in DRAWN_FEATURES}


def measure_samples(
    sources: Sequence[CaseSource],
    references: Mapping[str, CaseSource],
    probabilities: Path,
    *,
    jobs: int | None = None,
) -> pd.DataFrame:
    """Measure the mask of each network and flip by itself.

    Returns
    -------
    DataFrame
        As from `measure_draws`; the draws are the networks and flips, in their order.
    """
    rows: list[dict[str, Any]] = []
    pairs = [(source, references.get(source.id)) for source in sources]
    for found in map_all(partial(_sample_case, folder=probabilities), pairs, jobs=jobs):
        rows += found
    return pd.DataFrame(rows)


def _sample_case(pair: _WithReference, *, folder: Path) -> list[dict[str, Any]]:
    source, reference = pair
    manual, spacing = _manual_mask(reference), source.read(image=False).geometry.spacing
    samples = enumerate(read_samples(folder, source.id), start=1)
    return [_measure(source, number, mask, manual, spacing) for number, mask in samples]


def feature_intervals(draws: pd.DataFrame, name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return the spread of each feature over the draws of each patient.

    Parameters
    ----------
    draws : DataFrame
        As from `measure_draws`.
    name : str
        What the draws are.
    table : DataFrame
        The features of the automatic masks.

    Returns
    -------
    DataFrame
        A row per patient and feature: `draws` (the name), `patient`, `feature`, `value` (of the
        mask itself), `count`, `median`, `low`, `high` (2.5 and 97.5 %; of few draws the lowest and
        the highest) over those draws that are not empty.
    """
    own = table.set_index("patient")
    rows = []
    for feature in DRAWN_FEATURES:
        for patient, values in draws.groupby("patient", sort=False)[feature]:
            drawn = values.dropna().to_numpy(float)
            low, median, high = _spread(drawn)
            rows.append(
                {
                    "draws": name, "patient": patient, "feature": feature,
                    "value": own.at[patient, feature], "count": len(drawn),
                    "median": median, "low": low, "high": high,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def spread_table(intervals: pd.DataFrame) -> pd.DataFrame:
    """Sum up the spread of the features over the draws.

    Parameters
    ----------
    intervals : DataFrame
        As from `feature_intervals`, of one or more kinds of draw.

    Returns
    -------
    DataFrame
        A row per kind of draw and feature: `draws`, `feature`, `patients`, `shift` (median over
        patients of the median draw less the mask's own value), `outside` (share of patients whose
        own value lies outside the interval), `width` (median width of the interval over the
        standard deviation of the own values).
    """
    rows = []
    for (draws, feature), group in intervals.groupby(["draws", "feature"], sort=False):
        known = group.dropna(subset=["value", "median"])
        within = known["value"].between(known["low"], known["high"])
        rows.append(
            {
                "draws": draws, "feature": feature, "patients": len(known),
                "shift": (known["median"] - known["value"]).median(),
                "outside": float((~within).mean()) if len(known) else np.nan,
                "width": (known["high"] - known["low"]).median() / known["value"].std(),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _spread(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the low end, the median and the high end."""
    if not len(values):
        return np.nan, np.nan, np.nan
    ends = (0.025, 0.975) if len(values) >= FEW else (0.0, 1.0)
    low, median, high = np.quantile(values, [ends[0], 0.5, ends[1]]).tolist()
    return low, median, high


def draw_tests(
    draws: pd.DataFrame,
    name: str,
    labels: Labels,
    family: Family,
    *,
    seed: int = 0,
    jobs: int | None = None,
) -> pd.DataFrame:
    """Test the hypotheses on every draw.

    Parameters
    ----------
    draws : DataFrame
        Features of each case and draw.
    name : str
        What the draws are.
    labels : Labels
        The labels of the patients.
    family : Family
        The hypotheses.
    seed : int
        For Monte Carlo p-values.
    jobs : int, optional
        Number of processes; all cores by default.

    Returns
    -------
    DataFrame
        A row per draw and hypothesis: `draws` (the name), `draw`, `feature`, `label`, `n`, `p`,
        `effect` (by quartiles: Fisher's test and V), the columns of `other_tests`, and `dice`, the
        mean over the patients.
    """
    analyses = [
        Analysis(name, str(draw), table.assign(masks=AUTOMATIC))
        for draw, table in draws.groupby("draw", sort=True)
    ]
    found = run_analyses(analyses, labels, family, seed=seed, jobs=jobs).associations
    parts = [
        with_other_tests(part, analysis.table, labels, family).assign(
            dice=analysis.table["dice"].mean()
        )
        for analysis, (_, part) in zip(analyses, found.groupby("analysis", sort=False), strict=True)
    ]
    renamed = pd.concat(parts, ignore_index=True).rename(
        columns={"group": "draws", "analysis": "draw"}
    )
    columns = ["draws", "draw", *KEY, "n", "p", "effect", *OTHER_COLUMNS, "dice"]
    return renamed[columns]


def stability_table(tests: pd.DataFrame, family: Family) -> pd.DataFrame:
    """Sum up the tests of the draws.

    Returns
    -------
    DataFrame
        A row per kind of draw and hypothesis: `draws`, `feature`, `label`, `count`, the quantiles
        of p (`p_low` 2.5 %, `p_median`, `p_high` 97.5 %), `effect_median`, `stability` (the share
        of draws in which p is below alpha over the number of hypotheses) and `below_reported` (the
        share below the bound that the publication reports). Of few draws the lowest and the highest
        p, and no shares.
    """
    alpha = family.alpha / len(family.hypotheses)
    bounds: dict[Any, float | None] = dict(family.reported_bounds)
    rows = []
    for (draws, feature, label), group in tests.groupby(["draws", "feature", "label"], sort=False):
        p = group["p"].dropna().to_numpy(float)
        low, median, high = _spread(p)
        bound = bounds[feature, label]
        enough = len(p) >= FEW
        rows.append(
            {
                "draws": draws, "feature": feature, "label": label, "count": len(p),
                "p_low": low, "p_median": median, "p_high": high,
                "effect_median": group["effect"].median(),
                "stability": float(np.mean(p < alpha)) if enough else np.nan,
                "below_reported": float(np.mean(p < bound)) if bound and enough else np.nan,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)
