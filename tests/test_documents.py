"""Examples in the README and in `docs/` run: Python blocks, and the commands in shell blocks."""

import re
import shlex
import shutil
from pathlib import Path

import matplotlib
import pytest
from typer.main import get_command

from lggshape.association.hypotheses import MOST_HYPOTHESES
from lggshape.labels.kinds import MOST_LEVELS
from lggshape.names import LONGEST_NAME
from lggshape.readers.source import MOST_VALUES
from lggshape.shape.prepared import MOST_FACES, MOST_VOXELS
from lggshape.tables.text_table import MOST_COLUMNS

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^```(?P<language>python|sh)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document: Path, language: str) -> list[str]:
    text = document.read_text(encoding="utf-8")
    return [found["code"] for found in _BLOCK.finditer(text) if found["language"] == language]


def commands(document: Path) -> list[list[str]]:
    """Return the arguments of each call of lggshape in the shell blocks of a document."""
    lines = "\n".join(blocks(document, "sh")).replace("\\\n", " ").splitlines()
    calls = [shlex.split(line, comments=True) for line in lines]
    # Variables of the environment may be set in front of a command.
    stripped = [[word for word in call if not re.match(r"[A-Z_]+=", word)] for call in calls]
    return [call[1:] for call in stripped if call and call[0] == "lggshape"]


PYTHON = [document for document in DOCUMENTS if blocks(document, "python")]
SHELL = [
    pytest.param(call, id=f"{document.name}: {' '.join(call)[:80]}")
    for document in DOCUMENTS
    for call in commands(document)
]


@pytest.fixture(scope="module")
def named_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with files under the names that the documents use, of synthetic patients."""
    from lggshape.studies.buda2019.phantom_labels import write_phantoms

    folder = tmp_path_factory.mktemp("documents")
    cohort = write_phantoms(folder / "kaggle_3m", patients=12, size=(8, 48, 48))
    shutil.move(cohort / "labels.csv", cohort / "data.csv")
    for table in ("idh_1p19q.csv", "clinical.csv"):
        shutil.move(cohort / table, folder / table)
    for copy in ("masks", "my_cases"):
        shutil.copytree(cohort, folder / copy, ignore=shutil.ignore_patterns("*.csv"))
    shutil.copy(cohort / "data.csv", folder / "labels.csv")
    return folder


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("document", PYTHON, ids=lambda document: document.name)
def test_python_of_a_document_runs(
    document: Path, named_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    matplotlib.use("Agg")
    for path in named_files.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    for code in blocks(document, "python"):
        exec(compile(code, str(document), "exec"), namespace)


@pytest.mark.parametrize("call", SHELL)
def test_commands_of_a_document_exist_with_their_options(call: list[str]) -> None:
    from lggshape_cli import app

    group = get_command(app)
    with group.make_context("lggshape", list(call[:1]), resilient_parsing=True) as context:
        command = group.get_command(context, call[0])
        assert command is not None, call
        # Parsing checks names and values of the options and counts the arguments.
        command.make_context(call[0], list(call[1:]), parent=context)


def test_the_limits_in_the_guide_are_those_of_the_code_invariant() -> None:
    text = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    voxels, faces = MOST_VOXELS.bit_length() - 1, MOST_FACES.bit_length() - 1
    assert (1024 * 512**2, 2**voxels, 2**faces) == (MOST_VALUES, MOST_VOXELS, MOST_FACES)
    for limit in (
        "| 2^28: 1,024 slices of 512 × 512 pixels |",
        f"| voxels of a component that is measured | 2^{voxels} |",
        f"| voxel faces on the surface of a component | 2^{faces} |",
        f"| columns of a table | {MOST_COLUMNS:,} |",
        f"| levels of a label | {MOST_LEVELS} |",
        f"| characters in a level | {LONGEST_NAME} |",
        f"| hypotheses in a family | {MOST_HYPOTHESES:,} |",
    ):
        assert limit in text
