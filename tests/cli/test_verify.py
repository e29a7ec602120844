import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lggshape.phantoms import write_cohort
from lggshape_cli import app


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    return write_cohort(tmp_path / "cohort", patients=3, seed=1, size=(6, 24, 24))


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["verify", *map(str, arguments), "--jobs", "1"])
    return result.exit_code, result.stdout, result.stderr


def test_a_whole_data_set(cohort: Path) -> None:
    code, printed, said = run(
        cohort, "--labels", cohort / "labels.csv", "--labels", cohort / "clinical.csv"
    )
    assert (code, said) == (0, "")
    assert printed.startswith("3 cases of 3 patients: ")
    assert "labels.csv, molecular_subtype: " in printed
    assert "clinical.csv, grade: " in printed


def test_a_bad_case_is_listed_and_the_others_are_verified(cohort: Path) -> None:
    case = sorted(path for path in cohort.iterdir() if path.is_dir())[1]
    (case / f"{case.name}_2.tif").unlink()
    code, printed, said = run(cohort)
    assert code == 1
    assert ", 1 failed" in printed
    assert said.startswith(f"{case.name}: Expected {case.name}_2_mask.tif")
    assert len(said.splitlines()) == 1


def test_json_holds_everything_and_nothing_else_is_printed(cohort: Path) -> None:
    code, printed, said = run(cohort, "--json", "--labels", cohort / "labels.csv")
    assert (code, said) == (0, "")
    content = json.loads(printed)
    assert sum(content["status"].values()) == len(content["cases"]) == 3
    assert {row["column"] for row in content["labels"]} >= {"molecular_subtype", "sex"}


def test_quiet_leaves_the_failures(cohort: Path) -> None:
    assert run(cohort, "--quiet") == (0, "", "")
    (cohort / "empty").mkdir()
    code, printed, said = run(cohort, "--quiet")
    assert (code, printed) == (1, "")
    assert said.startswith("empty: Expected case empty to have files")


def test_a_manifest_gives_the_patients(cohort: Path, tmp_path: Path) -> None:
    names = [path.name for path in cohort.iterdir() if path.is_dir()]
    rows = "".join(f"{name},P1\n" for name in names)
    (tmp_path / "manifest.csv").write_text(f"case,patient\n{rows}")
    code, printed, _ = run(cohort, "--manifest", tmp_path / "manifest.csv")
    assert code == 0
    assert printed.startswith("3 cases of 1 patient:")
    assert "patient P1 has 3 cases" in printed


def test_the_patient_column_may_have_another_name(cohort: Path) -> None:
    labels = cohort / "labels.csv"
    text = labels.read_text(encoding="utf-8")
    labels.write_text(text.replace("patient", "Who", 1), encoding="utf-8")
    code, printed, said = run(cohort, "--labels", labels)
    assert code == 2
    assert "one column of patients" in said
    code, printed, said = run(cohort, "--labels", labels, "--patient-column", "Who")
    assert (code, said) == (0, "")
    assert "labels.csv, molecular_subtype: " in printed


def test_labels_of_other_patients_are_a_failure_analytic(cohort: Path) -> None:
    labels = cohort / "labels.csv"
    labels.write_text("patient,sex\nX1,M\nX2,F\n", encoding="utf-8")
    code, printed, said = run(cohort, "--labels", labels)
    assert code == 1
    assert "0 of 3 patients found in the label tables" in printed
    assert "labels: Expected patients in common, found none" in said
    assert "the first with labels X1. --patient-column" in said


def test_input_that_cannot_be_used_ends_in_one_line(tmp_path: Path) -> None:
    code, printed, said = run(tmp_path / "gone")
    assert (code, printed) == (2, "")
    assert len(said.splitlines()) == 1
    assert "Expected a folder of cases, or the file of one, found nothing" in said
