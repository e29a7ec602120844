import json
from pathlib import Path

import pandas as pd
from typer.testing import CliRunner

from helpers.described import wrongly_described
from lggshape.results import recorded_outputs
from lggshape_cli import app


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_tables_figures_record_and_summary(cohort_of_runs, runs, tmp_path):
    out = tmp_path / "compared"
    options = (
        runs["few"], runs["one"], "--dataset", cohort_of_runs, "--out", out, "--reference", "one",
        "--jobs", "1", "--patient-from", "dicom", "--resample-masks",
        "--spacing", 13.5, 4, 4.7, "--format", "pdf",
    )  # fmt: skip
    result = run("compare", *options)
    assert (result.exit_code, result.stderr) == (0, "")
    first, second, last = result.stdout.splitlines()
    assert first.startswith("few: n = 4, Dice ")
    assert "against one" in first
    assert second.startswith("one: n = 4, Dice ")
    assert last == f"Results: {out / 'runs.csv'}"
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["command"] == "compare"
    assert record["options"]["resample_masks"]
    assert record["options"]["spacing"] == [13.5, 4.0, 4.7]
    files = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert set(recorded_outputs(out)) | {"run.json"} == files
    assert {Path(name).suffix for name in files if "figures" in name} == {".pdf", ".png", ".svg"}
    assert {"runs.csv", "differences.csv", "cases.csv", "history.csv", "epochs.csv"} < files
    assert wrongly_described(out / "datapackage.json") == []
    assert pd.read_csv(out / "differences.csv")["reference"].unique().tolist() == ["one"]
    assert (tmp_path / "compared.work" / "few" / "segmentation.csv").exists()

    before = {path: path.read_bytes() for path in out.glob("*.csv")}
    assert run("compare", *options).exit_code == 2
    again = run("compare", *options, "--resume", "--quiet", "--report", "--title", "Mine")
    assert (again.exit_code, again.output) == (0, "")
    assert {path: path.read_bytes() for path in out.glob("*.csv")} == before
    drawn = [{path.stem for path in (out / "figures").glob(f"*.{end}")} for end in ("svg", "pdf")]
    assert drawn[0] == drawn[1]
    page = (out / "report.html").read_text("utf-8")
    assert "<h1>Mine</h1>" in page
    assert page.count('<article class="patient"') == len(pd.read_csv(out / "cases.csv"))


def test_a_single_run_is_refused(cohort_of_runs, runs, tmp_path):
    result = run("compare", runs["few"], "--dataset", cohort_of_runs, "--out", tmp_path / "x")
    assert result.exit_code == 2
    assert result.stderr == (
        "lggshape: Expected two runs or more of different names, found: few. "
        "See lggshape compare -h and docs/comparison.md.\n"
    )
