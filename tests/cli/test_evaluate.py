import json
from pathlib import Path

import pandas as pd
import pytest
import tifffile
from typer.testing import CliRunner

from helpers.described import wrongly_described
from lggshape.evaluation.compare_cases import COLUMNS
from lggshape.phantoms import write_cohort
from lggshape.results import recorded_outputs
from lggshape_cli import app


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort") / "reference"
    return write_cohort(folder, patients=4, seed=3, size=(8, 32, 32))


@pytest.fixture
def predicted(reference: Path, tmp_path: Path) -> Path:
    """Copy the masks, one pixel to the right."""
    folder = tmp_path / "predicted"
    for source in reference.rglob("*_mask.tif"):
        target = folder / source.relative_to(reference)
        target.parent.mkdir(parents=True, exist_ok=True)
        values = tifffile.imread(source)
        tifffile.imwrite(target, values[:, [-1, *range(values.shape[1] - 1)]])
    return folder


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["evaluate", *map(str, arguments), "--jobs", "1"])
    return result.exit_code, result.stdout, result.stderr


def test_tables_figures_record_and_summary(
    predicted: Path, reference: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    labels = reference / "labels.csv"
    code, printed, messages = run(
        predicted, reference, "--labels", labels, "--by", "sex", "--by", "age", "--out", out
    )
    assert (code, messages) == (0, "")
    assert printed.startswith("4 of 4 cases evaluated\nDice: mean 0.")
    assert printed.endswith(f"Results: {out / 'scores.csv'}\n")
    scores = pd.read_csv(out / "scores.csv")
    assert tuple(scores.columns) == COLUMNS
    assert set(scores["missing_sequences"]) == {"none"}
    groups = pd.read_csv(out / "groups.csv")
    assert {"sex", "age"} < set(groups["group"])
    assert len(pd.read_csv(out / "slices.csv")) == 4 * 8
    record = json.loads((out / "run.json").read_text())
    assert (record["command"], record["cases"], record["failed"]) == ("evaluate", 4, 0)
    assert len(record["inputs"]) == 3
    written = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert written == {*recorded_outputs(out), "run.json"}
    assert {"summary.csv", "detection.csv", "evaluation.json", "figures/dice.svg"} < written
    assert wrongly_described(out / "datapackage.json") == []


def test_two_runs_give_the_same_bytes_invariant(
    predicted: Path, reference: Path, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        assert run(predicted, reference, "--out", tmp_path / name, "--quiet") == (0, "", "")
    for path in (tmp_path / "one").rglob("*.*"):
        if path.is_file() and path.name != "run.json":
            other = tmp_path / "two" / path.relative_to(tmp_path / "one")
            assert path.read_bytes() == other.read_bytes()
    assert run(predicted, reference, "--out", tmp_path / "one")[0] == 2


def test_a_report_leaves_the_tables_as_they_are_invariant(
    predicted: Path, reference: Path, tmp_path: Path
) -> None:
    labels = ("--labels", reference / "labels.csv", "--by", "sex")
    head = ("--report", "--title", "Mine", "--author", "A. One")
    labels += ("--format", "pdf", "--width", 85)
    run(predicted, reference, "--out", tmp_path / "one", *labels)
    code, printed, _ = run(predicted, reference, "--out", tmp_path / "two", *labels, *head)
    assert code == 0
    assert printed.endswith(f"Results: {tmp_path / 'two' / 'report.html'}\n")
    for path in (tmp_path / "one").glob("*.csv"):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
    page = (tmp_path / "two" / "report.html").read_text("utf-8")
    assert "<h1>Mine</h1>" in page
    assert page.count('<article class="patient"') == page.count("<figcaption>Slice ") == 4
    assert "<dt>grouped by</dt><dd>sex</dd>" in page
    figures = [sorted((tmp_path / name / "figures").glob("*")) for name in ("one", "two")]
    assert [path.name for path in figures[0]] == [path.name for path in figures[1]]
    assert {path.suffix for path in figures[0]} == {".pdf", ".png", ".svg"}
    record = json.loads((tmp_path / "one" / "run.json").read_text())["options"]
    assert (record["format"], record["dpi"], record["width"]) == ("pdf", 300, 85)
    code, _, messages = run(predicted, reference, "--out", tmp_path / "three", *head[1:])
    assert (code, "without --report" in messages) == (2, True)


def test_options_change_the_result(predicted: Path, reference: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(predicted, reference, "--out", out, "--surface-tolerance", 0)
    strict = pd.read_csv(out / "scores.csv")["surface_dice"]
    rows = [f"{folder.name},X{index % 2}" for index, folder in enumerate(predicted.iterdir())]
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("\n".join(["case,patient", *rows]) + "\n")
    (tmp_path / "labels.csv").write_text("key,colour\nX0,red\nX1,blue\n")
    # A manifest has to name every case of the reference.
    code, _, messages = run(
        predicted, reference, "--out", out, "--overwrite", "--surface-tolerance", 3,
        "--manifest", manifest, "--labels", tmp_path / "labels.csv", "--patient-column", "key",
        "--by", "colour", "--seed", 7,
    )  # fmt: skip
    assert (code, messages) == (0, "")
    assert (pd.read_csv(out / "scores.csv")["surface_dice"] > strict).all()
    groups = pd.read_csv(out / "groups.csv")
    assert groups.loc[groups["group"] == "colour", "level"].tolist() == ["blue", "red"]
    assert json.loads((out / "run.json").read_text())["options"]["seed"] == 7


def test_a_failed_case_is_listed_and_the_others_go_on(
    predicted: Path, reference: Path, tmp_path: Path
) -> None:
    broken = min(predicted.iterdir())
    (broken / f"{broken.name}_3_mask.tif").write_bytes(b"no TIFF")
    out = tmp_path / "out"
    code, printed, messages = run(predicted, reference, "--out", out)
    assert code == 1
    assert printed.startswith("3 of 4 cases evaluated")
    assert messages.startswith(f"{broken.name}: Expected a slice of case")
    scores = pd.read_csv(out / "scores.csv").set_index("case")
    assert pd.isna(scores.loc[broken.name, "dice"])
    assert scores["dice"].notna().sum() == 3
    assert json.loads((out / "run.json").read_text())["failed"] == 1


def test_references_without_a_prediction_are_named(
    predicted: Path, reference: Path, tmp_path: Path
) -> None:
    one = min(predicted.iterdir())
    code, printed, messages = run(one, reference, "--out", tmp_path / "out")
    assert code == 0
    assert printed.startswith("1 of 1 cases evaluated")
    assert messages.count("PHANTOM_") == 3


def test_unusable_input_is_one_line(predicted: Path, reference: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, printed, messages = run(tmp_path / "nowhere", reference, "--out", out)
    assert (code, printed) == (2, "")
    assert messages.startswith("lggshape: Expected a folder of cases")
    assert messages.count("\n") == 1
    code, _, messages = run(predicted, reference, "--out", out, "--by", "gender")
    assert (code, messages.count("\n")) == (2, 1)
    assert not out.exists()
