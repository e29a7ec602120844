"""Why outlines agree less in some features: one change at a time of how they are measured."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lggshape.statistics import rank_correlation
from lggshape.statistics.agreement_draws import intraclass_draws, resamples, with_interval
from lggshape.studies.buda2019.names import ASD, AUTOMATIC, BEVR, MANUAL, MF
from lggshape.studies.second_outlines import measure as ways
from lggshape.studies.second_outlines.measure import AS_IT_IS, Measured
from lggshape.studies.second_outlines.names import OUTLINES, PAIRS, SECOND
from lggshape.studies.second_outlines.reliability import RELIABILITIES
from lggshape.studies.second_outlines.slices import SYMMETRIES

_SPATIAL, _PLANE = (ASD, MF, BEVR), (ASD, MF)


class Explanation(NamedTuple):
    """A possible reason for disagreement.

    Attributes
    ----------
    reason, change : str
        What kind of reason, and what is changed.
    ways : mapping of str to str
        How the outlines that are changed are measured; all others as they are.
    features : tuple of str
        The features that can change.
    logarithms : bool
        Whether the logarithms of the features are compared.
    """

    reason: str
    change: str
    ways: Mapping[str, str]
    features: tuple[str, ...] = _SPATIAL
    logarithms: bool = False


def explanations(*, upwards: bool) -> list[Explanation]:
    """Return all possible reasons.

    Parameters
    ----------
    upwards : bool
        Whether the slices of all outlines are counted in one direction.
    """
    everybody: Callable[[Iterable[str], str], dict[str, str]] = dict.fromkeys
    same_slice = ways.SAME_SLICE if upwards else ways.UPSIDE_DOWN
    found = [
        Explanation("resolution across slices", f"second group: {way}", {SECOND: way})
        for way in (ways.EVERY, ways.THICK)
    ]
    found.append(
        Explanation(
            "resolution in the slice", f"all: {ways.FEWER_PIXELS}",
            everybody(OUTLINES, ways.FEWER_PIXELS),
        )
    )  # fmt: skip
    for way in ways.SMOOTHED.values():
        found += [
            Explanation("smoothing", f"all: {way}", everybody(OUTLINES, way)),
            Explanation("smoothing", f"second group: {way}", {SECOND: way}),
            Explanation("smoothing", f"manual: {way}", {MANUAL: way}),
        ]
    return [
        *found,
        Explanation("component", f"all: {ways.WHOLE}", everybody(OUTLINES, ways.WHOLE)),
        Explanation(
            "slice", f"all: {ways.ALL_SLICES}", everybody(OUTLINES, ways.ALL_SLICES), _PLANE
        ),
        Explanation(
            "slice", "automatic and second group: slice of the manual mask",
            everybody((AUTOMATIC, SECOND), same_slice), _PLANE,
        ),
        Explanation(
            "orientation", f"all: {ways.ALL_OFFSETS}", everybody(OUTLINES, ways.ALL_OFFSETS),
            (ASD,),
        ),
        Explanation(
            "few patients", "all: logarithms", everybody(OUTLINES, AS_IT_IS), logarithms=True
        ),
        Explanation(
            "orientation", f"second group: {ways.QUARTER_TURN}", {SECOND: ways.QUARTER_TURN},
            (ASD,),
        ),
    ]  # fmt: skip


def counted_upwards(measured: Measured) -> bool:
    """Return whether slices are counted in one direction, as their areas correlate better."""
    grids = measured.grids
    return bool(grids["upwards"].mean() >= grids["downwards"].mean())


def explanation_table(measured: Measured, *, number: int, seed: int) -> pd.DataFrame:
    """Return what each change does to the intraclass correlations.

    Returns
    -------
    DataFrame
        A row per change, pair of outlines, feature and measure: `reason`, `change`, `feature`,
        `first`, `second`, `measure`, `n`; `as_it_is`, the correlation of these patients without the
        change; `estimate` with it; and their `difference` with `low` and `high` of the same
        bootstrap samples.
    """
    by_way = measured.features.set_index(["way", "masks", "patient"]).sort_index()
    rows: list[dict[str, Any]] = []
    for explanation in explanations(upwards=counted_upwards(measured)):
        for pair in PAIRS:
            if not set(pair) & explanation.ways.keys():
                continue
            for feature in explanation.features:
                columns = [
                    by_way[feature].loc[way, masks].rename(f"{masks}, {kind}")
                    for masks in pair
                    for kind, way in (
                        ("before", AS_IT_IS), ("after", explanation.ways.get(masks, AS_IT_IS)),
                    )
                ]  # fmt: skip
                values = pd.concat(columns, axis=1).dropna().to_numpy().T
                if explanation.logarithms:
                    values = values[:, (values > 0).all(axis=0)]
                    values[1::2] = np.log(values[1::2])
                key = {
                    "reason": explanation.reason, "change": explanation.change, "feature": feature,
                    "first": pair[0], "second": pair[1],
                }  # fmt: skip
                rows += [key | row for row in _changes(values, number=number, seed=seed)]
    return pd.DataFrame(rows)


def _changes(
    values: "np.ndarray[Any, np.dtype[np.float64]]", *, number: int, seed: int
) -> list[dict[str, Any]]:
    """Compare the correlation of rows 0 and 2 with that of rows 1 and 3."""
    draws = resamples(values.shape[1], number=number, seed=seed)
    rows = []
    for measure in RELIABILITIES:
        before, after = (intraclass_draws(values[i], values[i + 2], measure) for i in (0, 1))
        drawn = [intraclass_draws(values[i][draws], values[i + 2][draws], measure) for i in (0, 1)]
        effect = with_interval(after - before, drawn[1] - drawn[0])
        rows.append(
            {
                "measure": measure, "n": values.shape[1], "as_it_is": float(before),
                "estimate": float(after), "difference": effect.estimate, "low": effect.low,
                "high": effect.high,
            }
        )  # fmt: skip
    return rows


def overlap_table(measured: Measured) -> pd.DataFrame:
    """Return how much outlines overlap after they were moved and scaled, by symmetry.

    Returns
    -------
    DataFrame
        A row per pair of outlines and symmetry of the second: `first`, `second`, `symmetry`, `n`,
        and the quartiles of Dice, `q1`, `median`, `q3`.
    """
    rows = []
    chosen = _in_direction(measured)
    for (first, second), group in chosen.groupby(["first", "second"], sort=False):
        for symmetry in SYMMETRIES:
            values = group.loc[group["symmetry"] == symmetry, "dice"]
            quartiles = np.quantile(values, [0.25, 0.5, 0.75])
            row = {"first": first, "second": second, "symmetry": symmetry, "n": len(values)}
            rows.append(row | dict(zip(("q1", "median", "q3"), quartiles, strict=True)))
    return pd.DataFrame(rows)


def best_symmetry(overlaps: pd.DataFrame) -> str:
    """Return the symmetry by which the outlines of the two groups overlap most."""
    group = overlaps[(overlaps["first"] == MANUAL) & (overlaps["second"] == SECOND)]
    return str(group.sort_values("median")["symmetry"].iloc[-1])


def disagreement_table(measured: Measured) -> pd.DataFrame:
    """Return what is associated with a large difference of a feature between outlines.

    Returns
    -------
    DataFrame
        A row per pair of outlines, feature and quantity: `first`, `second`, `feature`, `quantity`,
        `n`, and the rank correlation of the quantity with the absolute difference, `estimate`,
        `low`, `high`.
    """
    chosen, best = _in_direction(measured), best_symmetry(overlap_table(measured))
    primary = measured.features[measured.features["way"] == AS_IT_IS]
    rows: list[dict[str, Any]] = []
    for pair, group in chosen.groupby(["first", "second"], sort=False):
        first, second = map(str, pair)
        symmetry = best if SECOND in (first, second) else SYMMETRIES[0]
        patients = group[group["symmetry"] == symmetry].set_index("patient")
        ratio = np.log(patients["area_ratio"])
        quantities = {
            "overlap of the outlines": patients["dice"],
            "ratio of the areas (distance from its median)": (ratio - ratio.median()).abs(),
        }
        for feature in _PLANE:
            table = primary.pivot(index="patient", columns="masks", values=feature)
            distance = (table[first] - table[second]).abs()
            for quantity, values in quantities.items():
                both = pd.concat([distance, values], axis=1).dropna().to_numpy()
                found = rank_correlation(*both.T)
                row = {"first": first, "second": second, "feature": feature, "quantity": quantity}
                rows.append(
                    row
                    | {"n": len(both), "estimate": found.estimate}
                    | {"low": found.low, "high": found.high}
                )
    return pd.DataFrame(rows)


def _in_direction(measured: Measured) -> pd.DataFrame:
    direction = "upwards" if counted_upwards(measured) else "downwards"
    return measured.overlaps[measured.overlaps["direction"] == direction]
