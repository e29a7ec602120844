"""Evaluation of masks with regions."""

import json

import nibabel as nib
import numpy as np
import pytest

from lggshape.case import Case
from lggshape.errors import InputError
from lggshape.evaluation import evaluate
from lggshape.evaluation.compare_cases import COLUMNS, SLICE_COLUMNS
from lggshape.figures import render
from lggshape.masks import dice

NAMES = ("whole_tumour", "tumour_core", "enhancing_tumour")
VALUES = {"whole_tumour": (1, 2, 4), "tumour_core": (1, 4), "enhancing_tumour": (4,)}


def labels(number):
    values = np.zeros((4, 20, 20), dtype=np.uint8)
    values[1:4, 3:15, 3:15] = 2
    values[1:3, 5 : 10 + number, 5:12] = 1
    values[2, 6:9, 6:10] = 4
    return values


def save(path, values):
    path.parent.mkdir(exist_ok=True)
    image = nib.Nifti1Image(values.T, np.eye(4))
    image.header.set_xyzt_units("mm")  # or the spacing would be unknown
    nib.save(image, path)


@pytest.fixture
def folders(tmp_path):
    """Write three cases, of which the last has a prediction of another coding."""
    for number in range(3):
        reference = labels(number)
        predicted = np.roll(reference, number + 1, axis=2)
        save(tmp_path / "reference" / f"c{number}_seg.nii.gz", reference)
        if number == 2:
            predicted[0, 0, 0] = 3
        save(tmp_path / "predicted" / f"c{number}_seg.nii.gz", predicted)
    return tmp_path / "predicted", tmp_path / "reference"


@pytest.fixture
def found(folders):
    return evaluate(*folders, regions="brats", jobs=1)


def test_a_row_per_case_and_region_invariant(found):
    scores = found.scores
    assert list(scores.columns) == [*COLUMNS[:2], "region", *COLUMNS[2:]]
    assert list(zip(scores["case"], scores["region"], strict=True)) == [
        (f"c{number}", name) for number in range(3) for name in NAMES
    ]
    for row in scores[scores["case"] != "c2"].itertuples():
        number = int(row.case[1])
        masks = [np.isin(labels(number), VALUES[row.region])]
        masks.append(np.roll(masks[0], number + 1, axis=2))
        assert row.dice == dice(*masks)
        assert row.reference_volume == masks[0].sum()
    assert found.cases == 3


def test_a_failure_has_a_row_per_region_analytic(found):
    assert list(found.failures) == ["c2"]
    assert "found 1, 2, 3, 4" in found.failures["c2"]
    failed = found.scores[found.scores["case"] == "c2"]
    assert list(failed["region"]) == list(NAMES)
    assert set(failed["reason"]) == {found.failures["c2"]}


def test_each_table_is_that_of_every_region_alone_invariant(found):
    for name in NAMES:
        alone = found.of_region(name)
        masks = [
            [
                Case(f"c{number}", f"c{number}", mask=np.roll(own, shift, axis=2))
                for number in range(2)
                for own in [np.isin(labels(number), VALUES[name])]
                for shift in [step * (number + 1)]
            ]
            for step in (1, 0)
        ]
        plain = evaluate(*masks, jobs=1)
        assert list(alone.scores.columns) == list(COLUMNS)
        assert list(alone.slices.columns) == list(SLICE_COLUMNS)
        assert alone.scores["dice"].tolist()[:2] == plain.scores["dice"].tolist()
        rows = alone.summaries["score"].isin(["dice", "iou", "volume_error"])
        assert alone.summaries[rows].equals(
            plain.summaries[
                plain.summaries["score"].isin(["dice", "iou", "volume_error"])
            ].set_axis(alone.summaries[rows].index)
        )
        assert alone.detection.equals(plain.detection)
    assert list(found.summaries.columns[:2]) == ["region", "score"]
    with pytest.raises(InputError, match="found: core"):
        found.of_region("core")


def test_words_json_and_figures_name_the_regions_analytic(found):
    summary = found.summary()
    assert summary.startswith("2 of 3 cases evaluated\nRegion whole_tumour\nDice: mean ")
    assert summary.count("Region ") == 3
    assert repr(found).startswith("Evaluation(3 cases, 1 failed, mean Dice of whole_tumour 0.")
    values = json.loads(json.dumps(found.to_dict()))
    assert values["regions"] == list(NAMES)
    assert all(", enhancing_tumour" in name or "_" in name for name in values["low"])
    names = list(found.plots())
    assert "dice_tumour_core" in names
    assert "volumes_mm3_enhancing_tumour" in names
    assert render(found.plots()["dice_whole_tumour"]).svg


def test_masks_of_the_whole_are_compared_with_the_whole_invariant(folders, tmp_path):
    reference = folders[1]
    save(tmp_path / "whole" / "c0_mask.nii.gz", (labels(0) > 0).astype(np.uint8))
    (tmp_path / "whole" / "segmentation.csv").write_text(
        "case,patient,fold,status,reason,components_removed\nc0,c0,,ok,,0\n"
    )
    found = evaluate(tmp_path / "whole", reference, regions="brats", jobs=1)
    assert found.regions == ("whole_tumour",)
    assert found.regions_left_out == ("tumour_core", "enhancing_tumour")
    assert found.scores["dice"].tolist() == [1.0]
    # Probability maps become masks of the whole, of the predicted side alone.
    save(tmp_path / "maps" / "c0_seg.nii.gz", (labels(0) > 0) * np.float32(0.7))
    found = evaluate(tmp_path / "maps", reference, regions="brats", threshold=0.5, jobs=1)
    assert found.scores[["region", "dice"]].to_numpy().tolist() == [["whole_tumour", 1.0]]
    found = evaluate(tmp_path / "maps", reference, mask_values=[1, 4], threshold=0.5, jobs=1)
    assert list(found.scores["region"]) == ["1+4"]
    assert found.scores.loc[0, "dice"] == dice(labels(0) > 0, np.isin(labels(0), (1, 4)))


def test_regions_that_are_not_there_are_refused_analytic(folders):
    mask = labels(0) > 0
    whole = [Case("c0", "c0", mask=mask)]
    core = [Case("c0", "c0", mask=mask, regions={"core": mask})]
    oedema = [Case("c0", "c0", mask=mask, regions={"oedema": mask})]
    for predicted, reference in ((core, whole), (core, oedema), (whole, core)):
        with pytest.raises(InputError, match="masks of the same regions, found"):
            evaluate(predicted, reference, jobs=1)
    with pytest.raises(InputError, match="read from a path, found cases"):
        evaluate(whole, core, regions="brats", jobs=1)


def test_nothing_asked_the_tables_are_plain_invariant(folders):
    found = evaluate(*folders, jobs=1)
    assert tuple(found.scores.columns) == COLUMNS
    assert "regions" not in found.to_dict()
    assert all("--regions" in reason for reason in found.failures.values())
    assert len(found.failures) == 3
