from pathlib import Path

import pytest
from matplotlib.figure import Figure

from lggshape.report.gallery import Gallery


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/etc/passwd",
        "..",
        "",
        "a\\b",
        "a\0b",
        "nul",
        "CON",
        "é" * 300,
        "日" * 300,
        "\ud800",
    ],
)
def test_files_stay_in_their_folder_whatever_their_name_is_invariant(
    tmp_path: Path, name: str
) -> None:
    drawing = Gallery(tmp_path / "out").keep(Figure(), "Nothing", name)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert found == {f"out/figures/{drawing.name}.{ending}" for ending in ("png", "svg")}
    assert drawing.name.lower() not in {"nul", "con"}


def test_names_that_differ_only_in_signs_or_case_have_files_of_their_own_invariant(
    tmp_path: Path,
) -> None:
    gallery = Gallery(tmp_path)
    names = [gallery.keep(Figure(), "", *name).name for name in (("a", "b c"), ("A", "b/c"))]
    assert len({name.lower() for name in names}) == 2
