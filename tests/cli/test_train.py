import json
import shutil
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from helpers import test_settings
from lggshape.results.places import CONTINUE_IT
from lggshape_cli import app


@pytest.fixture(scope="module", autouse=True)
def eagerly():
    """Train without compiling the steps, of which there are few."""
    with pytest.MonkeyPatch.context() as patch:
        test_settings.train_eagerly(patch)
        yield


@pytest.fixture(scope="module")
def trained(cohort, tmp_path_factory, tiny):
    """Folder of a run, and what the command printed. Not to be changed."""
    out = tmp_path_factory.mktemp("trained") / "run"
    return out, run(cohort, "--out", out, *tiny, "--seed", "3", "--no-batch-normalisation")


def run(*arguments):
    return CliRunner().invoke(app, ["train", *map(str, arguments)])


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_networks_settings_record_and_summary(cohort, trained):
    out, result = trained
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"Trained 2 networks: {out}\n"
    record = read_json(out / "run.json")
    assert record["command"] == "train"
    assert record["options"] == {
        "fold": None, "device": "auto", "resume": False, "pattern": "", "spacing": None,
        "mask_values": [], "regions": None, "threshold": None, "resample_masks": False,
    }  # fmt: skip
    assert record["networks"] == ["fold0-member0", "fold1-member0"]
    assert record["failed"] == 0
    assert [given["path"] for given in record["inputs"]] == [str(cohort)]
    settings = read_json(out / "configuration.json")
    assert settings["network"] == {
        "task": "segmentation", "architecture": "unet",
        "sequences": ["pre-contrast", "FLAIR", "post-contrast"], "neighbours": 0,
        "filters": [2, 4], "batch_normalisation": False, "stem": "plain", "size": 32,
    }  # fmt: skip
    chosen = {
        "folds": 2,
        "epochs": 1,
        "batch": 16,
        "crop": 1.0,
        "inner": 0.3,
        "inner_every": 2,
        "seed": 3,
    }
    assert chosen.items() <= settings["training"].items()


def test_configuration_of_another_run(cohort, trained, tmp_path):
    configuration, out = trained[0] / "configuration.json", tmp_path / "run"
    arguments = (cohort, "--out", out, "--configuration", configuration, "--jobs", "1")
    result = run(*arguments, "--epochs", "3", "--no-batch-normalisation")
    assert result.exit_code == 2
    assert result.stderr == (
        "lggshape: Expected options that have an effect, found --batch-normalisation with "
        "--configuration, which holds all settings. Leave --batch-normalisation out. "
        "See lggshape train -h.\n"
    )
    result = run(*arguments, "--fold", "1", "--quiet")
    assert (result.exit_code, result.output) == (0, "")
    assert (out / "configuration.json").read_bytes() == configuration.read_bytes()
    assert [path.name for path in out.glob("fold*-*")] == ["fold1-member0"]
    # Started by other options, it is the same network.
    for name in ("folds.json", "cases.json", "fold1-member0/weights.npz"):
        assert (out / name).read_bytes() == (trained[0] / name).read_bytes()


def test_fine_tuning_takes_fewer_epochs_and_smaller_steps(cohort, trained, tmp_path):
    start, out = trained[0], tmp_path / "run"
    folds = ("--folds-file", start / "folds.json", "--inner", "0", "--fold", "1")
    result = run(cohort, "--out", out, "--start-from", start, *folds, "--epochs", "2")
    assert (result.stderr, result.stdout) == ("", f"Trained 1 network: {out}\n")
    settings, before = (read_json(folder / "configuration.json") for folder in (out, start))
    assert settings["network"] == before["network"]
    chosen = {
        "start_from": str(start), "epochs": 2, "learning_rate": 5e-5, "average": 0.9, "folds": 2,
    }  # fmt: skip
    assert chosen.items() <= settings["training"].items()
    named = [given["path"] for given in read_json(out / "run.json")["inputs"]]
    assert named == [str(cohort), str(start / "folds.json"), str(start)]
    missing = run(cohort, "--out", tmp_path / "other", "--start-from", tmp_path / "nowhere")
    assert missing.exit_code == 2
    assert missing.stderr.startswith("lggshape: Expected the folder of a training run")


def test_a_run_is_continued_only_if_asked(cohort, trained, tiny):
    out, _ = trained
    options = ("--out", out, *tiny, "--no-batch-normalisation", "--seed")
    result = run(cohort, *options, "3")
    assert result.exit_code == 2
    assert result.stderr == (
        f"lggshape: Expected {out} to be empty or new, found a run. {CONTINUE_IT} "
        "See lggshape train -h and docs/training.md.\n"
    )
    result = run(cohort, *options, "4", "--resume")
    assert result.exit_code == 2
    assert "settings of the earlier run, found others" in result.stderr
    result = run(cohort, *options, "3", "--resume")
    assert (result.exit_code, result.stdout) == (0, f"Trained 2 networks: {out}\n")


