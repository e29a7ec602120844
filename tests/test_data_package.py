"""`datapackage.json`: what the columns of tables mean.

The tests of the commands compare it with the tables that they write.
"""

import json
import re
import runpy
import tomllib
from pathlib import Path

import pytest

from helpers.described import wrongly_described
from lggshape.data_package import own_columns, package_of
from lggshape.errors import InputError
from lggshape.files import write_json
from lggshape.provenance import recorded
from lggshape.results import recorded_outputs
from lggshape.shape import FEATURES
from lggshape.shape.table import COLUMNS
from lggshape.tables import SCHEMA_VERSION, read_table

DOCS = Path(__file__).parents[1] / "docs"


def described(record: Path, command: str) -> dict:
    """Write the package of the tables beside a record, and return what it holds."""
    package = package_of(record, command)
    assert package is not None
    write_json(*package)
    return json.loads(package[0].read_text(encoding="utf-8"))


def written(path: Path, text: str, command: str) -> dict:
    path.write_text(text, encoding="utf-8")
    return described(path.with_name(f"{path.stem}.run.json"), command)


def test_a_package_has_the_form_of_its_standard_analytic(tmp_path: Path) -> None:
    """The names are those of https://specs.frictionlessdata.io/tabular-data-package/."""
    package = written(tmp_path / "a.CSV", "Patient,IDH\nP1,WT\n", "labels")
    assert package.pop("lggshape_schema") == SCHEMA_VERSION
    (resource,) = package.pop("resources")
    assert package == {"profile": "tabular-data-package", "name": "lggshape-labels"}
    fields = [
        {"name": "Patient", "type": "string", "description": "identifier of the patient"},
        {
            "name": "IDH",
            "type": "string",
            "description": own_columns("labels", "labels")["*"].meaning,
        },
    ]
    assert resource == {
        "name": "labels",
        "path": "a.CSV",
        "profile": "tabular-data-resource",
        "encoding": "utf-8",
        "schema": {"fields": fields, "missingValues": [""]},
    }


def test_features_have_the_types_and_units_of_the_registry_invariant(tmp_path: Path) -> None:
    package = written(tmp_path / "f.csv", ",".join([*COLUMNS, "my column"]), "features")
    fields = {field["name"]: field for field in package["resources"][0]["schema"]["fields"]}
    assert {name: fields[name]["unit"] for name in FEATURES} == {
        name: feature.unit for name, feature in FEATURES.items()
    }
    assert fields["components"]["type"] == "integer"
    assert fields["volume"]["type"] == "number"
    assert fields["volume"]["description"].endswith("In voxels if `spacing_known` is `False`.")
    assert fields["sphericity"]["description"].endswith("Empty if `spacing_known` is `False`.")
    assert fields["slice"]["description"].endswith(
        "in the plane of acquisition"
    )  # the link is gone
    assert fields.pop("my column") == {"name": "my column", "type": "any"}
    assert all(field["description"] for field in fields.values())


def test_a_table_that_is_like_another_has_its_columns_invariant(tmp_path: Path) -> None:
    (tmp_path / "groups.csv").write_text("group,level,n\n", encoding="utf-8")
    (groups,) = described(tmp_path / "run.json", "evaluate")["resources"]
    n = own_columns("evaluate", "summary")["n"]
    assert groups["schema"]["fields"][-1] == {
        "name": "n",
        "type": n.type,
        "description": n.meaning,
    }


def test_commands_without_described_tables_have_no_package_invariant(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("a\n", encoding="utf-8")
    with recorded(tmp_path / "run.json", command="replicate", options={}, inputs=[]):
        pass
    assert set(recorded_outputs(tmp_path)) == {"scores.csv"}


def test_a_table_of_a_later_version_is_refused_analytic(tmp_path: Path) -> None:
    table = tmp_path / "features.csv"
    package = written(table, "case,patient\nC,P\n", "features")
    assert read_table(table)["case"].tolist() == ["C"]
    for name in ("features.datapackage.json", "datapackage.json"):
        write_json(tmp_path / name, package | {"lggshape_schema": SCHEMA_VERSION + 1})
        with pytest.raises(InputError, match=r"found version 2 in .*datapackage.json. Install"):
            read_table(table)
        (tmp_path / name).unlink()


@pytest.mark.parametrize(
    "package",
    [
        {"resources": [{"path": "a.csv"}]},
        {"lggshape_schema": "9", "resources": [{"path": "a.csv"}]},
        {"lggshape_schema": 9, "resources": [{"path": "b.csv"}]},
        {"lggshape_schema": 9, "resources": 1},
        {"lggshape_schema": 9, "resources": [1]},
        [],
    ],
)
def test_a_package_of_something_else_is_no_hindrance_invariant(package, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("case\nC\n", encoding="utf-8")
    (tmp_path / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    assert read_table(tmp_path / "a.csv")["case"].tolist() == ["C"]


def test_what_is_not_described_is_found_analytic(tmp_path: Path) -> None:
    """The check of the other tests is not vacuous."""
    (tmp_path / "slices.csv").write_text("case,mine,slice,area,score\nC,1,1.5,,inf\n")
    (tmp_path / "other.csv").write_text("a\n")
    described(tmp_path / "run.json", "segment")
    assert wrongly_described(tmp_path / "datapackage.json") == [
        "other.csv", *(f"slices.csv: {name}" for name in ("mine", "slice", "score"))
    ]  # fmt: skip


def test_the_pages_have_the_columns_of_the_source_invariant() -> None:
    script = runpy.run_path(str(DOCS / "column_tables.py"))
    pages = {path: path.read_text(encoding="utf-8") for path in script["PAGES"]}
    assert {path: script["replace_tables"](page) for path, page in pages.items()} == pages
    shown = re.findall(r"<!-- columns of (\w+\.\w+) -->", "".join(pages.values()))
    described = tomllib.loads((DOCS.parent / "lggshape" / "columns.toml").read_text("utf-8"))
    every = {f"{command}.{table}" for command, tables in described.items() for table in tables}
    assert sorted(shown) == sorted(every - {"every.table"})
