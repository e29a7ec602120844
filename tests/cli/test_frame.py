"""What all commands share: see `lggshape.commands` and `lggshape_cli._options`."""

import json
import signal
import sys
import warnings
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from helpers.commands import COMMANDS
from lggshape.results import recorded_outputs
from lggshape_cli import app
from lggshape_cli._errors import PAGES, print_error

ROOT = Path(__file__).resolve().parents[2]

INTERRUPTED_LINE = (
    "lggshape: interrupted. Run the command again: with --resume, if it has that option, it "
    "continues where it stopped.\n"
)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def raising(error: BaseException):
    def call(*_: object, **__: object) -> None:
        raise error

    return call


NO_PAGE = {
    "checks", "figures", "files", "masks", "parallel", "phantoms", "results", "statistics",
}  # fmt: skip
"""Parts that refuse what the help of the command explains, or arguments in Python."""


# --- the help


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_by_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "100"})
    assert result.exit_code == 0
    assert "--debug" in result.output
    assert f"lggshape {command}" in result.output.partition("Example")[2]
    for name in () if command == "replicate" else ("buda", "kaggle", "tcga", "rnaseq"):
        assert name not in result.output.lower()


def test_completion_finds_commands() -> None:
    words = {"_LGGSHAPE_COMPLETE": "complete_bash", "COMP_WORDS": "lggshape seg", "COMP_CWORD": "1"}
    result = CliRunner().invoke(app, [], prog_name="lggshape", env=words)
    assert result.output.split() == ["segment"]


# --- empty values


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["features", "", "--out", "a.csv"], "MASKS"),
        (["features", "cases", "--out", ""], "--out"),
        (["features", "cases", "--out", "a.csv", "--scheduler", ""], "--scheduler"),
        (["associate", "a.csv", "--labels", "", "--out", "results"], "--labels"),
        (["verify-run", ""], "RESULTS"),
    ],
)
def test_an_empty_value_is_refused(arguments: list[str], name: str) -> None:
    """An empty path would be the working folder."""
    result = run(*arguments)
    told = f"lggshape: Expected a value for {name}, found an empty one. State it, or leave it out."
    assert (result.exit_code, result.stderr[: len(told)]) == (2, told)


