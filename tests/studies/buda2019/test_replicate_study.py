"""The whole replication on phantoms, whose automatic masks are their own, moved at random."""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers.test_settings import leave_figures_empty
from lggshape.errors import InputError
from lggshape.progress import Progress
from lggshape.readers import open_cases
from lggshape.results import record_file, recorded_outputs
from lggshape.studies.buda2019 import ReplicationResults, replicate
from lggshape.studies.buda2019.analyses.perturbation import jitter
from lggshape.studies.buda2019.phantom_labels import write_phantoms
from lggshape.studies.buda2019.replication import Replication
from lggshape_cli import app

STEPS = ("primary", "agreement")


@dataclass(frozen=True)
class Cohort:
    """Twelve phantoms. Not to be changed."""

    dataset: Path
    masks: Path
    protocol: Path

    @property
    def labels(self) -> list[Path]:
        return [self.dataset / f"{name}.csv" for name in ("labels", "idh_1p19q", "clinical")]

    @property
    def inputs(self) -> Mapping[str, Any]:
        return {"dataset": self.dataset, "labels": self.labels, "masks": self.masks, "jobs": 1}


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


@pytest.fixture(scope="module", autouse=True)
def empty_figures() -> Iterator[None]:
    """Draw none of the figures, whose own tests show that two runs give the same bytes."""
    with pytest.MonkeyPatch.context() as patch:
        leave_figures_empty(patch)
        yield


@pytest.fixture(scope="module")
def told() -> list[Progress]:
    """How far the first run has come."""
    return []


@pytest.fixture(scope="module")
def first(
    cohort: Cohort, told: list[Progress], tmp_path_factory: pytest.TempPathFactory
) -> ReplicationResults:
    """A replication. Not to be changed."""
    out = tmp_path_factory.mktemp("first") / "results"
    return replicate(
        **cohort.inputs, out=out, protocol=cohort.protocol, steps=STEPS, on_progress=told.append
    )


def test_results_are_there_and_summed_up(first: ReplicationResults, told: list[Progress]) -> None:
    out = first.folder
    claims = first.claims.query("masks == 'automatic'")
    lines = first.summary().splitlines()
    assert len(lines) == len(claims)
    assert lines[0].startswith("bounding_ellipsoid_volume_ratio x RNASeqCluster: V ")
    assert "; p < 0.0002 is " in lines[0]
    reached = claims["reached"].sum()
    assert sum(line.endswith("is reached") for line in lines) == reached
    assert repr(first).startswith(f"ReplicationResults({reached} of {len(claims)} claims reached")
    assert first.failures == {}
    assert set(pd.read_csv(out / "features.csv")["masks"]) == {"automatic", "manual"}
    assert len(pd.read_csv(out / "agreement.csv")) == 5 * 7
    # Made from the manual masks, the automatic ones are much like them, and not the same.
    assert 0.7 < pd.read_csv(out / "scores.csv")["dice"].mean() < 1
    assert (out.parent / "results.work" / "replicate_done.json").exists()
    assert not (out / "sensitivity.csv").exists()
    doing = dict.fromkeys(progress.doing for progress in told)
    assert {"verifying", "measuring manual masks", "testing"} < set(doing)
    assert told[-1].done == told[-1].total


def test_every_table_and_figure_of_the_report_lies_beside_it(first: ReplicationResults) -> None:
    out = first.folder
    page = (out / "report.html").read_text(encoding="utf-8")
    tables = set(re.findall(r"<code>(\S+\.csv)</code>", page))
    figures = set(re.findall(r"<code>(figures/\S+\.svg)</code>", page))
    assert {"claims.csv", "table_3.csv", "agreement.csv", "checklists.csv"} <= tables
    assert {"figures/table-3.svg", "figures/agreement-volume.svg"} <= figures
    for name in tables | figures:
        assert (out / name).stat().st_size > 0
    assert 'id="sensitivity"' not in page


def test_json_holds_the_tables_invariant(first: ReplicationResults) -> None:
    out = first.folder
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


def test_the_record_says_from_what_and_how_long(cohort: Cohort, first: ReplicationResults) -> None:
    out = first.folder
    record = json.loads((out / "run.json").read_text())
    inputs = {Path(entry["path"]).name: entry["sha256"] for entry in record["inputs"]}
    assert list(inputs) == [
        "cases", "labels.csv", "idh_1p19q.csv", "clinical.csv", "masks", "protocol.md",
    ]  # fmt: skip
    assert inputs["protocol.md"] == hashlib.sha256(cohort.protocol.read_bytes()).hexdigest()
    done = ["verify", "segment", "evaluate", "features", "associate", "agreement"]
    assert record["options"] == {"seed": 0, "steps": done, "realisations": 1}
    assert list(record["seconds_by_step"]) == done
    assert all(seconds >= 0 for seconds in record["seconds_by_step"].values())
    written = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert written == {*recorded_outputs(out), "run.json"}


