"""Results, masks and networks of earlier versions are opened, and give what they gave.

The archives in `tests/data` were made by these versions, with `tests/data/make_results.sh`; what
they hold is expected.
"""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from lggshape import associate, choose_family, open_cases, read_labels
from lggshape.masks import dice
from lggshape.run_check import check_run
from lggshape_cli import app

DATA = Path(__file__).parent / "data"
VERSIONS = sorted(path.stem.removeprefix("results-") for path in DATA.glob("results-*.zip"))


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the cases. Not to be changed."""
    folder = tmp_path_factory.mktemp("earlier")
    with zipfile.ZipFile(DATA / "cases.zip") as archive:
        archive.extractall(folder)
    return folder / "cases"


@pytest.fixture(scope="module", params=VERSIONS)
def earlier(request: pytest.FixtureRequest, cases: Path) -> Path:
    """Folder of the results of a version. Not to be changed."""
    folder: Path = cases.parent / request.param
    with zipfile.ZipFile(DATA / f"results-{request.param}.zip") as archive:
        archive.extractall(folder)
    return folder


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(map(str, arguments)))
    return result.exit_code, result.output


def test_two_versions_are_tested() -> None:
    assert VERSIONS[:2] == ["0.1", "0.2"]


def test_masks_give_the_features_that_they_gave(earlier: Path, tmp_path: Path) -> None:
    expected = pd.read_csv(earlier / "features.csv")
    code, _ = run("features", earlier / "masks", "--out", tmp_path / "features.csv", "--jobs", 1)
    assert code == 0
    found = pd.read_csv(tmp_path / "features.csv")
    pd.testing.assert_frame_equal(found[list(expected)], expected, rtol=1e-9)


def test_features_give_the_p_that_they_gave(earlier: Path, cases: Path) -> None:
    labels = read_labels(cases / "labels.csv")
    family = choose_family(cases / "hypotheses.toml", earlier / "features.csv", labels)
    found = associate(earlier / "features.csv", labels, family, jobs=1).associations
    expected = pd.read_csv(earlier / "results" / "associations.csv")
    wanted = ["feature", "label", "n", "p", "p_holm", "effect"]
    pd.testing.assert_frame_equal(found[wanted], expected[wanted], check_dtype=False, rtol=1e-9)


def test_masks_have_the_scores_that_they_had(earlier: Path, cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "evaluation"
    assert run("evaluate", earlier / "masks", cases, "--out", out, "--jobs", 1)[0] == 0
    expected = pd.read_csv(earlier / "evaluation" / "scores.csv")
    found = pd.read_csv(out / "scores.csv")
    pd.testing.assert_frame_equal(found[["case", "dice"]], expected[["case", "dice"]])


def test_networks_give_the_masks_that_they_gave(earlier: Path, cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "masks"
    code, printed = run("segment", cases, "--out", out, "--networks", earlier / "run", "--thorough")
    assert (code, printed.splitlines()[0][:26]) == (0, "Segmented 12 of 12 cases (")
    expected = {case.id: case.read().mask for case in open_cases(earlier / "masks")}
    # Another processor may round a few pixels to the other side.
    agreement = [dice(case.read().mask, expected[case.id]) for case in open_cases(out)]
    assert len(agreement) == len(expected) == 12
    assert np.min(agreement) > 0.99


def test_a_run_of_segment_is_continued(earlier: Path, cases: Path, tmp_path: Path) -> None:
    masks = shutil.copytree(earlier / "masks", tmp_path / "masks")
    before = {path: path.read_bytes() for path in masks.rglob("*_mask.tif")}
    options = ("--out", masks, "--networks", earlier / "run", "--resume")
    code, printed = run("segment", cases, *options)
    assert (code, printed.splitlines()[0][:26]) == (0, "Segmented 12 of 12 cases (")
    assert {path: path.read_bytes() for path in masks.rglob("*_mask.tif")} == before


@pytest.mark.parametrize("name", ["results", "evaluation", "masks", "features.csv"])
def test_results_are_as_recorded(earlier: Path, name: str) -> None:
    outputs = [one for one in check_run(earlier / name) if one.kind == "output"]
    assert outputs
    assert [one for one in outputs if not one.is_same] == []


def test_results_are_replaced_as_a_whole(earlier: Path, cases: Path, tmp_path: Path) -> None:
    results = shutil.copytree(earlier / "results", tmp_path / "results")
    code, _ = run(
        "associate", earlier / "features.csv", "--labels", cases / "labels.csv", "--hypotheses",
        cases / "hypotheses.toml", "--out", results, "--overwrite", "--jobs", 1,
    )  # fmt: skip
    assert code == 0
    record = json.loads((results / "run.json").read_text())
    assert {one["path"] for one in record["outputs"]} | {"run.json"} == {
        path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file()
    }
