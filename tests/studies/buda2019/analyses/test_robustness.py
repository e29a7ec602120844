import numpy as np
import pandas as pd
import pytest

from lggshape.statistics import Effect
from lggshape.statistics.agreement_draws import agreement_coefficients
from lggshape.studies.buda2019.analyses.masks import JITTER_DRAWS
from lggshape.studies.buda2019.analyses.robustness import robustness_table
from lggshape.studies.buda2019.analyses.variants import changed_masks

ASD, OFFSETS, MF, BEVR = NAMES = (
    "angular_standard_deviation",
    "angular_standard_deviation_offset_averaged",
    "margin_fluctuation",
    "bounding_ellipsoid_volume_ratio",
)
KEY = ["feature", "change", "patients"]
SEED = 3


@pytest.fixture(scope="module")
def found(replicated) -> pd.DataFrame:
    table = robustness_table(
        replicated.manual, replicated.manual_sources, NAMES, seed=SEED, replicates=50, jobs=1
    )
    return table.set_index(KEY)


@pytest.fixture(scope="module")
def changed(replicated) -> dict[str, list[pd.DataFrame]]:
    """The same changes, measured for the sensitivity analyses; several draws of some."""
    found: dict[str, list[pd.DataFrame]] = {}
    for one in changed_masks("manual", replicated.manual_sources, seed=SEED, jobs=1):
        found.setdefault(one.analysis, []).append(one.table)
    return found


def icc(one: np.ndarray, other: np.ndarray) -> Effect:
    return agreement_coefficients(one, other, replicates=50, seed=SEED).intraclass


def test_changes_of_the_protocol_published(found: pd.DataFrame) -> None:
    # "Robustness of the features" in reports/buda2019/protocol.md.
    thirds = [f"{part} third" for part in ("lowest", "middle", "highest")]
    by_size = [f"{third} by {size}" for size in ("volume", "slices") for third in thirds]
    changes = [
        "eroded by a pixel",
        "dilated by a pixel",
        "smoothed, 1 pixel",
        "half as many pixels a side",
        "twice as many pixels a side",
        "turned by 90 degrees",
        "every second slice",
    ]
    for name in NAMES:
        assert found.loc[name].index.tolist() == [
            *((change, "all") for change in changes),
            *(("jittered", group) for group in ("all", *by_size)),
        ]
    assert found["n"].tolist() == ([24] * 4 * 7) + [24, *[8] * 6] * 4


def test_quarter_turn_invariant(found: pd.DataFrame, replicated) -> None:
    for name in (OFFSETS, MF, BEVR):
        row = found.loc[name, "turned by 90 degrees", "all"]
        assert row["icc"] == pytest.approx(1, abs=1e-12)
        assert row["median_relative_change"] == pytest.approx(0, abs=1e-12)
    # 90 degrees are two and a half bins: the bins of the turned mask are those offset by 18.
    table = replicated.manual
    both = np.column_stack([table[ASD], 2 * table[OFFSETS] - table[ASD]])
    row = found.loc[ASD, "turned by 90 degrees", "all"]
    assert row[["icc", "low", "high"]].tolist() == pytest.approx(icc(*both.T))
    assert row["icc"] < 0.95


def test_other_pixels_and_slices_invariant(found: pd.DataFrame) -> None:
    # Pixels cut in four have the same corners; a thinned mask keeps its slice of largest area.
    for name, change in (
        (BEVR, "twice as many pixels a side"),
        (ASD, "every second slice"),
        (MF, "every second slice"),
    ):
        assert found.loc[(name, change, "all"), "icc"] == pytest.approx(1, abs=1e-12)
        assert found.loc[(name, change, "all"), "median_relative_change"] < 1e-12
    for name, change in (
        (BEVR, "half as many pixels a side"),
        (ASD, "half as many pixels a side"),
        (BEVR, "every second slice"),
    ):
        assert found.loc[(name, change, "all"), "icc"] < 0.95


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", ["eroded by a pixel", "dilated by a pixel", "smoothed, 1 pixel"])
def test_the_changes_are_those_of_the_sensitivity_analyses_invariant(
    found: pd.DataFrame, changed: dict[str, list[pd.DataFrame]], replicated, name: str, change: str
) -> None:
    one, other = replicated.manual[name], changed[change][0][name]
    row = found.loc[name, change, "all"]
    expected = icc(one, other)
    assert row[["icc", "low", "high"]].tolist() == pytest.approx(expected)
    assert row["median_relative_change"] == pytest.approx(((other - one) / one).abs().median())


def test_jitter_is_over_all_draws_invariant(
    found: pd.DataFrame, changed: dict[str, list[pd.DataFrame]], replicated
) -> None:
    draws = changed["outline jittered"]
    assert len(draws) == JITTER_DRAWS
    table = replicated.manual
    smallest = np.sort(np.argsort(table["volume"], stable=True)[:8])
    for group, chosen in (("all", np.arange(24)), ("lowest third by volume", smallest)):
        one = table[BEVR].to_numpy()[chosen]
        others = np.column_stack([draw[BEVR].to_numpy()[chosen] for draw in draws])
        row = found.loc[BEVR, "jittered", group]
        each = [icc(one, other) for other in others.T]
        expected = np.median(each, axis=0).tolist()
        assert row[["icc", "low", "high"]].tolist() == pytest.approx(expected)
        change = np.abs(others - one[:, np.newaxis]) / one[:, np.newaxis]
        assert row["median_relative_change"] == pytest.approx(np.median(change))


def test_relative_change_is_of_the_original_analytic(replicated) -> None:
    # Against a table of twice the values, masks that did not change are half as large.
    table = replicated.manual[:4].assign(**{BEVR: lambda known: 2 * known[BEVR]})
    found = robustness_table(table, replicated.manual_sources[:4], [BEVR], seed=0, jobs=1)
    turned = found.set_index("change").loc["turned by 90 degrees", "median_relative_change"]
    assert turned == pytest.approx(0.5)


def test_who_has_no_feature_is_left_out(replicated) -> None:
    table = replicated.manual[:4].copy()
    table.loc[1, BEVR] = np.nan
    found = robustness_table(table, replicated.manual_sources[:4], [BEVR], seed=0, jobs=1)
    everyone = found[found["patients"] == "all"]
    assert everyone["n"].tolist() == [3] * 8
    assert everyone["icc"].notna().all()
    # All four count for the thirds: the lowest by volume holds one, perhaps the one without.
    by_volume = found[found["patients"].str.endswith("by volume")]
    assert by_volume["n"].sum() == 3


def test_nobody_with_a_feature_has_no_correlation(replicated) -> None:
    table = replicated.manual[:2].assign(**{BEVR: np.nan})
    found = robustness_table(table, replicated.manual_sources[:2], [BEVR, ASD], seed=0, jobs=1)
    nobody = found[found["feature"] == BEVR]
    assert nobody["n"].tolist() == [0] * 14
    assert nobody[["icc", "low", "high", "median_relative_change"]].isna().all(axis=None)
