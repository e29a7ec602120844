import numpy as np
import pandas as pd
import pytest

from lggshape.evaluation.detection import COLUMNS, detection_table, sensitivity_at
from lggshape.statistics import clustered_auc, clustered_proportion


def slices(seed=0, patients=20, each=10):
    rng = np.random.default_rng(seed)
    tumour = rng.random(patients * each) < 0.4
    found = np.where(tumour, rng.random(tumour.size) < 0.9, rng.random(tumour.size) < 0.1)
    return pd.DataFrame(
        {
            "patient": np.repeat([f"p{i}" for i in range(patients)], each),
            "reference_area": tumour * 50,
            "predicted_area": found * rng.integers(1, 90, tumour.size),
            "score": rng.normal(tumour * 2.0),
        }
    )


def test_shares_and_areas_analytic():
    table = slices()
    measures = detection_table(table).set_index("measure")
    assert ["measure", *measures.columns] == list(COLUMNS)
    tumour, found = table["reference_area"] > 0, table["predicted_area"] > 0
    estimates = measures["estimate"]
    assert estimates["sensitivity"] == pytest.approx((found & tumour).sum() / tumour.sum())
    assert estimates["specificity"] == pytest.approx((~found & ~tumour).sum() / (~tumour).sum())
    assert estimates["false_positive_slices"] == pytest.approx(1 - estimates["specificity"])
    area = table.loc[~tumour, "predicted_area"].mean()
    assert estimates["false_positive_area"] == pytest.approx(area)
    assert (measures["low"] < estimates).all()
    assert (estimates < measures["high"]).all()
    assert measures.loc["sensitivity", "slices"] == tumour.sum()
    assert measures.loc["auc", "patients"] == 20


def test_intervals_are_those_of_the_statistics_invariant():
    table = slices(1)
    measures = detection_table(table).set_index("measure")
    tumour = table["reference_area"] > 0
    area = clustered_auc(table["score"], tumour, table["patient"])
    assert tuple(measures.loc["auc", ["estimate", "low", "high"]]) == area[:3]
    of = table[tumour]
    share = clustered_proportion(of["predicted_area"] > 0, of["patient"])
    assert tuple(measures.loc["sensitivity", ["estimate", "low", "high"]]) == share[:3]


@pytest.mark.parametrize("tumour", [True, False])
def test_one_kind_of_slice_cannot_be_told_apart(tumour):
    table = slices().assign(reference_area=int(tumour))
    estimates = detection_table(table).set_index("measure")["estimate"]
    defined = ["sensitivity"] if tumour else [
        "specificity", "false_positive_slices", "false_positive_area",
    ]  # fmt: skip
    assert estimates.dropna().index.tolist() == defined


def test_no_slice_at_all():
    table = detection_table(slices().head(0))
    assert table["estimate"].isna().all()
    assert set(table["slices"]) == {0}


@pytest.mark.parametrize("seed", range(3))
def test_sensitivity_is_the_best_of_all_thresholds_invariant(seed):
    rng = np.random.default_rng(seed)
    tumour = rng.random(200) < 0.4
    scores = rng.normal(tumour * 1.0).round(1)
    best = max(
        (scores[tumour] > threshold).mean()
        for threshold in scores
        if (scores[~tumour] <= threshold).mean() >= 0.9
    )
    assert sensitivity_at(scores, tumour, 0.9) == best


def test_sensitivity_needs_both_kinds():
    assert np.isnan(sensitivity_at(np.ones(2), np.ones(2, dtype=bool), 0.9))
    assert np.isnan(sensitivity_at(np.ones(2), np.zeros(2, dtype=bool), 0.9))


def test_same_seed_same_table_invariant():
    table = slices(2)
    pd.testing.assert_frame_equal(detection_table(table, seed=3), detection_table(table, seed=3))
