"""What befalls a command from outside: kills, disks, names, other runs, and inputs that change."""

import os
import resource
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers.case_files import write_nifti
from helpers.faults import Fault, Killed, run_forked
from helpers.run_folders import NEW, OLD, results_of, write
from lggshape.errors import InputError
from lggshape.files import read_json
from lggshape.names import as_unicode
from lggshape.phantoms import ball
from lggshape.readers import open_cases
from lggshape.results import results_folder
from lggshape.shape import feature_table
from lggshape_cli import app


def write_mask(folder: Path) -> Path:
    write_nifti(folder / "P1_mask.nii.gz", ball(4).astype(np.uint8))
    return folder


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """Folder of a mask."""
    return write_mask(tmp_path / "masks")


def features_of(masks: Path, options: Sequence[str] = ()) -> None:
    """Measure the mask, into the working folder."""
    app(["features", str(masks), "--out", "features.csv", "--jobs", "1", *options])


def measured(masks: Path, out: Path) -> pd.DataFrame:
    """Run `features`, which goes on whatever befalls a case, and return its table."""
    result = CliRunner().invoke(app, ["features", str(masks), "--out", str(out)])
    assert result.exit_code in {0, 1}, result.output
    return pd.read_csv(out).set_index("case")


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    """Return the command `features`, to be killed."""
    top, here = tmp_path_factory.mktemp("killed"), Path.cwd()
    call = partial(features_of, write_mask(top / "masks"))
    try:
        return Killed(call, top / "work", "features.csv")
    finally:
        os.chdir(here)


@pytest.mark.parametrize(
    ("fault", "share", "status"),
    [("kill", 1.0, -9), ("torn", 0.4, -9), ("full", 0.2, 2), ("read-only", 0.7, 2)],
)
def test_whatever_stops_a_command_it_can_be_done_again_invariant(
    killed: Killed, monkeypatch: pytest.MonkeyPatch, fault: Fault, share: float, status: int
) -> None:
    """`benchmarks/kill_points.py` does this to all commands, at all points."""
    monkeypatch.chdir(Path.cwd())  # and back, at the end
    found = killed.fail(int(share * (len(killed.points) - 1)), fault)
    assert (found.half, found.other, found.status) == ("", "", status), found


def test_a_write_that_fails_halfway_leaves_nothing_invariant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, masks: Path
) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")

    def with_small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        features_of(masks)

    assert run_forked(with_small_files, tmp_path / "work").status == 2
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [b"Q" * 240 + b"_mask.nii.gz", b"Q\xff_mask.nii.gz", b"run.json_mask.nii.gz", b"\x1b_mask.nii"],
    ids=["255 bytes", "no Unicode", "a record", "an escape code"],
)
def test_a_case_of_any_name_costs_no_other_analytic(
    masks: Path, tmp_path: Path, name: bytes
) -> None:
    content = (masks / "P1_mask.nii.gz").read_bytes()
    (masks / os.fsdecode(name)).write_bytes(content)
    table = measured(masks, tmp_path / "features.csv")
    assert table["volume"].notna().tolist() == [False, True]
    assert table.index[1] == "P1"


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """Folder whose name is no Unicode, with the images and masks of two cases; one is damaged."""
    folder = tmp_path / os.fsdecode(b"caf\xe9") / "cases"
    for role in ("flair", "mask"):
        write_nifti(folder / f"P1_{role}.nii.gz", ball(4).astype(np.uint8))
        (folder / f"P2_{role}.nii.gz").write_bytes(b"damaged")
    (folder / os.fsdecode(b"caf\xe9.nii")).touch()  # of no case
    return folder