# --- options without effect


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("verify", "x", "--patient-column", "p"), "--patient-column without --labels"),
        (("show", "x", "--out", "o", "--width", 85), "--width without --format"),
        (("associate", "x", "--labels", "l", "--out", "o", "--format", "pdf"),
         "--format without --report"),
        (("verify", "x", "--jobs", 2, "--scheduler", "s"), "--jobs with --scheduler"),
        (("show", "x", "--out", "o", "--jobs", 2, "--scheduler", "s"), "--jobs with"),
        (("associate", "x", "--labels", "l", "--out", "o", "--jobs", 2, "--scheduler", "s"),
         "--jobs with"),
        (("compare", "x", "y", "--dataset", "d", "--out", "o", "--jobs", 2, "--scheduler", "s"),
         "--jobs with"),
        (("replicate", "x", "--labels", "l", "--out", "o", "--jobs", 2, "--scheduler", "s"),
         "--jobs with"),
        (("verify", "x", "--json", "--quiet"), "--quiet with --json"),
        (("features", "x", "--out", "o.csv", "--jobs", 2, "--scheduler", "s"), "--jobs with"),
        (("evaluate", "x", "y", "--out", "o", "--by", "g"),
         "--by without --labels. Give --labels, or leave --by out."),
        (("evaluate", "x", "y", "--out", "o", "--labels", "l"), "--labels without --by"),
        (("evaluate", "x", "y", "--out", "o", "--patient-column", "p"), "--patient-column without"),
        (("evaluate", "x", "y", "--out", "o", "--jobs", 2, "--scheduler", "s"), "--jobs with"),
        (("compare", "x", "y", "--dataset", "d", "--out", "o", "--resume", "--overwrite"),
         "--overwrite with --resume"),
        (("train", "x", "--out", "o", "--network", "unet", "--encoder-weights", "none"),
         "--encoder-weights with unet"),
        (("train", "x", "--out", "o", "--network", "unet", "--frozen-epochs", 0),
         "--frozen-epochs with unet"),
        (("train", "x", "--out", "o", "--stem", "plain"), "--stem with efficientnet"),
        (("train", "x", "--out", "o", "--network", "resunet", "--batch-normalisation"),
         "--batch-normalisation with resunet"),
        (("train", "x", "--out", "o", "--task", "detection", "--border-weight", 4),
         "--border-weight with detection"),
        (("train", "x", "--out", "o", "--sequences", "FLAIR", "--sequence-dropout", 0),
         "--sequence-dropout with FLAIR alone"),
        (("train", "x", "--out", "o", "--inner", 0, "--inner-every", 1), "--inner-every without"),
        (("train", "x", "--out", "o", "--configuration", "c", "--epochs", 12),
         "--epochs with --configuration"),
    ],
)  # fmt: skip
def test_an_option_without_effect_is_refused(arguments: tuple[object, ...], option: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"found {option}" in result.stderr
    assert result.stderr.count("\n") == 1


def test_folds_of_a_file_are_not_given_by_number_too(tmp_path: Path) -> None:
    folds = tmp_path / "folds.json"
    folds.write_text(json.dumps({"folds": 2, "patients": {"a": 0, "b": 1}}))
    result = run("train", "x", "--out", "o", "--folds", 2, "--folds-file", folds)
    assert result.exit_code == 2
    assert "found --folds with --folds-file" in result.stderr


# --- places that are refused before the work


@pytest.mark.parametrize(
    "arguments",
    [
        ("segment", "DATA", "--out", "DATA/masks"),
        ("segment", "DATA", "--out", "DATA"),
        ("train", "DATA", "--out", "DATA/run"),
        ("detect", "DATA", "--networks", "none", "--out", "DATA/slices"),
        ("evaluate", "DATA", "DATA", "--out", "DATA/evaluation"),
        ("show", "DATA", "--out", "DATA/figures"),
        ("features", "DATA", "--out", "DATA/features.csv"),
        ("compare", "a", "b", "--dataset", "DATA", "--out", "DATA/comparison"),
        ("compare", "a", "b", "--dataset", "DATA", "--out", "out", "--work", "DATA/work"),
    ],
)
def test_results_inside_the_data_are_refused(
    cohort: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(cohort.rglob("*"))
    result = run(*(argument.replace("DATA", str(cohort)) for argument in arguments))
    assert result.exit_code == 2
    assert "outside the input" in result.stderr
    assert sorted(cohort.rglob("*")) == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("out", [".", "./", "..", "sub/.."])
@pytest.mark.parametrize("overwrite", [(), ("--overwrite",)])
def test_a_folder_of_other_files_is_refused_before_the_work(
    cohort: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    out: str,
    overwrite: tuple[str, ...],
) -> None:
    place = tmp_path / "here"
    (place / "sub").mkdir(parents=True)
    (place / "mine.txt").write_text("mine")
    monkeypatch.chdir(place)
    monkeypatch.setattr("lggshape.visualisation.survey", raising(AssertionError("begun")))
    before = sorted(tmp_path.rglob("*"))
    result = run("show", cohort, "--out", out, *overwrite)
    assert result.exit_code == 2
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_working_folder_can_be_written(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    case = min(path.name for path in cohort.iterdir() if path.is_dir())
    assert run("show", cohort, "--out", ".", "--case", case, "--jobs", 1).exit_code == 0
    assert {*recorded_outputs(tmp_path), "run.json"} == {p.name for p in tmp_path.iterdir()}


# --- what goes wrong


@pytest.mark.parametrize("page", sorted(set(PAGES.values())))
def test_the_pages_that_errors_name_exist(page: str) -> None:
    document, _, anchor = page.partition("#")
    lines = (ROOT / document).read_text(encoding="utf-8").splitlines()
    titles = {line.strip("# ").lower().replace(" ", "-") for line in lines if line.startswith("#")}
    assert anchor in titles | {""}


@pytest.mark.parametrize("part", sorted((ROOT / "lggshape").iterdir()), ids=lambda path: path.stem)
def test_what_a_command_can_be_refused_for_is_explained_on_a_page(part: Path) -> None:
    files = part.rglob("*.py") if part.is_dir() else [part] if part.suffix == ".py" else []
    refuses = any("raise InputError" in file.read_text(encoding="utf-8") for file in files)
    assert not refuses or part.stem in PAGES.keys() | NO_PAGE


def test_a_bug_is_called_one_and_its_traceback_is_kept(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lggshape.shape.feature_table", raising(TypeError("no such thing")))
    result = run("features", cohort, "--out", tmp_path / "features.csv")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (70, "", 1)
    assert "TypeError: no such thing. This is a bug in lggshape: please report it" in result.stderr
    (log,) = tmp_path.iterdir()
    assert str(log) in result.stderr
    assert "in call\n    raise error" in log.read_text()


def test_debug_prints_the_traceback(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lggshape.shape.feature_table", raising(TypeError("no such thing")))
    result = run("features", cohort, "--out", tmp_path / "features.csv", "--debug")
    assert result.exit_code == 70
    assert "in call\n    raise error" in result.stderr


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (KeyboardInterrupt(), 130, INTERRUPTED_LINE),
        (OSError(28, "No space left on device"), 2, "No space left on device"),
        (MemoryError(), 2, "MemoryError"),
    ],
)
def test_what_is_no_bug_is_not_called_one(
    cohort: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    status: int,
    told: str,
) -> None:
    monkeypatch.setattr("lggshape.shape.feature_table", raising(error))
    result = run("features", cohort, "--out", tmp_path / "features.csv")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (status, "", 1)
    assert told in result.stderr
    assert "bug" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_request_to_terminate_ends_a_command_in_order(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(signal.SIGTERM)

    def terminated(*_: object, **__: object) -> None:
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("lggshape.shape.feature_table", terminated)
    result = run("features", cohort, "--out", tmp_path / "features.csv")
    assert (result.exit_code, result.stderr) == (130, INTERRUPTED_LINE)
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) == before


def test_another_signal_does_not_end_the_cleaning_up(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleaned = []

    def interrupted(*_: object, **__: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
            cleaned.append("up")

    monkeypatch.setattr("lggshape.shape.feature_table", interrupted)
    # A shell lets programs in the background ignore it, and with them these tests.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result = run("features", cohort, "--out", tmp_path / "features.csv")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (result.exit_code, result.stderr) == (130, INTERRUPTED_LINE)
    assert (cleaned, list(tmp_path.iterdir())) == (["up"], [])


def test_the_end_of_the_program_cannot_be_interrupted() -> None:
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        with pytest.raises(SystemExit):
            app(["--version"])
        assert {signal.getsignal(one) for one in before} == {signal.SIG_IGN}
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_what_the_terminal_cannot_show_is_escaped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, errors: str
) -> None:
    (tmp_path / "Łucja_flair.nii").touch()
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    shown = BytesIO()
    monkeypatch.setattr("sys.stdout", TextIOWrapper(shown, "latin-1", errors))
    try:
        with pytest.raises(SystemExit):
            app(["inspect", str(tmp_path)])
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    sys.stdout.flush()
    assert rb"\u0141ucja_flair.nii" in shown.getvalue()


def test_an_interruption_is_told_without_an_import(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may have ended one half-way, which then fails."""
    monkeypatch.setitem(sys.modules, "lggshape.commands", None)
    assert print_error(KeyboardInterrupt(), command="info", debug=False) == 130
    assert capsys.readouterr().err == INTERRUPTED_LINE


def test_a_bug_in_one_case_is_logged_beside_the_results(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lggshape.shape.table.extract_features", raising(TypeError("odd")))
    out = tmp_path / "features.csv"
    result = run("features", cohort, "--out", out, "--jobs", 1)
    assert result.exit_code == 1
    assert "internal error: TypeError: odd; see the log" in out.read_text()
    assert "4 cases failed by an internal error. This is a bug" in result.stderr
    assert str(tmp_path / "features.log") in result.stderr
    assert (tmp_path / "features.log").read_text().count("Traceback") == 4
    recorded = recorded_outputs(tmp_path, record="features.run.json")
    assert set(recorded) == {"features.csv", "features.datapackage.json", "features.log"}
    monkeypatch.undo()
    assert run("features", cohort, "--out", out, "--overwrite", "--jobs", 1).exit_code == 0
    assert not (tmp_path / "features.log").exists()


def test_warnings_are_logged_and_not_shown_unless_asked(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lggshape.shape import feature_table

    def warn(*arguments: object, **options: object) -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("Quite odd.", stacklevel=1)
        return feature_table(*arguments, **options)

    monkeypatch.setattr("lggshape.shape.feature_table", warn)
    for name, more in (("a", ()), ("b", ("--debug",))):
        out = tmp_path / name / "features.csv"
        result = run("features", cohort, "--out", out, "--jobs", 1, *more)
        assert result.exit_code == 0
        assert "There was a warning: see the log" in result.stderr
        assert "Quite odd." in out.with_name("features.log").read_text()
        assert ("Quite odd." in result.stderr) is (name == "b")
