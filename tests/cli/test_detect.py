import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers.described import wrongly_described
from lggshape.results import recorded_outputs
from lggshape_cli import app


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture(scope="module", autouse=True)
def encoder(small_encoder):
    """Make the encoder small for these tests."""
    with small_encoder():
        yield


@pytest.fixture(scope="module")
def detectors(cohort, tmp_path_factory, encoder):
    """Folder of a run for detection of one fold of two. Not to be changed."""
    out = tmp_path_factory.mktemp("detectors") / "run"
    trained = run(
        *("train", cohort, "--out", out, "--task", "detection", "--encoder-weights", "none"),
        *("--folds", "2", "--fold", "1", "--epochs", "1", "--batch", "16", "--size", "32"),
        *("--inner", "0.3", "--neighbours", "0", "--jobs", "1", "--quiet"),
    )
    assert (trained.exit_code, trained.output) == (0, "")
    return out


def test_a_row_a_slice_and_a_record(cohort, detectors, tmp_path):
    out = tmp_path / "detected"
    result = run("detect", cohort, "--networks", detectors, "--out", out, "--skip-seen")
    assert (result.exit_code, result.stderr) == (0, "")
    slices = pd.read_csv(out / "slices.csv")
    assert list(slices) == ["case", "patient", "fold", "slice", "score"]
    assert slices["score"].between(0, 1).all()
    count = slices["case"].nunique()
    expected = f"Examined {len(slices)} slices of {count} cases: {out / 'slices.csv'}\n"
    assert result.stdout == expected
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["command"] == "detect"
    assert set(recorded_outputs(out)) == {"datapackage.json", "slices.csv"}
    assert wrongly_described(out / "datapackage.json") == []
    assert record["skipped"] == record["cases"] - count
    again = run("detect", cohort, "--networks", detectors, "--out", out, "--skip-seen")
    assert again.exit_code == 2
    assert "--overwrite" in again.stderr


def test_cases_that_all_networks_have_seen_fail(cohort, detectors, tmp_path):
    result = run("detect", cohort, "--networks", detectors, "--out", tmp_path / "x", "--quiet")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.count("not trained on the patient") >= 1
