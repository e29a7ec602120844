"""The examples in the help of the commands run, on synthetic patients under the names they use."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers.commands import COMMANDS
from helpers.test_settings import leave_figures_empty
from lggshape.errors import InputError
from lggshape.phantoms import write_cohort
from lggshape_cli import app

_SEVENTH = re.compile("PHANTOM_._0007")
_TAG = re.compile(r"\[dim\].*?\[/dim\]")

NETWORKS = {
    "compare": "lggshape.comparison.compare_runs",
    "demo": "lggshape.demo.write_demo",
    "detect": "lggshape.segmentation.detect_cases",
    "merge": "lggshape.shards.merge_masks",
    "replicate": "lggshape.studies.PublishedStudy.replicate",
    "segment": "lggshape.segmentation.segment_cases",
    "train": "lggshape.segmentation.train",
    "verify-run": "lggshape.run_check.check_run",
}
"""What takes minutes or needs the results of other runs, by command: an example runs up to there.
`make demo` runs networks."""


def examples(command: str) -> list[list[str]]:
    """Return the arguments of the examples in the help of a command."""
    text = COMMANDS[command].epilog.partition("[bold]Examples[/bold]")[2]
    lines = [_TAG.sub("", line).strip() for line in text.split("\n\n") if line.strip()]
    return [shlex.split(line) for line in lines]


EXAMPLES = [
    pytest.param(words, id=" ".join(words)[:90]) for name in COMMANDS for words in examples(name)
]


def _cohort(folder: Path, layout: str) -> None:
    """Write a cohort under the names of folders and tables that the examples use."""
    cases = write_cohort(folder / "cases", patients=16, seed=2, size=(6, 48, 40), layout=layout)
    for path in sorted(cases.rglob("PHANTOM_?_0007*"), reverse=True):
        path.rename(path.with_name(_SEVENTH.sub("patient_7", path.name)))
    for table in cases.glob("*.csv"):
        table.write_text(_SEVENTH.sub("patient_7", table.read_text()))
    (cases / "hypotheses.toml").rename(folder / "mine.toml")
    pd.read_csv(cases / "clinical.csv").to_excel(
        folder / "book.xlsx", sheet_name="Clinical", index=False
    )
    for name in ("a.csv", "b.csv"):
        shutil.copy(cases / "labels.csv", folder / name)
    # Against every label the literature has several hypotheses, with a figure each in a report.
    pd.read_csv(cases / "labels.csv")[["patient", "sex"]].to_csv(folder / "labels.csv", index=False)
    for table in cases.glob("*.csv"):
        table.unlink()
    if layout == "slices":
        _measure(folder)
    # Three of them are enough to be shown and to be compared.
    for path in list(cases.rglob("PHANTOM_*")):
        if path.exists() and not re.match("PHANTOM_._000[1-2]", path.name):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in ("masks", "images"):
        shutil.copytree(cases, folder / name)
    published = [["", "", "", ""], ["Case", "IDH status", "1p/19q codeletion", "IDH/codel subtype"]]
    published.append(["P-1", "Mutant", "codel", "IDHmut-codel"])
    pd.DataFrame(published).to_excel(folder / "supplement.xlsx", header=False, index=False)
    (folder / "other").mkdir()
    (folder / "other" / "folds.json").write_text(json.dumps({"folds": 2, "patients": {"a": 0}}))


def _measure(folder: Path) -> None:
    """Write the features of a cohort, as if they came from elsewhere."""
    table = folder / "features.csv"
    measured = CliRunner().invoke(app, ["features", str(folder / "cases"), "--out", str(table)])
    assert measured.exit_code == 0
    for ending in (".run.json", ".datapackage.json"):
        table.with_suffix(ending).unlink()


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of the files that the examples name, in three layouts. Not to be changed."""
    folder = tmp_path_factory.mktemp("examples")
    places = {name: folder / name for name in ("slices", "nifti", "pattern")}
    _cohort(places["slices"], "slices")
    _cohort(places["nifti"], "nifti")
    for path in (places["nifti"] / "cases").iterdir():
        patient, role = path.name.removesuffix(".nii.gz").rsplit("_", 1)
        place = places["pattern"] / "cases" / patient / "first" / f"{role}.nii.gz"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    for number in (1, 2):
        part = places["slices"] / f"part{number}.csv"
        shard = ["--out", str(part), "--shard", f"{number}/2"]
        assert (
            CliRunner().invoke(app, ["features", str(part.with_name("masks")), *shard]).exit_code
            == 0
        )
        part.with_name(f"masks{number}").mkdir()
    return places


@pytest.mark.parametrize("words", EXAMPLES)
def test_an_example_of_the_help_runs(
    words: list[str], places: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise InputError("Reached.")

    layout = "pattern" if "--pattern" in words else "nifti" if "--regions" in words else "slices"
    out = Path(words[words.index("--out") + 1]).name if "--out" in words else ""
    for path in places[layout].iterdir():
        if path.name.startswith("part"):  # a record that is a link is none
            shutil.copy(path, tmp_path)
        elif path.name != out:
            (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    command = words[1]
    if command in NETWORKS:
        monkeypatch.setattr(NETWORKS[command], stop)
    if "--format" not in words:
        leave_figures_empty(monkeypatch)
    result = CliRunner().invoke(app, words[1:])
    if command in NETWORKS and out != "features.csv":
        assert "Reached." in result.stderr
    else:
        assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_shows_the_examples_and_few_options_in_no_group(command: str) -> None:
    result = CliRunner().invoke(app, [command, "-h"], env={"COLUMNS": "300"})
    assert result.exit_code == 0
    assert examples(command)
    for words in examples(command):
        assert words[:2] == ["lggshape", command]
        assert " ".join(words) in result.output.replace("'", "")
    alone = [one for one in COMMANDS[command].params if not getattr(one, "rich_help_panel", None)]
    assert len(alone) <= 9, [one.name for one in alone]
