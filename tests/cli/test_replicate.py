"""The command on phantoms, whose automatic masks are their own, moved at random."""

import hashlib
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from lggshape.readers import open_cases
from lggshape.results import recorded_outputs
from lggshape.shape.perturbation import jitter
from lggshape.studies.buda2019.phantom_labels import write_phantoms
from lggshape_cli import app

STEPS = ["--step", "primary", "--step", "agreement"]


@dataclass(frozen=True)
class Cohort:
    """Twelve phantoms. Not to be changed."""

    dataset: Path
    masks: Path
    protocol: Path

    @property
    def options(self) -> list[str]:
        tables = ("labels", "idh_1p19q", "clinical")
        labels = [part for t in tables for part in ("--labels", str(self.dataset / f"{t}.csv"))]
        return [str(self.dataset), *labels, "--jobs", "1"]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    top = tmp_path_factory.mktemp("replicate")
    dataset, masks = top / "cases", top / "masks"
    write_phantoms(dataset, patients=12, seed=5, size=(8, 40, 40))
    for number, source in enumerate(open_cases(dataset, masks_only=True)):
        rng = np.random.default_rng([1, number])
        mask = source.read(image=False).mask
        source.write(masks, {"mask": jitter(mask, amplitude=0.7, length=(1, 4), rng=rng)})
    (top / "protocol.md").write_text("What was written down before.\n")
    return Cohort(dataset, masks, top / "protocol.md")


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["replicate", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def refused(*arguments: object) -> str:
    """Give the one line in which a run is refused."""
    code, printed, error = run(*arguments)
    assert (code, printed, error.count("\n")) == (2, "", 1)
    return error


@pytest.fixture(scope="module")
def first(cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Give the results of a run and what it printed."""
    out = tmp_path_factory.mktemp("first") / "results"
    code, printed, error = run(
        *cohort.options, "--masks", cohort.masks, "--protocol", cohort.protocol, *STEPS,
        "--out", out,
    )  # fmt: skip
    assert (code, error) == (0, "")
    return out, printed


def test_results_are_there_and_summed_up(first: tuple[Path, str]) -> None:
    out, printed = first
    claims = pd.read_csv(out / "claims.csv").query("masks == 'automatic'")
    lines = printed.splitlines()
    # A line a claim, and where the report is.
    assert len(lines) == len(claims) + 1
    assert lines[0].startswith("bounding_ellipsoid_volume_ratio x RNASeqCluster, p < 0.0002: ")
    assert sum(line.endswith(", reached") for line in lines) == claims["reached"].sum()
    assert lines[-1] == f"Results: {out / 'report.html'}"
    assert set(pd.read_csv(out / "features.csv")["masks"]) == {"automatic", "manual"}
    assert len(pd.read_csv(out / "agreement.csv")) == 5 * 7
    # Made from the manual masks, the automatic ones are much like them, and not the same.
    assert 0.7 < pd.read_csv(out / "scores.csv")["dice"].mean() < 1
    assert (out.parent / "results.work" / "replicate_done.json").exists()
    assert not (out / "sensitivity.csv").exists()


def test_every_table_and_figure_of_the_report_lies_beside_it(first: tuple[Path, str]) -> None:
    out, _ = first
    page = (out / "report.html").read_text(encoding="utf-8")
    tables = set(re.findall(r"<code>(\S+\.csv)</code>", page))
    figures = set(re.findall(r"<code>(figures/\S+\.svg)</code>", page))
    assert {"claims.csv", "table_3.csv", "agreement.csv", "checklists.csv"} <= tables
    assert {"figures/table-3.svg", "figures/agreement-volume.svg"} <= figures
    for name in tables | figures:
        assert (out / name).stat().st_size > 0
    assert 'id="sensitivity"' not in page


def test_json_holds_the_tables_invariant(first: tuple[Path, str]) -> None:
    out, _ = first
    content = json.loads((out / "replication.json").read_text(encoding="utf-8"))
    written = {path.stem for path in out.glob("*.csv")}
    assert set(content) == written - {"checklists"}
    for name, rows in content.items():
        table = pd.read_csv(out / f"{name}.csv")
        assert len(rows) == len(table)
        for row, expected in zip(rows, table.to_dict("records"), strict=True):
            assert list(row) == list(expected)
            for column, value in expected.items():
                missing = isinstance(value, float) and math.isnan(value)
                assert row[column] == (None if missing else value)


def test_the_record_says_from_what_and_how_long(cohort: Cohort, first: tuple[Path, str]) -> None:
    out, _ = first
    record = json.loads((out / "run.json").read_text())
    inputs = {Path(entry["path"]).name: entry["sha256"] for entry in record["inputs"]}
    assert list(inputs) == [
        "cases", "labels.csv", "idh_1p19q.csv", "clinical.csv", "masks", "protocol.md",
    ]  # fmt: skip
    assert inputs["protocol.md"] == hashlib.sha256(cohort.protocol.read_bytes()).hexdigest()
    done = ["verify", "segment", "evaluate", "features", "associate", "agreement"]
    assert record["options"] == {"seed": 0, "steps": done}
    assert list(record["seconds_by_step"]) == done
    assert all(seconds >= 0 for seconds in record["seconds_by_step"].values())
    written = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert written == {*recorded_outputs(out), "run.json"}


def test_another_run_gives_the_same_bytes_and_then_goes_on(
    cohort: Cohort, first: tuple[Path, str], tmp_path: Path
) -> None:
    work = tmp_path / "elsewhere"
    options = [*cohort.options, "--masks", cohort.masks, *STEPS, "--work", work, "--quiet"]
    assert run(*options, "--out", tmp_path / "second") == (0, "", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "second"]
    names = {
        path.relative_to(folder)
        for folder in (first[0], tmp_path / "second")
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert len(names) > 20
    for name in names - {Path("run.json")}:
        assert (tmp_path / "second" / name).read_bytes() == (first[0] / name).read_bytes(), name

    # What is done is taken as it lies in the folder of the work.
    with (work / "tables" / "cohort.csv").open("a") as file:
        file.write("sentinel,here,1,\n")
    assert run(*options, "--out", tmp_path / "third", "--resume") == (0, "", "")
    assert "sentinel,here,1" in (tmp_path / "third" / "cohort.csv").read_text()
    assert "sentinel" in (tmp_path / "third" / "report.html").read_text(encoding="utf-8")
    seconds = [
        json.loads((tmp_path / name / "run.json").read_text())["seconds_by_step"]
        for name in ("second", "third")
    ]
    assert seconds[0] == seconds[1]

    # With another seed these are the results of another run, which would have to begin anew.
    error = refused(*options, "--out", tmp_path / "fourth", "--resume", "--seed", 1)
    assert "settings of the earlier run, found other seed" in error
    assert not (tmp_path / "fourth").exists()
    assert "sentinel" in (work / "tables" / "cohort.csv").read_text()


def test_results_of_others_are_not_mixed_with(cohort: Cohort, tmp_path: Path) -> None:
    out = tmp_path / "results"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    options = [*cohort.options, "--masks", cohort.masks, "--out", out]
    assert "to be empty or new, found files in it" in refused(*options)
    assert "to hold the results of an earlier run" in refused(*options, "--overwrite")
    assert [path.name for path in tmp_path.rglob("*")] == ["results", "thesis.txt"]


def test_a_folder_for_work_with_something_else_is_left_alone(
    cohort: Cohort, tmp_path: Path
) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.txt").write_text("mine")
    out = ["--out", tmp_path / "out", "--work", tmp_path / "work"]
    error = refused(*cohort.options, "--masks", cohort.masks, *out)
    assert "the work of an earlier run, found something else" in error
    assert [path.name for path in tmp_path.rglob("*")] == ["work", "thesis.txt"]


def test_work_does_not_lie_with_what_it_might_remove(cohort: Cohort, tmp_path: Path) -> None:
    for work in (tmp_path / "out" / "work", cohort.masks, cohort.dataset.parent):
        out = ["--masks", cohort.masks, "--out", tmp_path / "out", "--work", work]
        assert "Expected the work to lie beside" in refused(*cohort.options, *out)
    assert list(tmp_path.iterdir()) == []
    assert cohort.masks.is_dir()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--networks", "runs"], "Expected --networks or --masks, found both"),
        (["--step", "noise"], "Expected networks for the step noise, found masks alone"),
        (["--step", "lunch"], "Expected a step among verify, segment, "),
        (["--step", "primary", "--step", "lunch"], "found 'lunch'"),
    ],
)
def test_what_cannot_be_done_is_said_at_once(
    cohort: Cohort, tmp_path: Path, options: list[str], message: str
) -> None:
    out = ["--masks", cohort.masks, "--out", tmp_path / "out"]
    assert message in refused(*cohort.options, *out, *options)
    assert list(tmp_path.iterdir()) == []


def test_labels_that_the_study_needs_are_named(cohort: Cohort, tmp_path: Path) -> None:
    labels = ["--labels", cohort.dataset / "labels.csv"]
    out = ["--masks", cohort.masks, "--out", tmp_path / "out"]
    error = refused(cohort.dataset, *labels, *out)
    assert "found no idh_1p19q_buda_table2, neoplasm_histologic_grade" in error
