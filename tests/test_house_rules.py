"""Rules of the house that a tool can check: no paper in the tool, short files and functions."""

import ast
import inspect
import re
import subprocess
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(path for part in ("lggshape", "cli") for path in (ROOT / part).rglob("*.py"))

# --- the tool knows no paper

GUESTS = ("lggshape/studies/", "lggshape/readers/slice_folders.py")
"""What may know a study and its data: the studies themselves, and the reader of their layout."""

NAMES_OF_A_STUDY = re.compile(
    r"buda|mazurowski|the paper\b|kaggle|tcga|rna-?seq|methylation_?cluster|mirna|cn_?cluster"
    r"|coc_?cluster|oncosign|rppa|\bR[1-4]\b(?! *=)|idh_?1p19q|\bcluster of clusters\b",
    re.IGNORECASE,
)

CITATION = re.compile(
    r"Buda et al\. 2019|Buda M, Saha A, Mazurowski MA\."
    r"|Cox-Snell R2"
)
"""The scientific source of a definition may be named where the definition stands."""


def texts_of_the_tool() -> list[Path]:
    endings = {".py", ".pyi", ".jinja", ".css", ".toml", ".html"}
    paths = [*(ROOT / "lggshape").rglob("*"), *(ROOT / "cli").rglob("*")]
    return [
        path
        for path in sorted(paths)
        if path.suffix in endings and not path.relative_to(ROOT).as_posix().startswith(GUESTS)
    ]


def test_the_tool_names_no_study_invariant() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in texts_of_the_tool()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if NAMES_OF_A_STUDY.search(CITATION.sub("", line))
    ]
    assert found == []


def test_the_tool_names_no_study_sees_one_analytic() -> None:
    assert NAMES_OF_A_STUDY.search('if family.name == "buda2019":')
    assert NAMES_OF_A_STUDY.search("TCGA_CS_4941")
    assert NAMES_OF_A_STUDY.search("the cluster R2")


def test_nothing_imports_a_study_invariant() -> None:
    importing = re.compile(
        r"lggshape\.studies\.\w+|lggshape\.studies import (?!find_|open_|replicate)"
    )
    outside = [path for path in SOURCES if "studies" not in path.parts]
    assert [path.name for path in outside if importing.search(path.read_text("utf-8"))] == []


# --- short files, short functions, one name for one thing

LONG_FILES: dict[str, str] = {}

MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60


@pytest.mark.parametrize("part", ["lggshape", "cli", "tests", "benchmarks", "reports"])
def test_files_are_short_invariant(part: str) -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / part).rglob("*.py")
    }
    long = {name for name, lines in lengths.items() if lines > MOST_LINES}
    assert long - LONG_FILES.keys() == set()


def _lines_without_docstring(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert function.end_lineno is not None
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        assert docstring.end_lineno is not None
        lines -= docstring.end_lineno - docstring.lineno + 1
    return lines


def test_functions_are_short_invariant() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and _lines_without_docstring(node) > MOST_LINES_OF_A_FUNCTION
    ]
    assert long == []


def test_no_two_public_classes_have_one_name_invariant() -> None:
    names = Counter(
        node.name
        for path in SOURCES
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []


# --- docstrings

UNPLAIN = re.compile(r'"""(Give|Say|Tell)\b')


def test_docstrings_begin_with_plain_verbs_invariant() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if UNPLAIN.search(line)
    ]
    assert found == []


INNER_PARTS = {"results", "studies"}
"""Parts that nobody calls but the commands and the other parts."""


@pytest.mark.parametrize(
    "part",
    sorted(
        path.parent.name
        for path in (ROOT / "lggshape").glob("*/__init__.py")
        if path.parent.name not in INNER_PARTS
    ),
)
def test_public_functions_have_an_example_invariant(part: str) -> None:
    module = import_module(f"lggshape.{part}")
    public = {name: getattr(module, name) for name in module.__all__}
    without = [
        name
        for name, found in public.items()
        if inspect.isfunction(found) and ">>>" not in (found.__doc__ or "")
    ]
    assert without == []


# --- what is committed


def test_no_link_is_committed_invariant() -> None:
    # A link that is right on one machine leads nowhere, or to a stranger's file, on another.
    listed = subprocess.run(
        ["git", "ls-files", "--stage"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no checkout of git")
    assert [line for line in listed.stdout.splitlines() if not line.startswith("100")] == []
