"""Whether `datapackage.json` describes the tables that lie beside it."""

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

READ_AS: dict[str, Callable[[str], Any]] = {
    "string": str,
    "integer": int,
    "number": lambda cell: 1 / math.isfinite(float(cell)),
    "boolean": ["True", "False"].index,
}
"""By type of Table Schema, a function that raises if a cell is not of it."""


def wrongly_described(package: Path) -> list[str]:
    """Return each column without a meaning, or with a cell that is not of its type.

    So is every table of the folder that is not described, unless the file describes a single one.
    """
    described = json.loads(package.read_text(encoding="utf-8"))["resources"]
    paths = {one["path"] for one in described}
    every = {path.name for path in package.parent.glob("*.csv")}
    wrong = sorted(paths ^ every) if package.name == "datapackage.json" else []
    for one in described:
        with (package.parent / one["path"]).open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        fields = one["schema"]["fields"]
        assert [field["name"] for field in fields] == header
        for place, field in enumerate(fields):
            cells = [row[place] for row in rows if row[place]]
            if not (field.get("description") and all(map(_fits(field["type"]), cells))):
                wrong.append(f"{one['path']}: {field['name']}")
    assert paths
    return wrong


def _fits(type_: str) -> Callable[[str], bool]:
    def fits(cell: str) -> bool:
        try:
            READ_AS[type_](cell)
        except (KeyError, ValueError, ZeroDivisionError):
            return False
        return True

    return fits
