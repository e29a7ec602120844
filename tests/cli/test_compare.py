import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from lggshape.results import recorded_outputs
from lggshape_cli import app


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture(scope="module")
def trained(cohort, tmp_path_factory, tiny):
    """Two runs. Not to be changed."""
    folder = tmp_path_factory.mktemp("runs")
    for seed in "34":
        result = run("train", cohort, "--out", folder / f"seed{seed}", *tiny, "--seed", seed)
        assert result.exit_code == 0
    return [folder / "seed3", folder / "seed4"]


def test_tables_figures_record_and_summary(cohort, trained, tmp_path):
    out = tmp_path / "compared"
    options = ("--dataset", cohort, "--out", out, "--reference", "seed4", "--jobs", "1")
    result = run("compare", *trained, *options)
    assert (result.exit_code, result.stderr) == (0, "")
    first, second, last = result.stdout.splitlines()
    assert first.startswith("seed3: n = 4, Dice ")
    assert "against seed4" in first
    assert second.startswith("seed4: n = 4, Dice ")
    assert last == f"Results: {out / 'runs.csv'}"
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["command"] == "compare"
    files = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert set(recorded_outputs(out)) | {"run.json"} == files
    assert {"runs.csv", "differences.csv", "cases.csv", "history.csv", "epochs.csv"} < files
    assert pd.read_csv(out / "differences.csv")["reference"].unique().tolist() == ["seed4"]
    assert (tmp_path / "compared.work" / "seed3" / "segmentation.csv").exists()

    before = {path: path.read_bytes() for path in out.glob("*.csv")}
    assert run("compare", *trained, *options).exit_code == 2
    again = run("compare", *trained, *options, "--resume", "--quiet")
    assert (again.exit_code, again.output) == (0, "")
    assert {path: path.read_bytes() for path in out.glob("*.csv")} == before


def test_a_single_run_is_refused(cohort, trained, tmp_path):
    result = run("compare", trained[0], "--dataset", cohort, "--out", tmp_path / "x")
    assert result.exit_code == 2
    assert result.stderr == (
        "lggshape: Expected two runs or more of different names, found: seed3.\n"
    )
