import json

import numpy as np
import pandas as pd
import pytest

from lggshape.errors import InputError
from lggshape.evaluation import evaluate, match_cases
from lggshape.evaluation.evaluation import COLUMNS, SLICE_COLUMNS
from lggshape.labels import read_labels
from lggshape.masks import dice


@pytest.fixture
def cohort(tmp_path, write_case):
    """Write six cases of growing error: one prediction is empty, one of another shape."""
    z, y, x = np.mgrid[:4, :20, :20]
    masks = {}
    for index in range(6):
        reference = np.hypot(y - 9, x - 9) + 2 * (z == 3) * 20 < 5 + index / 3
        predicted = np.roll(reference, index, axis=2)
        if index == 4:
            predicted[:] = False
        if index == 5:
            predicted = predicted[:2]
        name = f"case_{index}"
        write_case(tmp_path / "predicted", name, predicted)
        write_case(tmp_path / "reference", name, reference)
        masks[name] = predicted, reference
    rows = [f"case_{i},{1 + i % 2},{30 + i}" for i in range(6)]
    (tmp_path / "labels.csv").write_text("\n".join(["patient,gender,height", *rows]) + "\n")
    return tmp_path, masks


@pytest.fixture
def found(cohort):
    folder, _ = cohort
    return evaluate(match_cases(folder / "predicted", folder / "reference"), jobs=1)


def test_a_row_a_case(found, cohort):
    _, masks = cohort
    assert tuple(found.scores.columns) == COLUMNS
    assert tuple(found.slices.columns) == SLICE_COLUMNS
    expected = [dice(*masks[name]) for name in list(masks)[:5]]
    assert found.scores["dice"].tolist()[:5] == expected
    assert list(found.failures) == ["case_5"]
    last = found.scores.iloc[5]
    assert pd.isna(last["dice"])
    assert last["reason"] == found.failures["case_5"]
    assert len(found.slices) == 5 * 4


def test_low_cases_are_named(found):
    assert found.low["case"].tolist() == ["case_4"]
    text = found.summary_text().splitlines()
    assert text[0] == "5 of 6 cases evaluated"
    assert text[2] == "  1 patient below 0.5: case_4 0.000"
    assert text[3].startswith("HD95 (pixels): mean ")
    assert text[3].endswith("n = 4")
    assert text[4].startswith("Surface Dice (tolerance 1 pixels): mean ")
    # Three slices of each case have tumour, one has none.
    assert text[6].startswith("Sensitivity for slices with tumour: 0.800 (")
    assert text[7].startswith("Specificity for slices without: 1.000 (")
    assert text[8].startswith("AUC of slices with tumour: 0.900 (")


def test_json_holds_every_table_but_the_slices(found):
    plain = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert plain["low"] == ["case_4"]
    assert plain["scores"][5]["dice"] is None
    assert plain["scores"][4]["reason"] == "the predicted mask is empty: no precision, hd95"
    assert {"summary", "groups", "detection"} < plain.keys()
    assert "slices" not in plain


def test_jobs_do_not_change_the_result_invariant(found, cohort):
    folder, _ = cohort
    other = evaluate(match_cases(folder / "predicted", folder / "reference"), jobs=2)
    for name, table in found.tables().items():
        pd.testing.assert_frame_equal(table, other.tables()[name])
    assert found.failures == other.failures


def test_labels_make_groups(cohort):
    folder, _ = cohort
    matched = match_cases(folder / "predicted", folder / "reference")
    labels = read_labels([folder / "labels.csv"])
    assert set(evaluate(matched, labels=labels, jobs=1).groups["group"]) == {"gender"}
    chosen = evaluate(matched, labels=labels, by=["height"], jobs=1).groups
    assert chosen["group"].unique().tolist() == ["height"]
    assert chosen["n"].sum() == 5


def test_every_case_is_counted_on_the_way(cohort):
    folder, _ = cohort
    calls = []
    matched = match_cases(folder / "predicted", folder / "reference")
    evaluate(matched, jobs=1, on_case=lambda: calls.append(1))
    assert len(calls) == 6


def test_nothing_can_be_compared(cohort):
    folder, _ = cohort
    matched = match_cases(folder / "predicted" / "case_5", folder / "reference")
    found = evaluate(matched, jobs=1)
    assert list(found.failures) == ["case_5"]
    assert found.summary_text().splitlines() == [
        "0 of 1 cases evaluated",
        "  0 patients below 0.5",
    ]
    assert found.groups.empty


def test_unusable_options(cohort):
    folder, _ = cohort
    matched = match_cases(folder / "predicted", folder / "reference")
    with pytest.raises(InputError, match="label tables to group by gender, found none"):
        evaluate(matched, by=["gender"])
    with pytest.raises(InputError, match="tolerance to be a number from 0 upwards, found -1"):
        evaluate(matched, surface_tolerance=-1)
    (folder / "others.csv").write_text("patient,gender\nq1,1\n")
    with pytest.raises(InputError, match="found none in common: the first are case_0 and q1"):
        evaluate(matched, labels=read_labels([folder / "others.csv"]))
