"""A second study needs only a second folder."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lggshape import studies
from lggshape.errors import InputError
from lggshape.studies import find_studies, open_study
from lggshape_cli import app

PACKAGE = """
from pathlib import Path


class Results:
    tables = {}
    failures = {"A": "Expected a mask, found none."}
    report = Path("report.html")

    def summary(self):
        return "Nothing was found."


def replicate(dataset, labels, out, *, on_progress=None):
    return Results()
"""


@pytest.fixture
def second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "second2030"
    folder.mkdir()
    (folder / "__init__.py").write_text(PACKAGE)
    (folder / "hypotheses.toml").write_text('title = "Something else (Second et al. 2030)"')
    (tmp_path / "notes").mkdir()
    monkeypatch.setattr(studies, "__path__", [*studies.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "lggshape.studies.second2030", raising=False)


def test_the_only_study_needs_no_name() -> None:
    assert open_study().name == "buda2019"
    with pytest.raises(
        InputError, match="one of buda2019, second_outlines, ucsf, found 'buda2020'"
    ):
        open_study("buda2020")


@pytest.mark.usefixtures("second")
def test_a_second_study_is_found_by_its_folder() -> None:
    assert find_studies() == ["buda2019", "second2030"]
    assert open_study("second2030").title == "Something else (Second et al. 2030)"
    with pytest.raises(
        InputError, match="one of buda2019, second2030, second_outlines, ucsf, found none"
    ):
        open_study()


def test_a_study_of_the_hypotheses_of_another_has_to_be_named() -> None:
    assert "second_outlines" not in find_studies()
    assert open_study("second_outlines").title.startswith("Tumour shape by the outlines")


@pytest.mark.usefixtures("second")
def test_the_command_does_any_study() -> None:
    options = ["cases", "--labels", "labels.csv", "--out", "results", "--study", "second2030"]
    found = CliRunner().invoke(app, ["replicate", *options])
    assert found.stdout.splitlines() == [
        "Something else (Second et al. 2030)",
        "Nothing was found.",
        "Results: report.html",
    ]
    assert (found.exit_code, found.stderr) == (1, "A: Expected a mask, found none.\n")


def test_bad_input_ends_the_command_in_one_line(tmp_path: Path) -> None:
    options = ["cases", "--labels", "labels.csv", "--out", "results", "--masks", "a"]
    found = CliRunner().invoke(app, ["replicate", *options, "--networks", "b", "--quiet"])
    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr.count("\n") == 1
    assert "found --networks with --masks" in found.stderr


@pytest.mark.usefixtures("second")
def test_an_option_that_a_study_lacks_is_refused_if_given(tmp_path: Path) -> None:
    study = open_study("second2030")
    assert study.replicate("cases", (), tmp_path, seed=0, steps=(), on_progress=print).tables == {}
    with pytest.raises(InputError, match=r"second2030 has \(on_progress\), found steps, resume\."):
        study.replicate("cases", (), tmp_path, steps=["primary"], resume=True, on_progress=None)
