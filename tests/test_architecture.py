"""The order of imports: data flows one way, and slow libraries are loaded late."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lggshape.extras import EXTRAS

PACKAGE = Path(__file__).resolve().parents[1] / "lggshape"

LEAVES = {"checks", "errors", "extras", "masks", "names", "progress", "slabwise"}
TABLES = LEAVES | {"files", "labels", "statistics", "shape", "tables"}
CASES = LEAVES | {"case", "files", "head", "regions", "results", "parallel", "readers", "tables"}

MAY_IMPORT = {
    "checks": {"errors"},
    "errors": {"names"},
    "extras": {"errors"},
    "names": set(),
    "masks": {"errors"},
    "progress": set(),
    "slabwise": {"masks"},
    "head": {"masks", "slabwise"},
    "regions": {"errors", "files", "names"},
    "case": {"errors", "visualisation"},  # only late, to plot
    "statistics": {"checks", "errors", "extras"},
    "figures": {"errors", "files", "progress"},
    "files": LEAVES,
    "tables": LEAVES | {"files"},
    "parallel": LEAVES,
    "stages": {"parallel"},
    "shards": LEAVES | {"files", "provenance", "readers", "results"},
    "commands": CASES | {"provenance"},
    "results": LEAVES | {"files"},
    "data_package": {"files", "results", "tables", "shape"},  # the last late
    "provenance": LEAVES | {"data_package", "files", "results", "tables"},
    "readers": LEAVES | {"case", "files", "regions", "results", "tables"},
    "phantoms": LEAVES | {"case", "files", "readers"},
    "labels": LEAVES | {"files", "tables"},
    "verification": CASES | {"labels"},
    "inspection": CASES,
    "segmentation": CASES | {"provenance", "figures", "stages"},
    "shape": CASES,
    "association": TABLES | {"figures", "parallel"},
    "evaluation": CASES | {"labels", "statistics", "figures", "association", "shape"},
    "visualisation": CASES | {"figures", "segmentation", "shape", "evaluation"},
    "comparison": CASES | {"statistics", "figures", "segmentation", "shape", "evaluation"},
    "report": TABLES
    | {"figures", "association", "provenance", "results", "evaluation", "comparison"}
    | {"visualisation"},
    "run_check": LEAVES | {"files", "provenance", "results"},
    "doctor": CASES | {"provenance", "phantoms", "segmentation", "shape", "statistics"},
    "demo": CASES
    | TABLES
    | {"phantoms", "segmentation", "association", "evaluation", "verification", "report"}
    | {"figures"},
    "studies": CASES
    | TABLES
    | {"provenance", "figures", "segmentation", "association", "evaluation", "verification"}
    | {"report", "phantoms"},
}
"""For each part of the package, the parts it may import; a new part has to be added here."""


def parts_imported_by(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {path}"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("lggshape.")}


PARTS = sorted({path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py")})


@pytest.mark.parametrize("part", [part for part in PARTS if not part.startswith("_")])
def test_a_part_imports_only_what_lies_before_it_invariant(part: str) -> None:
    path = PACKAGE / part
    files = [path] if path.is_file() else sorted(path.rglob("*.py"))
    imported = set().union(*map(parts_imported_by, files)) - {path.stem}
    assert imported <= MAY_IMPORT[path.stem]


@pytest.mark.parametrize("statement", ["import lggshape", "import lggshape_cli"])
def test_slow_libraries_are_imported_late_invariant(statement: str) -> None:
    slow = [
        "tensorflow",
        "keras",
        "matplotlib",
        "pandas",
        "scipy",
        "skimage",
        "pydicom",
        "highdicom",
        "openpyxl",
        "pyarrow",
        "sklearn",
        "statsmodels",
        "numba",
        "SimpleITK",
    ]
    code = f"{statement}; import sys; print([m for m in {slow} if m in sys.modules])"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == "[]"


# At the left margin, or in the `with` that silences Keras.
_IMPORTED = re.compile(r"(?:|    (?=import keras))(?:import|from) (\w+)")

NEED_AN_EXTRA = {
    "segmentation/_backend.py": {"keras"},
    "statistics/performance.py": {"statsmodels"},
    "statistics/prediction.py": {"sklearn"},
}
"""What imports a package of an extra as soon as it is imported: networks, and parts of studies."""


def test_packages_of_extras_are_imported_where_they_are_used_invariant() -> None:
    found = {}
    for path in PACKAGE.rglob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        modules = {match[1] for line in lines if (match := _IMPORTED.match(line))}
        if needed := modules & EXTRAS.keys():
            found[path.relative_to(PACKAGE).as_posix()] = needed
    assert found == NEED_AN_EXTRA


def test_the_public_names_exist_invariant() -> None:
    import lggshape

    for name in lggshape.__all__:
        assert getattr(lggshape, name) is not None