def test_bad_case_is_named_and_the_others_are_trained_on(cohort, tmp_path, tiny):
    data = shutil.copytree(cohort, tmp_path / "cases")
    bad = next(data.rglob("*_2.tif"))
    bad.write_bytes(b"broken")
    at = tiny.index("--inner-every")
    few = (*tiny[:at], *tiny[at + 2 :], "--fold", "0", "--inner", "0")
    result = run(data, "--out", tmp_path / "run", *few)
    assert result.exit_code == 1
    assert result.stdout == f"Trained 1 network: {tmp_path / 'run'}\n"
    assert result.stderr.startswith(f"{bad.parent.name}: Expected")
    assert bad.name in result.stderr
    assert len(read_json(tmp_path / "run" / "cases.json")["cases"]) == 3
    assert read_json(tmp_path / "run" / "run.json")["failed"] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--filters", "2,x"), "--filters to be whole numbers separated by commas, found: '2,x'"),
        (("--filters", "0,4"), "filters to be positive"),
        (("--size", "33"), "size to be a multiple of 2"),
        (("--sequences", "T9"), "sequences to name FLAIR"),
        (("--neighbours", "9"), "neighbours to be 0 to 5"),
        (("--folds", "1"), "folds to be at least 2"),
        (("--folds", "5"), "at least as many patients as folds (5), found 4"),
        (("--fold", "2"), "folds from 0 to 1, found: [2]"),
        (("--epochs", "0"), "epochs to be at least 1"),
        (("--learning-rate", "1"), "learning_rate to lie between 0 and 1"),
        (("--learning-rate", "nan"), "learning_rate to lie between 0 and 1"),
        (("--inner", "1"), "inner to be at least 0 and below 1"),
        (("--inner", "0"), "found --inner-every without an inner split"),
        (("--crop", "0"), "crop to be above 0"),
        (("--seed", "-1"), "seed to be at least 0"),
        (("--configuration", "nowhere.json"), "found --network with --configuration"),
        (("--start-from", "shipped"), "found --network with --start-from"),
        (
            ("--network", "efficientnet-lite0", "--filters", "", "--encoder-weights", "no.npz"),
            "Expected no.npz to hold the weights",
        ),
        (
            ("--network", "efficientnet-lite0", "--filters", "", "--encoder-weights", __file__),
            "found: a file that is no NumPy archive",
        ),
    ],
)
def test_options_that_cannot_be_used(cohort, tmp_path, options, message, tiny):
    result = run(cohort, "--out", tmp_path / "run", *tiny, *options)
    assert result.exit_code == 2
    assert result.stderr.startswith("lggshape: Expected ")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("options", [("--network", "vnet"), ("--folds", "x"), ("--jobs", "0")])
def test_values_that_are_no_choice(cohort, tmp_path, options):
    result = run(cohort, "--out", tmp_path / "run", *options)
    assert result.exit_code == 2
    assert options[0] in result.stderr
    assert "Traceback" not in result.stderr


def test_files_that_are_not_there(cohort, tmp_path, tiny):
    out = tmp_path / "run"
    result = run(tmp_path / "nowhere", "--out", out, *tiny)
    assert result.exit_code == 2
    assert "nowhere" in result.stderr
    result = run(cohort, "--out", out, "--configuration", tmp_path / "nowhere.json")
    assert result.exit_code == 2
    assert "nowhere.json to be a JSON file" in result.stderr
    (tmp_path / "half.json").write_text('{"network": {"depth": 3}, "training": {}}')
    result = run(cohort, "--out", out, "--configuration", tmp_path / "half.json")
    assert result.exit_code == 2
    assert "found unknown: ['depth']" in result.stderr
    assert not out.exists()


def test_folder_of_other_files_is_refused(cohort, tmp_path, tiny):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    result = run(cohort, "--out", tmp_path, *tiny)
    assert result.exit_code == 2
    assert "to hold a run, found: notes.txt" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_help_does_not_wait_for_the_deep_learning_library():
    code = (
        "import sys; from typer.testing import CliRunner; from lggshape_cli import app; "
        "runs = [CliRunner().invoke(app, [name, '--help']) for name in ('train', 'segment')]; "
        "assert [run.exit_code for run in runs] == [0, 0]; "
        "print([name for name in ('keras', 'tensorflow', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
