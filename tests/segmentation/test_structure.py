"""The order of imports within segmentation."""

import ast
from itertools import pairwise
from pathlib import Path

import pytest

from lggshape import segmentation

ORDER = ("preprocessing", "networks", "run", "inference", "training")
"""The parts, each of which imports only those before it."""

FOLDER = Path(segmentation.__file__).parent


def imported_parts(part: str) -> set[str]:
    names = set()
    for path in (FOLDER / part).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
    inside = {name.split(".")[2] for name in names if name.startswith("lggshape.segmentation.")}
    return inside & {*ORDER} - {part}


@pytest.mark.parametrize("part", ORDER)
def test_a_part_imports_only_those_before_it_invariant(part: str) -> None:
    assert imported_parts(part) <= set(ORDER[: ORDER.index(part)])


def test_every_part_builds_on_the_one_before_it() -> None:
    """So the order is no matter of taste."""
    found = {part: imported_parts(part) for part in ORDER}
    assert all(before in found[after] for before, after in pairwise(ORDER))
