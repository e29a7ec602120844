import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from lggshape.comparison.held_out import HeldOut
from lggshape.comparison.tables import (
    DIFFERENCE_COLUMNS,
    case_table,
    difference_table,
    epoch_table,
    result_columns,
)
from lggshape.evaluation.scores import Scores
from lggshape.statistics import adjust, cluster_bootstrap, clustered_auc_difference


def held_out(seed, shift, cases=30, *, masks=True):
    """Draw scores of some cases, two of them of one patient, and of four slices each."""
    rng = np.random.default_rng(seed)
    names = [f"c{number}" for number in range(cases)]
    patients = ["p0", *(f"p{max(0, number - 1)}" for number in range(1, cases))]
    hard = np.random.default_rng(0).normal(0, 0.1, 60)[:cases]
    dice = 0.8 + shift + hard + rng.normal(0, 0.02, cases)
    scores = pd.DataFrame(
        {
            "case": names, "patient": patients, "dice": dice, "hd95": 5 - dice,
            "surface_dice": dice / 2, "spacing_known": False,
        }
    )  # fmt: skip
    slices = pd.DataFrame(
        {
            "case": np.repeat(names, 4), "patient": np.repeat(patients, 4),
            "slice": np.tile(np.arange(1, 5), cases),
            "reference_area": np.tile([0, 5, 9, 0], cases),
            "predicted_area": 0,
            "score": np.tile([0, 1, 1, 0], cases) + rng.normal(0, 1 - shift, 4 * cases),
        }
    )  # fmt: skip
    return HeldOut(scores if masks else scores.iloc[:0], slices, (), 1.0, {})


@pytest.fixture(scope="module")
def results():
    """Of five runs. Not to be changed."""
    return {
        "base": held_out(1, 0.0), "same": held_out(2, 0.0), "worse": held_out(3, -0.05),
        "fewer": held_out(4, 0.05, cases=12), "detector": held_out(5, 0.5, masks=False),
    }  # fmt: skip


