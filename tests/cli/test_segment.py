import json
import shutil

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import tifffile
from typer.testing import CliRunner

from helpers.described import wrongly_described
from lggshape.phantoms import make_phantom
from lggshape.readers import open_cases
from lggshape.readers.segmented import CHECK_COLUMNS
from lggshape.results import record_file, recorded_outputs
from lggshape_cli import app


@pytest.fixture
def one_network(networks, tmp_path):
    """Folder of the same networks without that of the second fold."""
    folder = shutil.copytree(networks, tmp_path / "one_network")
    shutil.rmtree(folder / "fold1-member0")
    return folder


def run(*arguments):
    return CliRunner().invoke(app, ["segment", *map(str, arguments)])


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def names(folder):
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def test_masks_tables_record_and_summary(cohort, networks, tmp_path):
    out = tmp_path / "out"
    result = run(cohort, "--out", out, "--networks", networks)
    assert (result.exit_code, result.stderr) == (0, "")
    table = pd.read_csv(out / "segmentation.csv")
    empty = int((table["status"] == "empty").sum())
    assert result.stdout == (f"Segmented 4 of 4 cases ({empty} without tumour, 0 skipped): {out}\n")
    assert set(table["status"]) <= {"ok", "empty"}
    cases = [source.id for source in open_cases(cohort)]
    assert table["case"].tolist() == cases
    record = read_json(out / "run.json")
    assert (record["command"], record["cases"], record["failed"]) == ("segment", 4, 0)
    assert record["options"] == {
        "effort": "usual", "maps": [], "device": "auto", "skip_seen": False, "write": "layout",
        "register": False, "pattern": "", "sequences": "", "spacing": None,
    }  # fmt: skip
    assert [given["path"] for given in record["inputs"]] == [str(cohort), str(networks)]
    assert sorted([*recorded_outputs(out), "run.json"]) == names(out)
    masks = {f"{case}/{case}_{number}_mask.tif" for case in cases for number in range(1, 7)}
    assert set(recorded_outputs(out)) == {
        *masks, "datapackage.json", "segmentation.csv", "segmentation.json", "segmentation.jsonl",
        "slices.csv",
    }  # fmt: skip
    assert wrongly_described(out / "datapackage.json") == []
    assert [source.read().mask.shape for source in open_cases(out, masks_only=True)] == [
        (6, 48, 40)
    ] * 4


def test_doubtful_masks_are_counted_analytic(cohort, networks, tmp_path):
    judged = shutil.copytree(networks, tmp_path / "judged")
    lines = dict.fromkeys(("low", "expected", "high"), (0, 1))  # a Dice of one half for all
    model = {"terms": {}, "intercept": 0, "lines": lines, "ok": 0.8, "doubtful": 0.7}
    (judged / "check.json").write_text(json.dumps(model))
    out = tmp_path / "out"
    result = run(cohort, "--out", out, "--networks", judged)
    assert ", 0 skipped, 4 doubtful): " in result.stdout
    table = pd.read_csv(out / "segmentation.csv")
    assert set(table["check"]) == {"doubtful"}
    found = table.loc[table["status"] == "ok", list(CHECK_COLUMNS[:3])]
    assert (found == 0.5).all(axis=None)
    assert table.loc[table["status"] == "empty", "expected_dice"].isna().all()


def test_maps_are_written_if_asked(cohort, networks, tmp_path):
    case = open_cases(cohort)[0]
    for options, kinds in (
        (("--probabilities",), {"mask", "probability"}),
        (("--uncertainty", "--fast"), {"mask", "uncertainty", "entropy"}),
    ):
        out = tmp_path / options[0]
        result = run(case.path, "--out", out, "--networks", networks, "--quiet", *options)
        assert (result.exit_code, result.output) == (0, "")
        assert names(out / case.id) == sorted(
            f"{case.id}_{number}_{kind}.tif" for kind in kinds for number in range(1, 7)
        )


def test_fast_and_thorough_exclude_each_other(cohort, networks, tmp_path):
    result = run(cohort, "--out", tmp_path / "out", "--networks", networks, "--fast", "--thorough")
    assert result.exit_code == 2
    assert "Expected --fast or --thorough, found both." in result.stderr


def test_several_inputs_and_a_manifest(cohort, networks, tmp_path):
    folds = read_json(networks / "folds.json")["patients"]
    sources = open_cases(cohort)
    stranger = make_phantom(np.random.default_rng(99), size=(6, 48, 40))
    path = tmp_path / "Ann_flair.nii.gz"
    nib.save(nib.Nifti1Image(stranger.image[..., 1].transpose(2, 1, 0), np.eye(4)), path)
    manifest, out = tmp_path / "manifest.csv", tmp_path / "out"
    manifest.write_text(
        f"case,patient,scanner\n{sources[0].id},P,3 T\nAnn,{sources[1].patient},1.5 T\n"
    )
    result = run(
        path, sources[0].path, "--out", out, "--networks", networks, "--manifest", manifest
    )
    assert result.exit_code == 0, result.stderr
    table = pd.read_csv(out / "segmentation.csv")
    assert table["case"].tolist() == ["Ann", sources[0].id]
    assert table["patient"].tolist() == [sources[1].patient, "P"]
    assert table["scanner"].tolist() == ["1.5 T", "3 T"]
    # Known by the patient, and in spite of another one.
    assert table["fold"].tolist() == [folds[source.patient] for source in sources[1::-1]]
    assert (out / "Ann_mask.nii.gz").exists()
    assert len(read_json(out / "run.json")["inputs"]) == 4


