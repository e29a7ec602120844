import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import tifffile
from typer.testing import CliRunner

from helpers.described import wrongly_described
from lggshape.evaluation import evaluate
from lggshape.results import recorded_outputs
from lggshape.visualisation.cohort_survey import COLUMNS
from lggshape_cli import app


@pytest.fixture
def masks(cohort, tmp_path):
    """Copy the masks of three of the four cases."""
    for source in sorted(cohort.rglob("*_mask.tif")):
        if "0004" not in source.name:
            target = tmp_path / "masks" / source.relative_to(cohort)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    return tmp_path / "masks"


def run(*arguments):
    result = CliRunner().invoke(app, ["show", *map(str, arguments), "--jobs", "1"])
    return result.exit_code, result.stdout, result.stderr


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def cases_of(cohort):
    return sorted(path.name for path in cohort.iterdir() if path.is_dir())


def test_a_cohort_has_a_table_figures_and_a_record_analytic(cohort, masks, tmp_path):
    out = tmp_path / "out"
    code, printed, messages = run(cohort, "--predicted", masks, "--out", out)
    assert (code, printed, messages) == (0, f"Shown 4 of 4 cases: {out}\n", "")
    figures = ("errors", "intensities", "locations", "volumes_voxels")
    files = [f"{name}.{ending}" for name in figures for ending in ("png", "svg")]
    assert names_in(out) == ["cohort.csv", "datapackage.json", *files[:6], "run.json", *files[6:]]
    assert wrongly_described(out / "datapackage.json") == []
    table = pd.read_csv(out / "cohort.csv")
    assert tuple(table.columns) == COLUMNS
    assert table["case"].tolist() == cases_of(cohort)
    record = json.loads((out / "run.json").read_text())
    assert (record["command"], record["cases"], record["failed"]) == ("show", 4, 0)
    assert sorted([*recorded_outputs(out), "run.json"]) == names_in(out)
    assert len(record["inputs"]) == 2


def test_cases_are_shown_by_name_or_patient_analytic(cohort, masks, tmp_path):
    first, second, *_ = cases_of(cohort)
    rows = [f"{name},P{number // 2}" for number, name in enumerate(cases_of(cohort))]
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("\n".join(["case,patient", *rows]) + "\n")
    out = tmp_path / "out"
    options = ("--predicted", masks, "--manifest", manifest, "--quiet", "--out", out)
    assert run(cohort, "--case", "P0", *options) == (0, "", "")
    ends = ("-features.png", "-features.svg", ".png", ".svg")
    assert names_in(out) == sorted(
        ["run.json", *(f + end for f in (first, second) for end in ends)]
    )
    assert "Dice 1.000" in (out / f"{first}.svg").read_text()
    assert run(cohort, "--case", second, *options, "--overwrite")[0] == 0
    assert names_in(out) == sorted(["run.json", *(second + end for end in ends)])
    assert json.loads((out / "run.json").read_text())["options"]["case"] == [second]


def test_figures_are_written_for_a_journal_too(cohort, tmp_path):
    options = ("--format", "pdf", "--width", 180)
    case = cases_of(cohort)[0]
    for name, more in (("case", ("--case", case)), ("cohort", ())):
        out = tmp_path / name
        assert run(cohort, *more, *options, "--out", out)[0] == 0
        of_kind = [{path.stem for path in out.glob(f"*.{end}")} for end in ("svg", "png", "pdf")]
        assert of_kind[0] == of_kind[1] == of_kind[2] != set()
        record = json.loads((out / "run.json").read_text())["options"]
        assert (record["format"], record["dpi"], record["width"]) == ("pdf", 300, 180)


def moved(masks):
    """Move the masks further from case to case, and return the names, the lowest Dice first."""
    names = names_in(masks)
    for step, name in enumerate(names):
        for path in (masks / name).iterdir():
            tifffile.imwrite(path, np.roll(tifffile.imread(path), 2 * step, axis=1))
    return names[::-1]


def test_a_page_shows_all_cases_analytic(cohort, masks, tmp_path):
    out, names = tmp_path / "out", cases_of(cohort)[2:]
    for name in names:
        shutil.copytree(cohort / name, tmp_path / "two" / name)
    shutil.copytree(masks / names[0], tmp_path / "one" / names[0])
    options = ("--all", "--predicted", tmp_path / "one", "--out", out)
    code, printed, messages = run(tmp_path / "two", *options)
    shown = f"Shown 2 of 2 cases: {out / 'index.html'}\n"
    assert (code, printed, messages) == (0, shown, "")
    page = (out / "index.html").read_text("utf-8")
    links = re.findall(r'<li>\n<a href="(.*?)\.svg">', page)
    assert links == names
    assert all((out / f"{name}-features.svg").exists() for name in links)
    assert page.count("<dt>Dice</dt><dd>1.000</dd>") == 1  # the second has no predicted mask
    assert page.count("data:image/jpeg") == 2
    assert set(names_in(out)) == {*recorded_outputs(out), "run.json"}


