import json

import numpy as np
import pandas as pd
import pytest
import tifffile
from typer.testing import CliRunner

from helpers.described import wrongly_described
from lggshape.results import recorded_outputs
from lggshape.shape.table import COLUMNS
from lggshape_cli import app

RUN = CliRunner()


def write_case(folder, name, mask):
    (folder / name).mkdir(parents=True)
    for number, plane in enumerate(mask, start=1):
        image = np.zeros((*plane.shape, 3), dtype=np.uint8)
        tifffile.imwrite(folder / name / f"{name}_{number}.tif", image)
        values = plane.astype(np.uint8) * 255
        tifffile.imwrite(folder / name / f"{name}_{number}_mask.tif", values)


def lobed(seed):
    z, y, x = np.mgrid[:6, :32, :32]
    angle = np.arctan2(y - 15, x - 15)
    radius = 9 + seed + 2 * np.cos((3 + seed) * angle) - (z - 3) ** 2
    return np.hypot(y - 15, x - 15) <= radius


@pytest.fixture
def cohort(tmp_path):
    folder = tmp_path / "cohort"
    for number in (1, 2):
        write_case(folder, f"TCGA_AA_000{number}_20000101", lobed(number))
    return folder


def run(*arguments):
    return RUN.invoke(app, ["features", *map(str, arguments), "--jobs", "1"])


def test_what_segment_wrote_is_automatic_and_its_failures_stay(cohort, tmp_path):
    table = "case,patient,status,reason\nTCGA_AA_0001_20000101,P1,ok,\nlost,P9,failed,no image\n"
    (cohort / "segmentation.csv").write_text(table)
    result = run(cohort, "--out", tmp_path / "f.csv")
    assert result.exit_code == 1
    assert "lost: segmentation failed: no image" in result.stderr
    measured = pd.read_csv(tmp_path / "f.csv").set_index("case")
    assert set(measured["masks"]) == {"automatic"}
    assert measured["patient"].to_dict() == {
        "TCGA_AA_0001_20000101": "P1", "TCGA_AA_0002_20000101": "TCGA_AA_0002", "lost": "P9",
    }  # fmt: skip
    manual = tmp_path / "manual"
    write_case(manual, "other", lobed(1))
    result = run(cohort, manual, "--out", tmp_path / "g.csv")
    assert result.exit_code == 2
    assert "Expected masks of one kind" in result.stderr
    assert run(cohort, manual, "--masks", "mixed", "--out", tmp_path / "g.csv").exit_code == 1
    assert set(pd.read_csv(tmp_path / "g.csv")["masks"]) == {"mixed"}


def test_table_and_record(cohort, tmp_path):
    out = tmp_path / "results" / "features.csv"
    result = run(cohort, "--out", out)
    assert result.exit_code == 0
    assert result.stdout == f"Measured 2 of 2 cases: {out}\n"
    assert result.stderr == ""
    table = pd.read_csv(out)
    assert tuple(table.columns) == COLUMNS
    assert list(table["patient"]) == ["TCGA_AA_0001", "TCGA_AA_0002"]
    assert set(table["masks"]) == {"manual"}
    record = json.loads((out.parent / "features.run.json").read_text(encoding="utf-8"))
    assert record["command"] == "features"
    assert record["options"]["points"] == "corners"
    assert record["inputs"][0]["files"] == 24
    assert (record["cases"], record["failed"]) == (2, 0)
    package = "features.datapackage.json"
    assert set(recorded_outputs(out.parent, record="features.run.json")) == {
        "features.csv",
        package,
    }
    assert wrongly_described(out.with_name(package)) == []


def test_same_input_gives_the_same_bytes_invariant(cohort, tmp_path):
    outs = [tmp_path / f"{name}.csv" for name in "ab"]
    for out in outs:
        assert run(cohort, "--out", out).exit_code == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_options_change_the_table(cohort, tmp_path):
    out = tmp_path / "features.csv"
    options = (
        ("--masks", "automatic"),
        ("--spacing", "5", "1", "1"),
        ("--component", "all"),
        ("--points", "centres"),
        ("--slices", "all"),
        ("--bin-offset", "18"),
        ("--window", "up"),
    )
    run(cohort, "--out", out)
    plain = pd.read_csv(out)
    run(cohort, "--out", out, "--overwrite", *(word for option in options for word in option))
    changed = pd.read_csv(out)
    assert set(changed["masks"]) == {"automatic"}
    assert changed["spacing_known"].all()
    assert changed["sphericity"].notna().all()
    # With the slices so far apart, the fractal dimension of the surface alone has no value.
    assert set(changed["reason"].str.count("no ")) == {1}
    assert changed["surface_fractal_dimension"].isna().all()
    assert (changed["volume"] == 5 * plain["volume"]).all()
    for name in (
        "angular_standard_deviation",
        "margin_fluctuation",
        "bounding_ellipsoid_volume_ratio",
    ):
        assert (changed[name] != plain[name]).all()
    record = json.loads((tmp_path / "features.run.json").read_text(encoding="utf-8"))
    assert record["options"] == {
        "masks": "automatic", "spacing": [5.0, 1.0, 1.0], "component": "all", "points": "centres",
        "slices": "all", "bin_offset": 18.0, "window": "up", "lesions": False, "regions": None,
        "resample_masks": False,
        "mask_values": [], "threshold": None, "pattern": "", "sequences": "",
    }  # fmt: skip


