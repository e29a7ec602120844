"""Folders of results: how a command writes them, and what is in them."""

from pathlib import Path

from lggshape.provenance import recorded
from lggshape.results import results_folder

OLD = {"a.csv": "1", "figures/b.svg": "2", "gone/c.svg": "3"}
NEW = {"a.csv": "4", "figures/b.svg": "5", "new/d.svg": "6"}


def tree(folder: Path) -> dict[str, str]:
    """Return every file in a folder with its text, private folders included."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write(out: Path, files: dict[str, str], *, overwrite: bool = False) -> None:
    """Write results as a command does."""
    with (
        results_folder(out, overwrite=overwrite) as place,
        recorded(place / "run.json", command="c", options={}, inputs=[]),
    ):
        for name, text in files.items():
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_text(text)


def results_of(out: Path) -> dict[str, str]:
    """Return every file in a folder with its text, without the record of the run."""
    found = tree(out)
    del found["run.json"]
    return found