def test_another_run_gives_the_same_bytes_and_is_continued(
    cohort: Cohort, first: ReplicationResults, tmp_path: Path
) -> None:
    work = tmp_path / "elsewhere"
    tables = [part for path in cohort.labels for part in ("--labels", path)]
    steps = [part for step in STEPS for part in ("--step", step)]
    command = [
        "replicate", cohort.dataset, *tables, "--masks", cohort.masks, *steps, "--work", work,
        "--jobs", 1, "--out", tmp_path / "second",
    ]  # fmt: skip
    printed = CliRunner().invoke(app, list(map(str, command)))
    assert (printed.exit_code, printed.stderr) == (0, "")
    assert first.summary() in printed.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "second"]
    names = {
        path.relative_to(folder)
        for folder in (first.folder, tmp_path / "second")
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert len(names) > 20
    for name in names - {Path("run.json")}:
        assert (tmp_path / "second" / name).read_bytes() == (first.folder / name).read_bytes(), name

    # What is done is taken as it lies in the folder of the work, and the results are replaced.
    with (work / "tables" / "cohort.csv").open("a") as file:
        file.write("sentinel,here,1,\n")
    record_file(work, "tables/cohort.csv")
    options = {**cohort.inputs, "work": work, "steps": STEPS, "resume": True}
    seconds = json.loads((tmp_path / "second" / "run.json").read_text())["seconds_by_step"]
    again = replicate(**options, out=tmp_path / "second")
    assert "sentinel,here,1" in (tmp_path / "second" / "cohort.csv").read_text()
    assert "sentinel" in again.report.read_text(encoding="utf-8")
    record = json.loads((tmp_path / "second" / "run.json").read_text())
    assert record["seconds_by_step"] == seconds

    # With another seed these are the results of another run, which would have to begin anew.
    with pytest.raises(InputError, match="settings of the earlier run, found other seed"):
        replicate(**options, out=tmp_path / "third", seed=1)
    assert not (tmp_path / "third").exists()
    assert "sentinel" in (work / "tables" / "cohort.csv").read_text()


def test_results_of_others_are_not_mixed_with(cohort: Cohort, tmp_path: Path) -> None:
    out = tmp_path / "results"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    for options in ({}, {"overwrite": True}, {"resume": True}):
        with pytest.raises(InputError, match="to hold the results of an earlier run"):
            replicate(**cohort.inputs, out=out, **options)
    assert [path.name for path in tmp_path.rglob("*")] == ["results", "thesis.txt"]


def test_a_folder_for_work_with_something_else_is_left_alone(
    cohort: Cohort, tmp_path: Path
) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="the work of an earlier run, found a folder without"):
        replicate(**cohort.inputs, out=tmp_path / "out", work=tmp_path / "work")
    assert [path.name for path in tmp_path.rglob("*")] == ["work", "thesis.txt"]


def test_work_does_not_lie_with_what_it_might_remove(cohort: Cohort, tmp_path: Path) -> None:
    for work in (tmp_path / "out" / "work", cohort.masks, cohort.dataset.parent):
        with pytest.raises(InputError, match="Expected the work to lie beside"):
            replicate(**cohort.inputs, out=tmp_path / "out", work=work)
    assert list(tmp_path.iterdir()) == []
    assert cohort.masks.is_dir()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"networks": "runs"}, "Expected networks or masks, found both"),
        ({"resume": True, "overwrite": True}, "Expected resume or overwrite, found both"),
        ({"steps": ["noise"]}, "Expected networks for the step noise, found masks alone"),
        ({"steps": ["lunch"]}, "Expected a step among primary, verify, segment, "),
        ({"steps": ["primary", "lunch"]}, "found 'lunch'"),
        ({"realisations": 0}, "Expected the number of realisations of noise to be"),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(
    cohort: Cohort, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        replicate(**cohort.inputs, out=tmp_path / "out", **options)
    assert list(tmp_path.iterdir()) == []


def test_labels_that_the_study_needs_are_named(cohort: Cohort, tmp_path: Path) -> None:
    one = {**cohort.inputs, "labels": pd.read_csv(cohort.labels[0])}
    missing = "found no idh_1p19q_buda_table2, neoplasm_histologic_grade"
    with pytest.raises(InputError, match=missing):
        replicate(**one, out=tmp_path / "out")


def test_a_patient_with_two_cases_is_refused_before_the_work(
    cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = open_cases(cohort.dataset, masks_only=True)
    monkeypatch.setattr(Replication, "sources", [*sources, sources[0]])
    with pytest.raises(InputError, match=f"one case per patient .* of: {sources[0].patient}"):
        replicate(**cohort.inputs, out=tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_the_log_of_a_bug_lies_beside_the_results(
    cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("lggshape.studies.buda2019.replicate_study.run_steps", fail)
    tables = [part for path in cohort.labels for part in ("--labels", path)]
    command = ["replicate", cohort.dataset, *tables, "--masks", cohort.masks]
    result = CliRunner().invoke(app, list(map(str, [*command, "--out", tmp_path / "out"])))
    assert result.exit_code == 70
    (log,) = tmp_path.glob("lggshape-bug-*.log")
    assert "RuntimeError" in log.read_text()
