import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers.described import wrongly_described
from lggshape.files import file_hash
from lggshape.phantoms import write_cohort
from lggshape.results import recorded_outputs
from lggshape.shape import feature_table
from lggshape_cli import app


@pytest.fixture
def tables(tmp_path: Path) -> list[str]:
    patients = [f"p{i}" for i in range(30)]
    keys = {"case": patients, "patient": patients, "masks": "manual"}
    values = {"margin_fluctuation": [i * 7 % 30 / 10 for i in range(30)]}
    pd.DataFrame(keys | values).to_csv(tmp_path / "features.csv", index=False)
    labels = {"Patient": patients, "g": [i % 3 for i in range(30)]}
    pd.DataFrame(labels).to_csv(tmp_path / "labels.csv", index=False)
    return [str(tmp_path / "features.csv"), "--labels", str(tmp_path / "labels.csv")]


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["associate", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_the_features_are_no_labels(tables: list[str], tmp_path: Path) -> None:
    code, _, error = run(tables[0], "--labels", tables[0], "--out", str(tmp_path / "out"))
    assert code == 2
    assert "Expected tables of labels beside the features, found a feature table" in error
    assert not (tmp_path / "out").exists()


def test_tables_record_and_summary_are_written(tables: list[str], tmp_path: Path) -> None:
    code, printed, _ = run(*tables, "--out", str(tmp_path / "out"))
    assert code == 0
    assert "margin_fluctuation" in printed
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["options"]["hypotheses"] == "literature"
    assert [Path(entry["path"]).name for entry in record["inputs"]] == [
        "features.csv",
        "labels.csv",
    ]
    written = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*")}
    assert written == {*recorded_outputs(tmp_path / "out"), "run.json"}
    assert "report.html" not in written
    assert wrongly_described(tmp_path / "out" / "datapackage.json") == []


def test_a_workbook_and_a_table_of_another_program_in_one_command_analytic(tmp_path: Path) -> None:
    subjects = [f"p{i}" for i in range(30)]
    radiomics = {"ID": subjects, "diagnostics_Versions_Numpy": "1.23.5"}
    values = {"original_shape_Sphericity": [i * 7 % 30 / 10 for i in range(30)]}
    pd.DataFrame(radiomics | values).to_csv(tmp_path / "radiomics.csv", index=False)
    answers = ["yes", "no", "Yes", "no", "unknown"] * 6
    with pd.ExcelWriter(tmp_path / "book.xlsx", engine="openpyxl") as book:
        pd.DataFrame({"a": [1]}).to_excel(book, sheet_name="Notes", index=False)
        labels = pd.DataFrame({"subject": subjects, "site": "x", "seizures": answers})
        labels.to_excel(book, sheet_name="Clinical data", index=False)
    tables = [str(tmp_path / "radiomics.csv"), "--labels", f"{tmp_path}/book.xlsx:Clinical data"]
    out = tmp_path / "out"
    code, printed, _ = run(*tables, "--out", str(out), "--report")
    assert code == 0
    assert 'book:Clinical data: counted as missing: "unknown" (6 in seizures)' in printed
    assert 'blanks alone, in seizures: "yes" (6) with "Yes"' in printed
    found = pd.read_csv(out / "associations.csv")
    assert found[["masks", "feature", "label", "n"]].values.tolist() == [
        ["given", "sphericity", "seizures", 24]
    ]
    assert "counted as missing" in (out / "report.html").read_text(encoding="utf-8")
    record = json.loads((out / "run.json").read_text())["inputs"][1]
    assert record["path"].endswith("book.xlsx:Clinical data")
    assert record["sha256"] == file_hash(tmp_path / "book.xlsx")


def test_two_runs_give_the_same_tables_to_the_byte_invariant(
    tables: list[str], tmp_path: Path
) -> None:
    for name in ("one", "two"):
        assert run(*tables, "--out", str(tmp_path / name), "--report", "--quiet") == (0, "", "")
    first = sorted(p for p in (tmp_path / "one").rglob("*") if p.is_file())
    assert len(first) > 10
    for path in first:
        if path.name != "run.json":
            other = tmp_path / "two" / path.relative_to(tmp_path / "one")
            assert path.read_bytes() == other.read_bytes()


def test_earlier_results_are_replaced_only_on_request(tables: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(*tables, "--out", str(out), "--report")[0] == 0
    (out / "notes.txt").write_text("mine")
    code, _, complaint = run(*tables, "--out", str(out))
    assert code == 2
    assert "to be empty or new" in complaint
    assert run(*tables, "--out", str(out), "--overwrite")[0] == 0
    assert not (out / "report.html").exists()
    assert (out / "notes.txt").read_text() == "mine"


def test_own_hypotheses_and_codebook_are_recorded(tables: list[str], tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('[[hypothesis]]\nfeature = "margin_fluctuation"\nlabel = "g"\n')
    codes = tmp_path / "codes.toml"
    codes.write_text(
        '[[table]]\nrecognised_by = ["g"]\nlabels.g = {0 = "low", 1 = "mid", 2 = "high"}'
    )
    options = ["--hypotheses", str(mine), "--codebook", str(codes), "--bins", "3", "--take", "last"]
    out = tmp_path / "out"
    assert run(*tables, *options, "--out", str(out))[0] == 0
    levels = pd.read_csv(out / "discrimination.csv")["level"]
    assert levels.tolist() == ["low", "mid", "high"]
    assert len(json.loads((out / "run.json").read_text())["inputs"]) == 4


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (["--hypotheses", "buda2019"], "no label RNASeqCluster"),
        (["--hypotheses", "none.toml"], "none.toml to be TOML"),
        (["--labels", "none.csv"], "none.csv to be a table"),
        (["--bins", "1"], "Invalid value for '--bins'"),
        (["--test", "t"], "fisher"),
    ],
)
def test_what_cannot_start_is_one_line_and_status_2(
    tables: list[str], tmp_path: Path, change: list[str], complaint: str
) -> None:
    code, printed, error = run(*tables, *change, "--out", str(tmp_path / "out"))
    assert code == 2
    assert complaint in error
    assert "Traceback" not in error + printed
    assert not (tmp_path / "out").exists()


def test_a_failure_midway_leaves_the_earlier_results_invariant(
    tables: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert run(*tables, "--out", str(out))[0] == 0
    before = {path: path.read_bytes() for path in out.rglob("*")}

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("lggshape.report.document.write_report_files", fail)
    assert run(*tables, "--out", str(out), "--report", "--overwrite")[0] == 70
    assert {path: path.read_bytes() for path in out.rglob("*")} == before
    (log,) = tmp_path.glob("lggshape-bug-*.log")
    assert "RuntimeError" in log.read_text()
    assert {path.name for path in tmp_path.iterdir()} == {
        *("out", "features.csv", "labels.csv", log.name)
    }


def test_a_preset_that_is_passed_over_is_named(tables: list[str], tmp_path: Path) -> None:
    _, printed, _ = run(*tables, "--out", str(tmp_path / "out"))
    assert "the few features that the literature names against every label" in printed
    assert "Not the hypotheses of buda2019: found no feature" in printed


def test_labels_that_need_more_to_be_tested_are_named_analytic(
    tables: list[str], tmp_path: Path
) -> None:
    labels = pd.read_csv(tables[2]).assign(OS_months=range(1, 31), OS_status=[0, 1] * 15)
    labels.to_csv(tables[2], index=False)
    _, printed, _ = run(*tables, "--out", str(tmp_path / "out"))
    assert "names against every label (g). p is corrected for all of them" in printed
    assert "2 labels not tested: OS_months (a time; a [[hypothesis]] with" in printed


def test_a_study_that_tests_nothing_says_so(tables: list[str], tmp_path: Path) -> None:
    path = tmp_path / "features.csv"
    pd.read_csv(path).head(1).to_csv(path, index=False)
    mine = tmp_path / "mine.toml"
    mine.write_text('[[hypothesis]]\nfeature = "margin_fluctuation"\nlabel = "g"\n')
    out = tmp_path / "out"
    code, _, complaint = run(*tables, "--hypotheses", str(mine), "--out", str(out), "--report")
    assert code == 0
    assert "no hypothesis could be tested" in complaint
    assert list(pd.read_csv(out / "contingency.csv").columns)[:3] == ["masks", "feature", "label"]


def test_covariates_and_strata_make_tables_of_their_own(tables: list[str], tmp_path: Path) -> None:
    features = pd.read_csv(tables[0]).assign(site=["a", "b", "c"] * 10, size=range(30))
    features.to_csv(tables[0], index=False)
    options = ["--adjust", "size, margin_fluctuation", "--within", "site"]
    code, _, _ = run(*tables, *options, "--out", str(tmp_path / "out"))
    assert code == 0
    assert wrongly_described(tmp_path / "out" / "datapackage.json") == []
    adjusted = pd.read_csv(tmp_path / "out" / "adjusted.csv", keep_default_na=False)
    assert adjusted["covariates"].tolist() == ["", "size", "size"]
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["options"]["within"] == "site"
    assert {"left_out_sites", "collinear"} <= json.loads(
        (tmp_path / "out" / "results.json").read_text()
    ).keys()
    code, _, error = run(*tables, "--adjust", "sizes", "--out", str(tmp_path / "other"))
    assert code == 2
    assert "Expected the covariate sizes to be a label" in error


def test_patients_are_excluded_by_a_table(tables: list[str], tmp_path: Path) -> None:
    path = tmp_path / "exclusions.csv"
    path.write_text("patient,reason\np3,motion\n")
    code, _, _ = run(*tables, "--exclude", str(path), "--out", str(tmp_path / "out"))
    assert code == 0
    assert pd.read_csv(tmp_path / "out" / "associations.csv")["n"].tolist() == [29]
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["inputs"][-1]["path"].endswith("exclusions.csv")
    path.write_text("patient,reason\nq3,motion\n")
    code, _, error = run(*tables, "--exclude", str(path), "--out", str(tmp_path / "other"))
    assert code == 2
    assert "found 'q3' in line 2" in error


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--cases", "x"], "Give --report, or leave --cases out"), (["--images"], "without --cases")],
)
def test_outlines_and_images_need_what_shows_them(
    tables: list[str], tmp_path: Path, options: list[str], message: str
) -> None:
    code, _, error = run(*tables, *options, "--out", str(tmp_path / "out"))
    assert code == 2
    assert message in error


def test_the_report_shows_the_outlines_of_cases(tmp_path: Path) -> None:
    folder = write_cohort(tmp_path / "cohort", patients=6, size=(8, 48, 48))
    mine = tmp_path / "mine.toml"
    mine.write_text('[[hypothesis]]\nfeature = "margin_fluctuation"\nlabel = "idh"\n')
    measured = feature_table(str(folder), jobs=1).table
    measured.to_csv(tmp_path / "features.csv", index=False)
    code, _, _ = run(
        str(tmp_path / "features.csv"), "--labels", str(folder / "labels.csv"), "--report",
        "--hypotheses", str(mine), "--cases", str(folder), "--images", "--title", "Mine",
        "--author", "A. One",
        "--format", "pdf", "--width", "85", "--out", str(tmp_path / "out"), "--jobs", "1",
    )  # fmt: skip
    assert code == 0
    figures = tmp_path / "out" / "figures"
    assert {path.stem for path in figures.glob("*.pdf")} == {p.stem for p in figures.glob("*.svg")}
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count('<svg class="slice"') == 6
    assert "<h1>Mine</h1>" in page
    assert '<p class="authors">A. One</p>' in page
    assert "<dd>6 patients, manual masks</dd>" in page
    assert page.count('<image href="data:image/jpeg') == 6