@pytest.mark.parametrize("command", ["features", "show", "verify", "inspect"])
def test_a_folder_whose_name_is_no_unicode_costs_no_case_analytic(
    nowhere: Path, tmp_path: Path, command: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Reasons name its files: in tables, pages, records and on the terminal."""
    out = tmp_path / "out"
    where = {"features": ["--out", str(out / "features.csv")], "show": ["--out", str(out)]}
    result = CliRunner().invoke(app, [command, str(nowhere), *where.get(command, ["--json"])])
    assert result.exit_code == (0 if command == "inspect" else 1), result.output
    written = [path.read_text() for path in out.rglob("*.*") if path.suffix in {".csv", ".json"}]
    told = result.output + "".join(written)
    assert "udce9" in told
    assert all(as_unicode(message) == message for message in caplog.messages)
    assert "P2_" in told
    if command == "features":
        assert pd.read_csv(out / "features.csv")["volume"].notna().tolist() == [True, False]
    if command in where:
        record = read_json(out / ("features.run.json" if command == "features" else "run.json"))
        assert os.path.exists(record["inputs"][0]["path"])  # noqa: PTH110  (of these very bytes)


@pytest.mark.parametrize(
    "names",
    [(b"M\xfcller", b"M\xf6ller"), (b"P\t", b"P\x85"), (b"Q" * 130 + b"1", b"Q" * 130 + b"2")],
)
def test_two_names_that_look_alike_are_two_cases_analytic(
    masks: Path, tmp_path: Path, names: tuple[bytes, bytes]
) -> None:
    """As in an archive whose names are in another encoding."""
    content = (masks / "P1_mask.nii.gz").read_bytes()
    for name in names:
        (masks / os.fsdecode(name + b"_mask.nii.gz")).write_bytes(content)
    table = measured(masks, tmp_path / "features.csv")
    assert (len(table), table.index.nunique()) == (3, 3)
    assert table["volume"].notna().sum() == 1
    assert CliRunner().invoke(app, ["inspect", str(masks)]).exit_code == 0


def test_inspect_writes_no_control_characters_analytic(masks: Path) -> None:
    odd = "P\x1b[31m\n\u202eQ_mask.nii.gz"
    (masks / odd).write_bytes((masks / "P1_mask.nii.gz").read_bytes())
    printed = CliRunner().invoke(app, ["inspect", str(masks)]).output
    assert r"P\x1b[31m\n\u202eQ_mask.nii.gz" in printed
    assert all(line.isprintable() for line in printed.split("\n"))


def test_a_manifest_that_could_not_name_a_file_is_not_written_analytic(
    nowhere: Path, tmp_path: Path
) -> None:
    out = tmp_path / "manifest.csv"
    result = CliRunner().invoke(app, ["inspect", str(nowhere), "--write", str(out)])
    assert (result.exit_code, out.exists()) == (2, False)
    assert r"to be Unicode, found caf\udce9/cases/P1_flair.nii.gz" in result.stderr
    CliRunner().invoke(app, ["inspect", str(nowhere), "--write", str(nowhere / "manifest.csv")])
    assert "P1_flair.nii.gz" in (nowhere / "manifest.csv").read_text()  # relative to itself


def test_links_in_a_circle_cost_no_case_analytic(masks: Path, tmp_path: Path) -> None:
    (masks / "a").symlink_to(masks / "b")
    (masks / "b").symlink_to(masks / "a")
    (masks / "itself").symlink_to(masks)
    assert measured(masks, tmp_path / "features.csv").index.tolist() == ["P1"]


def test_a_case_that_vanishes_after_it_was_listed_fails_alone_analytic(masks: Path) -> None:
    write_nifti(masks / "P2_mask.nii.gz", ball(4).astype(np.uint8))
    sources = open_cases(masks, masks_only=True)
    (masks / "P2_mask.nii.gz").unlink()
    table = feature_table(sources, jobs=1).table.set_index("case")
    assert table.loc["P1", "volume"] > 0
    assert "P2_mask.nii.gz" in table.loc["P2", "reason"]


def test_a_clock_that_runs_backwards_changes_nothing_invariant(
    masks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = measured(masks, tmp_path / "before.csv")
    times = iter(range(10**6, 0, -1000))
    monkeypatch.setattr(time, "time", lambda: float(next(times)))
    os.utime(masks / "P1_mask.nii.gz", (2**33, 2**33))  # and a file from the year 2242
    pd.testing.assert_frame_equal(measured(masks, tmp_path / "after.csv"), expected)


@pytest.mark.parametrize("overwrite", [False, True])
def test_of_two_runs_at_once_the_last_is_kept_aside_unless_it_may_replace_the_other_invariant(
    tmp_path: Path, overwrite: bool
) -> None:
    out = tmp_path / "out"

    def run_while_another_ends() -> None:
        with results_folder(out, overwrite=overwrite) as place:
            write(place, NEW)
            write(out, OLD)

    if overwrite:
        run_while_another_ends()
    else:
        with pytest.raises(InputError, match=r"no other run to write.* they were kept in"):
            run_while_another_ends()
    found = {name: text for name, text in results_of(out).items() if not name.startswith(".")}
    assert found == (NEW if overwrite else OLD)