def test_the_worst_cases_come_first_on_their_page_invariant(cohort, masks, tmp_path):
    worst = moved(masks)
    scores = evaluate(masks, cohort, jobs=1).scores.set_index("case")["dice"]
    assert scores.sort_values().index.tolist() == worst
    out = tmp_path / "out"
    code, _, _ = run(cohort, "--worst", 2, "--predicted", masks, "--out", out)
    page = (out / "index.html").read_text("utf-8")
    found = re.findall(r'<li>\n<a href="(.*?)\.svg">', page)
    assert (code, found) == (0, worst[:2])
    values = re.findall("<dt>Dice</dt><dd>(.*?)</dd>", page)
    assert values == [f"{scores[name]:.3f}" for name in found]
    assert sorted(path.stem for path in out.glob("*.png")) == sorted(
        [*found, *(f"{name}-features" for name in found)]
    )


def test_without_references_the_dice_to_expect_decides_analytic(cohort, masks, tmp_path):
    names = names_in(masks)
    rows = [f"{name},{name},ok,,0.{9 - place},look" for place, name in enumerate(names)]
    table = "\n".join(["case,patient,status,reason,expected_dice,check", *rows])
    images = tmp_path / "images"
    shutil.copytree(cohort, images, ignore=shutil.ignore_patterns("*_mask.tif"))
    (masks / "segmentation.csv").write_text(table + "\n")
    out = tmp_path / "out"
    assert run(images, "--worst", 1, "--predicted", masks, "--out", out)[0] == 0
    page = (out / "index.html").read_text("utf-8")
    assert re.findall(r'<li>\n<a href="(.*?)\.svg">', page) == names[-1:]
    assert "<dt>Dice to expect</dt><dd>0.700</dd><dt>Check</dt><dd>look" in page


def test_a_case_that_cannot_be_read_is_on_the_page_of_the_worst(cohort, masks, tmp_path):
    broken = min(masks.iterdir())
    (broken / f"{broken.name}_3_mask.tif").write_bytes(b"no TIFF")
    out = tmp_path / "out"
    code, printed, _ = run(cohort, "--worst", 1, "--predicted", masks, "--out", out)
    assert (code, printed.startswith("Shown 1 of 2 cases")) == (1, True)
    page = (out / "index.html").read_text("utf-8")
    assert f'<td class="text">{broken.name}</td><td class="long">Expected a slice' in page


def test_two_runs_give_the_same_bytes_invariant(cohort, tmp_path):
    case = cases_of(cohort)[0]
    for name in ("one", "two"):
        assert run(cohort, "--out", tmp_path / name)[0] == 0
        assert run(cohort, "--case", case, "--out", tmp_path / name / "case")[0] == 0
    files = [path for path in (tmp_path / "one").rglob("*.*") if path.name != "run.json"]
    assert len(files) == 12
    for path in files:
        other = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == other.read_bytes()
    assert run(cohort, "--case", case, "--out", tmp_path / "one" / "case")[0] == 2


def test_a_failed_case_is_listed_and_the_others_go_on_analytic(cohort, masks, tmp_path):
    broken = min(masks.iterdir())
    (broken / f"{broken.name}_3_mask.tif").write_bytes(b"no TIFF")
    code, printed, messages = run(cohort, "--predicted", masks, "--out", tmp_path / "all")
    assert (code, printed) == (1, f"Shown 3 of 4 cases: {tmp_path / 'all'}\n")
    assert messages.startswith(f"{broken.name}: Expected a slice of case")
    table = pd.read_csv(tmp_path / "all" / "cohort.csv").set_index("case")
    assert table["reason"].notna().sum() == 1
    # The message says where the masks lie, the table does not.
    told = messages.replace(f"{masks.parent}/", "")
    assert f"{broken.name}: {table.loc[broken.name, 'reason']}\n" == told
    options = ("--case", broken.name, "--predicted", masks)
    code, printed, _ = run(cohort, *options, "--out", tmp_path / "one")
    assert (code, names_in(tmp_path / "one")) == (1, ["run.json"])


def test_unusable_input_is_one_line_and_leaves_nothing_analytic(cohort, tmp_path):
    out, empty = tmp_path / "out", tmp_path / "empty"
    empty.mkdir()
    for arguments, message in (
        ((tmp_path / "nowhere",), "Expected a folder of cases"),
        ((cohort, "--case", "nobody"), "Expected names of cases or patients"),
        ((cohort, "--predicted", empty), "Expected cases as"),
        ((cohort, "--worst", 2), "Expected options that have an effect, found --worst without"),
        ((cohort, "--all", "--case", "a"), "Expected options that have an effect, found --case"),
    ):
        code, printed, messages = run(*arguments, "--out", out)
        assert (code, printed, messages.count("\n")) == (2, "", 1)
        assert messages.startswith(f"lggshape: {message}")
        assert not out.exists()
