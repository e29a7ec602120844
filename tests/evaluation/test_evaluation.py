import json

import numpy as np
import pandas as pd
import pytest

from helpers.case_files import write_nifti
from lggshape.errors import InputError
from lggshape.evaluation import evaluate
from lggshape.evaluation.compare_cases import COLUMNS, SLICE_COLUMNS
from lggshape.labels import read_labels
from lggshape.masks import dice
from lggshape.readers import open_cases


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
    return evaluate(folder / "predicted", folder / "reference", jobs=1)


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
    text = found.summary().splitlines()
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
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["low"] == ["case_4"]
    assert plain["scores"][5]["dice"] is None
    assert plain["scores"][4]["reason"] == "the predicted mask is empty: no precision, hd95"
    assert {"summary", "groups", "detection"} < plain.keys()
    assert "slices" not in plain


def test_jobs_do_not_change_the_result_invariant(found, cohort):
    folder, _ = cohort
    other = evaluate(folder / "predicted", folder / "reference", jobs=2)
    for name, table in found.tables().items():
        pd.testing.assert_frame_equal(table, other.tables()[name])
    assert found.failures == other.failures


def test_labels_that_are_named_make_groups(cohort):
    folder, _ = cohort
    places = folder / "predicted", folder / "reference"
    labels = read_labels([folder / "labels.csv"])
    chosen = evaluate(*places, labels=labels, by="height", jobs=1).groups
    assert chosen["group"].unique().tolist() == ["height"]
    assert chosen["n"].sum() == 5
    both = evaluate(*places, labels=labels, by=["gender", "height"], jobs=1).groups
    assert both["group"].unique().tolist() == ["gender", "height"]


def test_every_case_is_counted_on_the_way(cohort):
    folder, _ = cohort
    calls = []
    evaluate(folder / "predicted", folder / "reference", jobs=1, on_progress=calls.append)
    assert [call.done for call in calls] == list(range(7))
    assert calls[-1] == ("evaluating", 6, 6)


def test_paths_sources_and_cases_in_memory_are_evaluated_alike_invariant(found, cohort):
    folder, _ = cohort
    sources = [open_cases(folder / name) for name in ("predicted", "reference")]
    in_memory = [[source.read(image=False) for source in some] for some in sources]
    for cases in (sources, in_memory):
        pd.testing.assert_frame_equal(evaluate(*cases, jobs=1).slices, found.slices)
    (strings,) = {str(folder / "predicted")}
    assert list(evaluate(strings, sources[1], jobs=1).failures) == ["case_5"]


def test_an_evaluation_shows_itself_in_a_line(found, cohort):
    _, masks = cohort
    mean = np.mean([dice(*masks[f"case_{index}"]) for index in range(5)])
    assert repr(found) == f"Evaluation(6 cases, 1 failed, mean Dice {mean:.3f})"
    assert "<table" in found._repr_html_()
    assert {"dice", "detection"} < found.plots().keys()


def test_nothing_can_be_compared(cohort):
    folder, _ = cohort
    found = evaluate(folder / "predicted" / "case_5", folder / "reference", jobs=1)
    assert repr(found) == "Evaluation(1 case, 1 failed)"
    assert list(found.failures) == ["case_5"]
    assert found.summary().splitlines() == [
        "0 of 1 cases evaluated",
        "  0 patients below 0.5",
    ]
    assert found.groups.empty


def test_unusable_options(cohort):
    folder, _ = cohort
    places = folder / "predicted", folder / "reference"
    with pytest.raises(InputError, match="label tables to group by gender, found none"):
        evaluate(*places, by=["gender"])
    labels = read_labels([folder / "labels.csv"])
    with pytest.raises(InputError, match=r"labels to group the cases by, found none\. .* height"):
        evaluate(*places, labels=labels)
    with pytest.raises(InputError, match="predicted and reference masks, found 0 and 6"):
        evaluate([], places[1])
    with pytest.raises(InputError, match="tolerance to be a number from 0 upwards, found -1"):
        evaluate(*places, surface_tolerance=-1)
    (folder / "others.csv").write_text("patient,gender\nq1,1\n")
    with pytest.raises(InputError, match="found none in common: the first are case_0 and q1"):
        evaluate(*places, labels=read_labels([folder / "others.csv"]), by=["gender"])


def test_labels_as_a_path_or_a_table_in_memory_group_alike_invariant(cohort):
    folder, _ = cohort
    places = folder / "predicted", folder / "reference"
    path = folder / "labels.csv"
    expected = evaluate(*places, labels=read_labels(path), by="height", jobs=1).groups
    for labels in (path, str(path), pd.read_csv(path)):
        pd.testing.assert_frame_equal(
            evaluate(*places, labels=labels, by="height", jobs=1).groups, expected
        )


def test_columns_of_a_manifest_go_into_the_scores_analytic(tmp_path):
    mask = np.zeros((2, 8, 8), dtype=np.uint8)
    mask[:, 2:6, 2:6] = 1
    for folder in ("predicted", "reference"):
        write_nifti(tmp_path / folder / "a_mask.nii.gz", mask)
    manifest = pd.DataFrame({"case": ["a"], "patient": ["P1"], "scanner": ["3 T"]})
    reference = open_cases(tmp_path / "reference", masks_only=True, manifest=manifest)
    found = evaluate(tmp_path / "predicted", reference, jobs=1)
    assert found.scores[["patient", "scanner", "dice"]].values.tolist() == [["P1", "3 T", 1.0]]