def test_several_paths_are_one_table(cohort, tmp_path):
    out = tmp_path / "features.csv"
    assert run(*sorted(cohort.iterdir(), reverse=True), "--out", out).exit_code == 0
    assert list(pd.read_csv(out)["patient"]) == ["TCGA_AA_0002", "TCGA_AA_0001"]


def test_manifest_gives_the_patients(cohort, tmp_path):
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(
        "case,patient\nTCGA_AA_0001_20000101,Ann\nTCGA_AA_0002_20000101,Bob\n", encoding="utf-8"
    )
    out = tmp_path / "features.csv"
    assert run(cohort, "--out", out, "--manifest", manifest).exit_code == 0
    assert list(pd.read_csv(out)["patient"]) == ["Ann", "Bob"]


def test_failed_case_is_listed_and_the_others_are_measured(cohort, tmp_path):
    bad = cohort / "TCGA_AA_0001_20000101" / "TCGA_AA_0001_20000101_3_mask.tif"
    bad.write_bytes(b"broken")
    out = tmp_path / "features.csv"
    result = run(cohort, "--out", out)
    assert result.exit_code == 1
    assert result.stdout == f"Measured 1 of 2 cases: {out}\n"
    assert result.stderr.startswith("TCGA_AA_0001_20000101: Expected")
    table = pd.read_csv(out)
    assert table["margin_fluctuation"].isna().tolist() == [True, False]
    assert bad.name in table.loc[0, "reason"]


def test_empty_mask_is_no_failure(cohort, tmp_path):
    write_case(cohort, "TCGA_AA_0003_20000101", np.zeros((2, 32, 32), dtype=bool))
    out = tmp_path / "features.csv"
    assert run(cohort, "--out", out).exit_code == 0
    assert pd.read_csv(out).loc[2, "reason"] == "the mask is empty"


def test_quiet_prints_nothing(cohort, tmp_path):
    result = run(cohort, "--out", tmp_path / "features.csv", "--quiet")
    assert (result.exit_code, result.output) == (0, "")


def test_table_of_an_earlier_run_is_kept(cohort, tmp_path):
    out = tmp_path / "features.csv"
    out.write_text("mine", encoding="utf-8")
    result = run(cohort, "--out", out)
    assert result.exit_code == 2
    assert "Move what is there away" in result.stderr
    assert out.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--spacing", "1", "0", "1"), "three positive numbers"),
        (("--spacing", "1e-300", "1", "1"), "of 0.001 to 1000 mm"),
        (("--masks", ""), "a value for --masks, found an empty one"),
        (("--masks", " "), "manual or automatic, found: ' '"),
        (("--bin-offset", "nan"), "finite angle"),
        (("--points", "edges"), "edges"),
    ],
)
def test_options_that_cannot_be_used(cohort, tmp_path, options, message):
    out = tmp_path / "features.csv"
    result = run(cohort, "--out", out, *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("out", "found"),
    [
        ("folder", "found a folder"),
        (".", "found a folder"),
        ("taken.csv", "found none: a folder"),  # its record cannot be written
        ("file.txt/features.csv", "Not a directory"),
        ("file.txt/deeper/features.csv", "Not a directory"),
        (f"{'a' * 300}.csv", "File name too long"),
    ],
)
def test_place_that_cannot_be_written_is_refused_before_measuring(
    cohort, tmp_path, monkeypatch, out, found
):
    monkeypatch.setattr("lggshape.shape.feature_table", None)  # fails if it comes to that
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "taken.run.json").mkdir()
    (tmp_path / "file.txt").write_text("mine", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    result = run(cohort, "--out", out, "--overwrite")
    assert result.exit_code == 2
    assert found in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert ".part" not in result.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_same_case_twice(cohort, tmp_path):
    out = tmp_path / "features.csv"
    result = run(cohort, cohort, "--out", out)
    assert result.exit_code == 2
    assert "every case once, found TCGA_AA_0001_20000101 twice" in result.stderr
    assert list(tmp_path.iterdir()) == [cohort]


def test_path_without_cases(tmp_path):
    result = run(tmp_path / "nowhere", "--out", tmp_path / "features.csv")
    assert result.exit_code == 2
    assert result.stderr.startswith("lggshape: Expected")
    assert not (tmp_path / "features.csv").exists()