def test_bad_cases_are_named_and_the_others_are_segmented(cohort, networks, tmp_path):
    data, out = shutil.copytree(cohort, tmp_path / "cases"), tmp_path / "out"
    corrupt, black, *good = (source.path for source in open_cases(data))
    for path in corrupt.glob("*_3.tif"):
        path.write_bytes(b"broken")
    for path in black.glob("*[0-9].tif"):
        tifffile.imwrite(path, np.zeros((48, 40, 3), dtype=np.uint8), photometric="rgb")
    (data / "hollow").mkdir()
    result = run(data, "--out", out, "--networks", networks)
    assert result.exit_code == 1
    assert result.stdout.startswith("Segmented 2 of 5 cases (")
    table = pd.read_csv(out / "segmentation.csv").set_index("case")
    failed = table[table["status"] == "failed"]["reason"].to_dict()
    assert failed.keys() == {corrupt.name, black.name, "hollow"}
    # The messages say where the cases lie, the table does not.
    assert sorted(result.stderr.replace(f"{tmp_path}/", "").splitlines()) == sorted(
        f"{case}: {reason}" for case, reason in failed.items()
    )
    assert f"{corrupt.name}_3.tif" in failed[corrupt.name]
    assert {path.name for path in out.iterdir() if path.is_dir()} == {case.name for case in good}
    assert read_json(out / "run.json")["failed"] == 3


def test_cases_that_every_network_was_trained_on(cohort, one_network, tmp_path):
    folds = read_json(one_network / "folds.json")["patients"]
    seen = {source.id for source in open_cases(cohort) if folds[source.patient] == 1}
    result = run(cohort, "--out", tmp_path / "out", "--networks", one_network)
    assert result.exit_code == 1
    assert {line.partition(":")[0] for line in result.stderr.splitlines()} == seen
    assert result.stderr.count("a network that was not trained on the patient of case") == 2
    table = pd.read_csv(tmp_path / "out" / "segmentation.csv")
    assert set(table[table["status"] == "failed"]["case"]) == seen

    result = run(cohort, "--out", tmp_path / "again", "--networks", one_network, "--skip-seen")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("Segmented 2 of 4 cases (")
    assert "2 skipped" in result.stdout
    table = pd.read_csv(tmp_path / "again" / "segmentation.csv")
    skipped = table[table["status"] == "skipped"]
    assert set(skipped["case"]) == seen
    assert (
        skipped["reason"]
        .str.contains("a network that was not trained on the patient of case")
        .all()
    )
    record = read_json(tmp_path / "again" / "run.json")
    assert (record["cases"], record["failed"], record["skipped"]) == (4, 0, 2)
    # They are no cases of an evaluation either.
    again, scores = tmp_path / "again", tmp_path / "scores"
    arguments = ["evaluate", str(again), str(cohort), "--out", str(scores), "--quiet"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert not set(pd.read_csv(scores / "scores.csv")["case"]) & seen


def test_earlier_results(cohort, networks, tmp_path):
    case, out = open_cases(cohort)[0], tmp_path / "out"
    arguments = (case.path, "--out", out, "--networks", networks)
    assert run(*arguments, "--uncertainty").exit_code == 0
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr == (
        f"lggshape: Expected {out} to be empty or new, found an earlier run there. To "
        "replace it, use --overwrite (in Python, overwrite=True). See lggshape segment -h and "
        "docs/training.md.\n"
    )
    result = run(*arguments, "--resume")
    assert result.exit_code == 2
    assert "settings of the earlier run, found other maps" in result.stderr
    before = {name: (out / name).read_bytes() for name in names(out) if name != "run.json"}
    assert run(*arguments, "--uncertainty", "--resume").exit_code == 0
    assert before == {name: (out / name).read_bytes() for name in names(out) if name != "run.json"}
    assert run(*arguments, "--overwrite").exit_code == 0
    assert sorted([*recorded_outputs(out), "run.json"]) == names(out)
    assert not list(out.rglob("*entropy*"))
    # A run that was killed has no record, but a list of what it wrote so far.
    record = read_json(out / "run.json")
    for entry in record["outputs"]:
        record_file(out, entry["path"])
    (out / "segmentation.csv").unlink()
    assert run(*arguments).exit_code == 2
    assert run(*arguments, "--overwrite").exit_code == 0
    assert sorted([*recorded_outputs(out), "run.json"]) == names(out)


def test_networks_that_cannot_be_used(cohort, networks, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    unfinished = shutil.copytree(networks, tmp_path / "unfinished")
    for path in unfinished.rglob("network.json"):
        path.unlink()
    damaged = shutil.copytree(networks, tmp_path / "damaged")
    for path in damaged.rglob("weights.npz"):
        path.write_bytes(path.read_bytes()[:200])
    for folder, message in (
        (tmp_path / "nowhere", "configuration.json"),
        (empty, "configuration.json"),
        (networks / "folds.json", "configuration.json"),
        (unfinished, "found none that is finished"),
        (damaged, "weights.npz"),
    ):
        out = tmp_path / f"out-{folder.name}"
        result = run(cohort, "--out", out, "--networks", folder)
        assert result.exit_code == 2
        assert result.stderr.startswith("lggshape: Expected ")
        assert message in result.stderr
        assert len(result.stderr.splitlines()) == 1
        assert not (out / "run.json").exists()


def test_inputs_that_cannot_be_used(cohort, networks, tmp_path):
    out = tmp_path / "out"
    case = open_cases(cohort)[0]
    for inputs, message in (
        ([tmp_path / "nowhere"], "nowhere"),
        ([cohort, case.path], f"every case once, found {case.id} twice"),
    ):
        result = run(*inputs, "--out", out, "--networks", networks)
        assert result.exit_code == 2
        assert message in result.stderr
        assert len(result.stderr.splitlines()) == 1
        assert not out.exists()
    result = run(case.path, "--out", out, "--networks", networks, "--device", "tpu")
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
