import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lggshape.errors import InputError
from lggshape.files import read_json, write_json
from lggshape.phantoms import write_cohort
from lggshape.run_check import check_run, run_crate
from lggshape_cli import app


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a cohort and of its feature table. Not to be changed."""
    folder = tmp_path_factory.mktemp("run")
    write_cohort(folder / "cases", patients=2, size=(4, 32, 32))
    assert run("features", folder / "cases", "--out", folder / "f.csv", "--jobs", 1).exit_code == 0
    return folder


@pytest.fixture
def table(measured: Path, tmp_path: Path) -> Path:
    """The same, to be changed; its record names the cohort here."""
    shutil.copytree(measured, tmp_path / "run")
    record = read_json(tmp_path / "run" / "f.run.json")
    record["inputs"][0]["path"] = str(tmp_path / "run" / "cases")
    write_json(tmp_path / "run" / "f.run.json", record)
    return tmp_path / "run" / "f.csv"


def not_same(table: Path) -> list[tuple[str, str]]:
    return [(one.kind, one.found) for one in check_run(table) if not one.is_same]


def test_what_nobody_has_touched_is_as_recorded_invariant(table: Path) -> None:
    assert not_same(table) == []
    result = run("verify-run", table)
    assert result.exit_code == 0
    count = len(check_run(table))
    assert result.stdout == f"{count} of {count} inputs, results and versions are as recorded.\n"


def test_what_was_changed_is_named(table: Path) -> None:
    image = next((table.parent / "cases").rglob("*.tif"))
    image.write_bytes(image.read_bytes() + b"x")
    table.write_text("case\n")
    assert not_same(table) == [("input", "changed"), ("output", "changed")]
    shutil.rmtree(table.parent / "cases")
    table.unlink()
    assert not_same(table) == [("input", "missing"), ("output", "missing")]
    result = run("verify-run", table)
    assert result.exit_code == 1
    assert "output f.csv: missing" in result.stdout


def test_a_missing_input_with_a_relative_path_is_said_to_be_looked_for_here(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = read_json(table.with_name("f.run.json"))
    record["inputs"][0]["path"] = "cases"
    write_json(table.with_name("f.run.json"), record)
    monkeypatch.chdir(tmp_path)
    result = run("verify-run", table)
    assert result.exit_code == 1
    assert f"looked for in {tmp_path}." in result.stdout
    monkeypatch.chdir(table.parent)
    assert "looked for" not in run("verify-run", table).stdout


def test_an_input_that_could_not_be_read_is_not_as_recorded(table: Path) -> None:
    """Its hash is empty, as is that of an input that is gone."""
    record = read_json(table.with_name("f.run.json"))
    record["inputs"][0]["sha256"] = ""
    write_json(table.with_name("f.run.json"), record)
    shutil.rmtree(table.parent / "cases")
    assert not_same(table) == [("input", "not recorded, because it could not be read")]


def test_another_version_is_named_and_no_failure(table: Path) -> None:
    record = read_json(table.with_name("f.run.json"))
    here = record["versions"]["numpy"]
    record["versions"]["numpy"] = "1.0"
    write_json(table.with_name("f.run.json"), record)
    result = run("verify-run", table)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (
        0,
        f"version numpy 1.0: now {here}",
    )


@pytest.mark.parametrize("change", [{"unfinished": True}, {"tool": "other"}])
def test_the_record_of_no_finished_run_is_refused(table: Path, change: dict[str, object]) -> None:
    write_json(table.with_name("f.run.json"), read_json(table.with_name("f.run.json")) | change)
    with pytest.raises(InputError, match="to be the record of a finished run"):
        check_run(table)


def test_a_place_without_a_record_is_refused(table: Path) -> None:
    table.with_name("f.run.json").unlink()
    for place, record in ((table, "f.run.json"), (table.parent, "run.json")):
        with pytest.raises(InputError) as told:
            check_run(place)
        path = table.with_name(record)
        assert str(told.value) == (
            f"Expected {place} to be the results of a run, found no record of one: {path}. Give "
            "the folder or the table that a command wrote."
        )


@pytest.mark.parametrize(
    "change",
    [
        {"options": 5},
        {"inputs": [5]},
        {"inputs": [{"path": "a\0b", "sha256": ""}]},
        {"versions": {}},
    ],
)
def test_a_record_of_another_form_is_refused(table: Path, change: dict[str, object]) -> None:
    write_json(table.with_name("f.run.json"), read_json(table.with_name("f.run.json")) | change)
    with pytest.raises(InputError, match="as it was written, found that these entries differ"):
        check_run(table)


def test_a_crate_describes_all_that_it_refers_to_invariant(table: Path) -> None:
    # RO-Crate 1.1: entities are flat, in @graph, and refer to each other by @id.
    assert run("verify-run", table, "--ro-crate").exit_code == 0
    written = read_json(table.with_name("ro-crate-metadata.json"))
    assert written == run_crate(table)
    entities = {one["@id"]: one for one in written["@graph"]}
    assert len(entities) == len(written["@graph"])

    def referred(value: object) -> list[str]:
        if isinstance(value, list):
            return [name for one in value for name in referred(one)]
        return [value["@id"]] if isinstance(value, dict) else []

    names = {
        name for one in entities.values() for value in one.values() for name in referred(value)
    }
    assert names - entities.keys() == {"https://w3id.org/ro/crate/1.1"}
    results = [{"@id": "f.csv"}, {"@id": "f.datapackage.json"}]
    assert entities["./"]["hasPart"] == entities["#run"]["result"] == results