@pytest.fixture(scope="module")
def differences(results):
    """From `base`. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(cluster_bootstrap.__kwdefaults__, "replicates", 2000)
        return difference_table(results, "base")


def test_differences_are_paired_by_patient_numpy(results, differences):
    table = differences
    assert list(table) == list(DIFFERENCE_COLUMNS)
    table = table.set_index(["measure", "run"])
    row = table.loc[("dice", "worse")]
    both = results["worse"].scores.merge(results["base"].scores, on="case", suffixes=("", "_r"))
    by_patient = (both["dice"] - both["dice_r"]).groupby(both["patient"]).mean()
    assert (row["patients"], row["cases"]) == (29, 30)
    assert row["difference"] == pytest.approx(by_patient.mean())
    assert row["value"] - row["reference_value"] == pytest.approx(row["difference"])
    # Close to Student's interval and test, as the differences are normal.
    student = ttest_1samp(by_patient, 0).confidence_interval()
    assert (row["low"], row["high"]) == pytest.approx((student.low, student.high), abs=0.002)
    assert row["p"] == pytest.approx(2 / 100_000)  # no permutation is as far off
    same = table.loc[("dice", "same")]
    both = results["same"].scores.merge(results["base"].scores, on="case", suffixes=("", "_r"))
    by_patient = (both["dice"] - both["dice_r"]).groupby(both["patient"]).mean()
    assert same["p"] == pytest.approx(ttest_1samp(by_patient, 0).pvalue, abs=0.02)


def test_runs_are_compared_on_what_both_held_out(results, differences):
    table = differences.set_index(["measure", "run"])
    assert table.loc[("dice", "fewer"), "cases"] == 12
    assert table.loc[("auc", "fewer"), "cases"] == 12
    both = {name: results[name] for name in ("base", "fewer")}
    turned = difference_table(both, "fewer").set_index(["measure", "run"])
    assert turned.loc[("dice", "base"), "difference"] == pytest.approx(
        -table.loc[("dice", "fewer"), "difference"]
    )


def test_detectors_are_compared_by_slices_alone(results, differences):
    table = differences
    assert table[table["run"] == "detector"]["measure"].tolist() == ["auc"]
    row = table[table["run"] == "detector"].iloc[0]
    both = results["detector"].slices.merge(
        results["base"].slices, on=["case", "slice"], suffixes=("", "_r")
    )
    expected = clustered_auc_difference(
        both["score"], both["score_r"], both["reference_area"] > 0, both["patient"]
    )
    assert (row["difference"], row["p"]) == (expected.difference, expected.p)


def test_correction_is_for_the_runs_of_a_measure(differences):
    for _, rows in differences.groupby("measure"):
        np.testing.assert_array_equal(rows["p_holm"], adjust(rows["p"]).holm)


def test_millimetres_and_pixels_are_apart():
    """Five cases of known spacing: their distances are compared by themselves."""
    both = {"base": held_out(1, 0.0), "worse": held_out(3, -0.05)}
    for result in both.values():
        result.scores.loc[result.scores.index < 5, "spacing_known"] = True
    table = difference_table(both, "base").set_index("measure")
    assert table["cases"].to_dict() == {
        "dice": 30, "hd95_mm": 5, "hd95_pixels": 25, "surface_dice_mm": 5,
        "surface_dice_pixels": 25, "auc": 30,
    }  # fmt: skip
    known = both["worse"].scores["hd95"][:5] - both["base"].scores["hd95"][:5]
    by_patient = known.groupby(both["base"].scores["patient"][:5]).mean()
    assert table.loc["hd95_mm", "difference"] == pytest.approx(by_patient.mean())


def test_a_row_says_of_how_many_cases_a_distance_is(results):
    """It is not defined where a mask is empty."""
    scores = results["base"].scores.reindex(columns=["case", "patient", *Scores._fields])
    scores = scores.assign(spacing_known=False)
    scores.loc[:3, "hd95"] = np.nan
    row = result_columns(
        results["base"]._replace(scores=scores, failures={"lost": "Expected a file."})
    )
    assert (row["patients"], row["cases"], row["failed"]) == (29, 30, 1)
    assert row["hd95_pixels_cases"] == 26
    assert row["hd95_pixels"] == pytest.approx(scores["hd95"].mean())


def test_nothing_shared_is_no_row():
    one, other = held_out(1, 0.0, cases=3), held_out(2, 0.0, cases=3)
    for table in (other.scores, other.slices):
        table["case"] = "x" + table["case"]
    table = difference_table({"a": one, "b": other}, "a")
    assert table.empty
    assert list(table) == list(DIFFERENCE_COLUMNS)


def test_every_case_has_a_row(results):
    table = case_table(results)
    assert list(table) == ["case", "patient", "base", "same", "worse", "fewer"]
    assert len(table) == 30
    assert table["fewer"].notna().sum() == 12


def test_epochs_until_as_good_as_the_other_in_the_end_analytic():
    """The reference has two networks, one of which `quick` has too; `once` was measured once.

    `apart` has a network of that name, but another inner split.
    """
    curves = {
        ("base", "a"): [0.2, 0.6, 0.7], ("base", "b"): [0.0, 0.0, 0.9],
        ("quick", "a"): [0.65, 0.7, 0.75], ("slow", "a"): [0.1, 0.2, 0.65],
        ("once", "a"): [np.nan, np.nan, 0.8], ("other", "c"): [0.1, 0.2, 0.3],
        ("apart", "a"): [0.1, 0.2, 0.3],
    }  # fmt: skip
    history = pd.DataFrame(
        [
            {"run": run, "network": network, "epoch": epoch, "inner_dice": value}
            for (run, network), values in curves.items()
            for epoch, value in enumerate(values, start=1)
        ]
    )
    inner = {key: frozenset({"x" if key[0] == "apart" else "y"}) for key in curves}
    table = epoch_table(history, "base", inner).set_index("run")
    assert list(table.index) == ["quick", "slow"]
    assert table.loc["quick", "epochs_to_reference"] == 2
    assert pd.isna(table.loc["quick", "reference_epochs_to_run"])
    assert pd.isna(table.loc["slow", "epochs_to_reference"])
    assert table.loc["slow", "reference_epochs_to_run"] == 3
    assert table["networks"].tolist() == [1, 1]
    assert table.loc["slow", ["inner_dice", "reference_inner_dice"]].tolist() == [0.65, 0.7]
    assert epoch_table(history, "once", inner).empty
