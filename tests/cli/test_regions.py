"""The commands on masks of several values."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from lggshape.readers import CaseSource
from lggshape.segmentation.training.cross_validation import TrainingSummary
from lggshape_cli import app

NAMES = ["whole_tumour", "tumour_core", "enhancing_tumour"]


def labels(number: int) -> np.ndarray:
    """Return a mask (6, 32, 32) of the values 1, 2 and 4; that of case 0 has no 4."""
    z, y, x = np.mgrid[:6, :32, :32]
    distance = np.hypot(y - 15, x - 16) + 2 * abs(z - 3)
    values = np.select([distance < 4 + number, distance < 9 + number], [1, 2], 0)
    values[3, 14:17, 15:18] = 4 if number else 1
    values[5, 30, 30] = 2
    return values.astype(np.uint8)


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    folder = tmp_path / "masks"
    folder.mkdir()
    for number in range(3):
        image = nib.Nifti1Image(labels(number).T, np.eye(4))
        nib.save(image, folder / f"c{number}_seg.nii.gz")
    return folder


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(map(str, arguments)))
    return result.exit_code, result.stdout, result.stderr


def test_without_an_option_every_case_fails_with_the_way_out(masks: Path, tmp_path: Path) -> None:
    code, printed, messages = run("features", masks, "--out", tmp_path / "f.csv", "--jobs", 1)
    assert (code, printed) == (1, f"Measured 0 of 3 cases: {tmp_path / 'f.csv'}\n")
    assert "--regions (brats, brats2013 or a TOML file)" in messages
    assert "4 (9)" in messages


def test_from_masks_to_the_report_of_one_region(masks: Path, tmp_path: Path) -> None:
    out = tmp_path / "f.csv"
    assert run("features", masks, "--regions", "brats", "--out", out, "--jobs", 1) == (
        0,
        f"Measured 3 of 3 cases: {out}\n",
        "",
    )
    table = pd.read_csv(out)
    assert list(table["region"]) == NAMES * 3
    assert table.loc[2, "reason"] == "the region enhancing_tumour is absent"
    record = json.loads((tmp_path / "f.run.json").read_text())
    assert record["options"]["regions"] == "brats"
    groups = pd.DataFrame({"Patient": ["c0", "c1", "c2"], "group": ["u", "v", "v"]})
    groups.to_csv(tmp_path / "labels.csv", index=False)
    options = ("--labels", tmp_path / "labels.csv", "--out", tmp_path / "out", "--report")
    code, _, messages = run("associate", out, *options)
    assert code == 2
    assert "found: whole_tumour, tumour_core, enhancing_tumour. Say which" in messages
    code, _, messages = run("associate", out, *options, "--region", "tumour_core")
    assert code == 0, messages
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["options"]["region"] == "tumour_core"
    assert json.loads((tmp_path / "out" / "results.json").read_text())["region"] == "tumour_core"
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "The shape is that of the region tumour_core." in page


def test_a_file_of_regions_is_an_input(masks: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("core = [1, 4]\n")
    out = tmp_path / "f.csv"
    assert run("features", masks, "--regions", mine, "--out", out, "--jobs", 1)[0] == 0
    assert list(pd.read_csv(out)["region"]) == ["core"] * 3
    record = json.loads((tmp_path / "f.run.json").read_text())
    assert [Path(entry["path"]).name for entry in record["inputs"]] == ["masks", "mine.toml"]


def test_lesions_and_values_of_the_tumour(masks: Path, tmp_path: Path) -> None:
    out = tmp_path / "f.csv"
    options = ("--mask-values", "1,2,4", "--lesions", "--jobs", 1)
    assert run("features", masks, *options, "--out", out)[0] == 0
    table = pd.read_csv(out)
    assert list(table["region"]) == ["1+2+4"] * 6
    assert list(table["lesion"]) == [1, 2] * 3
    assert list(table["volume"][1::2]) == [1, 1, 1]
    code, _, messages = run("associate", out, "--labels", out, "--out", tmp_path / "out")
    assert code == 2
    assert "found lesions" in messages


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--lesions", "--component", "all"), "found --component with --lesions"),
        (("--mask-values", "1;2"), "whole numbers between commas, found: 1;2"),
        (("--mask-values", "0"), "whole numbers from 1"),
        (("--regions", "brats", "--threshold", "0.5"), "found several"),
        (("--regions", "brats24"), "brats, brats2013, names or a TOML file"),
        (("--threshold", "0"), "a number above 0"),
    ],
)
def test_unusable_options(
    masks: Path, tmp_path: Path, options: tuple[str, ...], found: str
) -> None:
    code, _, messages = run("features", masks, *options, "--out", tmp_path / "f.csv")
    assert code == 2
    assert found in messages
    assert not (tmp_path / "f.csv").exists()


def test_evaluation_by_region(masks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ("--regions", "brats", "--out", out, "--jobs", 1)
    code, printed, messages = run("evaluate", masks, masks, *options)
    assert (code, messages) == (0, "")
    assert "Region tumour_core\nDice: mean 1.000" in printed
    scores = pd.read_csv(out / "scores.csv")
    assert list(scores["region"]) == NAMES * 3
    assert set(pd.read_csv(out / "summary.csv")["region"]) == set(NAMES)
    assert (out / "figures" / "dice_tumour_core.svg").is_file()
    assert json.loads((out / "run.json").read_text())["cases"] == 3


def test_regions_that_a_prediction_does_not_tell_are_named(masks: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    for number in range(3):
        values = (labels(number) > 0) * np.float32(0.9)
        nib.save(nib.Nifti1Image(values.T, np.eye(4)), whole / f"c{number}_seg.nii.gz")
    out = tmp_path / "out"
    options = ("--regions", "brats", "--threshold", 0.5, "--out", out, "--jobs", 1)
    code, _, messages = run("evaluate", whole, masks, *options)
    assert code == 0
    assert messages == (
        "Not evaluated, as the predicted masks do not tell them: tumour_core, enhancing_tumour\n"
    )
    assert pd.read_csv(out / "scores.csv")["dice"].tolist() == [1.0] * 3


def test_figures_outline_the_regions(masks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ("--regions", "brats", "--case", "c1", "--out", out, "--jobs", 1)
    assert run("show", masks, *options)[::2] == (0, "")
    drawn = (out / "c1.svg").read_text()
    assert all(name.replace("_", " ") in drawn for name in NAMES)
    assert "reference" not in drawn


@pytest.fixture
def shifted(masks: Path, tmp_path: Path) -> Path:
    """Write the same masks on a grid that ends two rows later, all of them in the same place."""
    folder = tmp_path / "shifted"
    folder.mkdir()
    affine = np.eye(4)
    affine[1, 3] = -2
    for number in range(3):
        values = np.pad(labels(number), ((0, 0), (2, 0), (0, 0)))
        volume = nib.Nifti1Image(values.T, affine)
        volume.header.set_xyzt_units("mm")
        nib.save(volume, folder / f"c{number}_seg.nii.gz")
        own = nib.load(masks / f"c{number}_seg.nii.gz")
        own.header.set_xyzt_units("mm")
        nib.save(nib.Nifti1Image(labels(number).T, np.eye(4), own.header), masks / own_name(number))
    return folder


def own_name(number: int) -> str:
    return f"c{number}_seg.nii.gz"


def test_predicted_masks_on_another_grid_are_resampled_if_asked_invariant(
    masks: Path, shifted: Path, tmp_path: Path
) -> None:
    options = ("--regions", "brats", "--jobs", 1)
    code, _, messages = run("evaluate", shifted, masks, *options, "--out", tmp_path / "no")
    assert code == 1
    assert "shapes (6, 34, 32) and (6, 32, 32)" in messages
    assert "say --resample-masks" in messages
    out = tmp_path / "out"
    options = (*options, "--resample-masks")
    assert run("evaluate", shifted, masks, *options, "--out", out)[::2] == (0, "")
    scores = pd.read_csv(out / "scores.csv")
    assert scores["dice"].tolist() == [1.0] * 9
    assert set(scores["notes"]) == {"predicted mask resampled (corners up to 2.0 mm apart)"}


def test_figures_outline_the_regions_of_predicted_masks(
    masks: Path, shifted: Path, tmp_path: Path
) -> None:
    options = ("--regions", "brats", "--case", "c1", "--predicted", shifted, "--jobs", 1)
    code, _, messages = run("show", masks, *options, "--out", tmp_path / "no")
    assert code == 1
    assert "say --resample-masks" in messages
    out = tmp_path / "out"
    assert run("show", masks, *options, "--resample-masks", "--out", out)[::2] == (0, "")
    drawn = (out / "c1.svg").read_text()
    assert "Dice whole tumour 1.000, tumour core 1.000, enhancing tumour 1.000" in drawn
    assert all(f"predicted {name.replace('_', ' ')}" in drawn for name in NAMES)


def test_a_threshold_is_for_the_predicted_masks_that_are_shown(masks: Path, tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    values = (labels(1) > 0) * np.float32(0.9)
    nib.save(nib.Nifti1Image(values.T, np.eye(4)), maps / "c1_seg.nii.gz")
    out = tmp_path / "out"
    options = ("--regions", "brats", "--case", "c1", "--predicted", maps, "--jobs", 1)
    assert run("show", masks, *options, "--threshold", 0.5, "--out", out)[::2] == (0, "")
    drawn = (out / "c1.svg").read_text()
    assert "Dice 1.000" in drawn
    assert "predicted core" not in drawn


def test_a_data_set_of_regions_is_verified(masks: Path) -> None:
    code, printed, _ = run("verify", masks, "--regions", "brats", "--jobs", 1)
    assert code == 0, printed
    assert run("verify", masks, "--jobs", 1)[0] == 1


@pytest.mark.parametrize(
    ("options", "inside"), [(("--mask-values", "1,4"), (1, 4)), (("--regions", "brats"), (1, 2, 4))]
)
def test_networks_are_trained_on_the_values_that_are_the_tumour_analytic(
    masks: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    inside: tuple[int, ...],
) -> None:
    trained = []

    def train(cases: list[CaseSource], *_: object, **__: object) -> TrainingSummary:
        trained.extend(cases)
        return TrainingSummary((), {})

    monkeypatch.setattr("lggshape.segmentation.train", train)
    options = (*options, "--resample-masks", "--patient-from", "dicom", "--spacing", "5", "1", "1")
    code, _, messages = run("train", masks, "--out", tmp_path / "run", *options)
    assert (code, messages) == (0, "")
    assert len(trained) == 3
    for number, source in enumerate(trained):
        np.testing.assert_array_equal(source.read().mask, np.isin(labels(number), inside))
        assert (source.options.resample_masks, source.options.patient_from) == (True, "dicom")
        assert source.read().geometry.spacing == (5.0, 1.0, 1.0)
    recorded = json.loads((tmp_path / "run" / "run.json").read_text())["options"]
    assert recorded["resample_masks"]
    assert recorded["spacing"] == [5.0, 1.0, 1.0]
