import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers.case_files import write_nifti
from lggshape.errors import InputError
from lggshape.phantoms import write_cohort
from lggshape_cli import app


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Folder of two patients whose files have the names of their source."""
    mask = np.zeros((6, 24, 24), dtype=np.uint8)
    mask[2:4, 8:16, 8:16] = 1
    for case in ("pat1_1", "pat2_1"):
        for name in ("Flair_subtrMeanDivStd", "OTMultiClass"):
            write_nifti(tmp_path / "images" / case / f"{name}.nii.gz", mask)
    return tmp_path / "images"


PATTERN = ("--pattern", "{patient}/{role:OTMultiClass=mask}.nii.gz")


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


def test_files_are_shown_grouped_and_counted(images: Path) -> None:
    code, printed, said = run("inspect", images, *PATTERN)
    assert (code, said) == (0, "")
    assert printed.startswith("4 files: 2 cases of 2 patients, 0 files of no case")
    assert "pat1_1/OTMultiClass.nii.gz" in printed
    found = json.loads(run("inspect", images, *PATTERN, "--json")[1])
    assert [row["role"] for row in found["files"]] == ["FLAIR", "mask"] * 2


def test_files_that_are_not_understood_are_shown(images: Path) -> None:
    code, printed, _ = run("inspect", images)
    assert code == 0
    assert "4 files: 0 cases of 0 patients, 4 files of no case" in printed
    assert "its name does not tell what it shows" in printed


def test_the_manifest_that_is_written_is_one_for_other_commands(
    images: Path, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.csv"
    code, printed, _ = run("inspect", images, *PATTERN, "--write", manifest)
    assert code == 0
    assert printed.endswith(f"Manifest: {manifest}\n")
    elsewhere = tmp_path / "tables" / "manifest.csv"
    elsewhere.parent.mkdir()
    assert "name the data as well" in run("inspect", images, *PATTERN, "--write", elsewhere)[1]
    table = pd.read_csv(manifest, dtype=str).assign(scanner=["1.5 T", "3 T"], session="b")
    table.to_csv(manifest, index=False)
    out = tmp_path / "features.csv"
    assert run("features", images, "--manifest", manifest, "--out", out, "--jobs", "1")[0] == 0
    features = pd.read_csv(out)
    assert features["patient"].tolist() == ["pat1_1", "pat2_1"]
    assert features["scanner"].tolist() == ["1.5 T", "3 T"]
    assert features["session"].tolist() == ["b", "b"]
    again = tmp_path / "again.csv"
    assert run("features", images, *PATTERN, "--out", again, "--jobs", "1")[0] == 0
    assert pd.read_csv(again).equals(features.drop(columns=["session", "scanner"]))


def test_what_was_left_out_reaches_the_log_and_the_screen(images: Path, tmp_path: Path) -> None:
    write_nifti(images / "pat1_1" / "unknown.nii.gz", np.zeros((6, 24, 24), dtype=np.uint8))
    out = tmp_path / "features.csv"
    code, _, said = run("features", images, *PATTERN, "--out", out, "--jobs", "1")
    assert code == 0
    assert "There was a warning" in said
    assert "unknown.nii.gz" in (tmp_path / "features.log").read_text()


def test_a_column_of_a_manifest_called_like_a_result_is_refused(
    images: Path, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("case,patient,volume\npat1_1,A,3\npat2_1,B,4\n")
    out = tmp_path / "features.csv"
    options = ("--manifest", manifest, "--out", out, "--jobs", "1")
    code, _, said = run("features", images, *PATTERN, *options)
    assert code == 2
    assert "further columns of a manifest" in said
    assert "volume" in said


OPENING = ("verify", "segment", "detect", "evaluate", "features", "show", "compare", "train")


@pytest.mark.parametrize("option", ["--pattern", "--sequences", "--spacing"])
@pytest.mark.parametrize("command", [*OPENING, "inspect"])
def test_every_command_that_opens_cases_takes_the_options(command: str, option: str) -> None:
    assert option in run(command, "--help")[1].replace("\n", " ")


@pytest.mark.parametrize("command", OPENING)
def test_the_spacing_reaches_the_cases(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    told: dict[str, object] = {}

    def open_cases(_path: object, **options: object) -> None:
        told.update(options)
        msg = "Enough."
        raise InputError(msg)

    monkeypatch.setattr("lggshape.readers.open_cases", open_cases)
    given = {
        "compare": [images, images, "--dataset", images],
        "detect": [images, "--networks", images],
        "evaluate": [images, images],
    }.get(command, [images])
    out = [] if command == "verify" else ["--out", tmp_path / "out.csv"]
    code, _, said = run(command, *given, *out, "--spacing", "5", "1", "0.5")
    assert (code, told.get("spacing")) == (2, (5.0, 1.0, 0.5)), said


def test_inspect_shows_a_stated_spacing(tmp_path: Path) -> None:
    cohort = write_cohort(tmp_path / "slices", patients=1, size=(6, 24, 24))
    code, printed, _ = run("inspect", cohort, "--spacing", "5", "1", "0.5")
    assert code == 0
    assert "5 x 1 x 0.5" in printed
