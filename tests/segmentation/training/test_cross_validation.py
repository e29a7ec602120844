import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tifffile

from helpers.case_files import contents
from lggshape.errors import InputError
from lggshape.files import read_json
from lggshape.masks import dice
from lggshape.readers import open_cases
from lggshape.segmentation import (
    NetworkConfiguration,
    TrainingConfiguration,
    segment,
    train,
)
from lggshape.segmentation._backend import keras
from lggshape.segmentation.networks.build_network import build
from lggshape.segmentation.run.folder import read_arrays, read_ensemble
from lggshape.segmentation.training import train_fold as fold_training

# --- what comes of it


def test_the_loss_falls_and_held_out_tumours_are_found(cohort, networks):
    for fold in range(2):
        loss = pd.read_csv(networks / f"fold{fold}-member0" / "history.csv")["loss"]
        assert loss.iloc[-1] < loss.iloc[0] / 2
    folds = read_json(networks / "folds.json")["patients"]
    scores = []
    for source in open_cases(cohort):
        case = source.read()
        found = segment(case, networks)
        assert found.networks == (f"fold{folds[case.patient]}-member0",)
        scores.append(dice(found.mask, case.mask))
    assert np.mean(scores) > 0.75
    assert min(scores) > 0.5


def test_files_of_a_run(cohort, networks, settings):
    # Hidden is the list of what was written, which a command makes part of its run.json.
    assert {path.name for path in networks.iterdir() if path.name[0] != "."} == {
        "configuration.json", "folds.json", "cases.json", "fold0-member0", "fold1-member0",
    }  # fmt: skip
    patients = {source.patient for source in open_cases(cohort)}
    folds = read_json(networks / "folds.json", ())
    assert folds["folds"] == 2
    assert set(folds["patients"]) == patients
    cases = read_json(networks / "cases.json")["cases"]
    assert {case["patient"] for case in cases} == patients
    # A slice at the end may hold too little.
    assert all(len(case["fingerprints"]) >= 9 for case in cases)
    for fold in range(2):
        folder = networks / f"fold{fold}-member0"
        assert {path.name for path in folder.iterdir()} == {
            "network.json", "weights.npz", "history.csv", "training.svg", "training.png",
        }  # fmt: skip
        network = read_json(folder / "network.json", ())
        assert (network["fold"], network["member"], network["epoch"]) == (fold, 0, 8)
        held_out = {patient for patient, of in folds["patients"].items() if of == fold}
        # 20 % of the five others are set aside.
        assert network["training_patients"] == 4
        assert len(network["inner_dice"]) == 1
        assert not held_out & set(network["inner_dice"])
        assert network["calibration"]["slope"] > 0
        assert 0.2 <= network["threshold"] <= 0.8
        weights = read_arrays(folder / "weights.npz")
        assert {values.dtype.name for values in weights.values() if values.ndim > 1} == {"float16"}
        assert {values.dtype.name for values in weights.values() if values.ndim == 1} == {"float32"}


@pytest.mark.usefixtures("eagerly")
def test_members_differ_and_the_seed_makes_the_curve_invariant(few, tmp_path, settings):
    sources = open_cases(few)
    steps = []

    def keep(progress):
        if progress.doing == "reading":
            return
        # Who is held out is written before the training.
        assert (tmp_path / "two" / "folds.json").exists()
        steps.append(progress)

    short = replace(settings.training, epochs=2, members=2, batch=5)
    summary = train(
        sources, tmp_path / "two", network=settings.network, training=short, only=[1, 1], jobs=1,
        on_progress=keep,
    )  # fmt: skip
    assert summary == (summary.__class__(("fold1-member0", "fold1-member1"), {}))
    assert not (tmp_path / "two" / "fold0-member0").exists()
    total = steps[0].total
    assert total > 2  # several an epoch
    assert [step.done for step in steps] == [*range(1, total + 1)] * 2
    words = [step.doing.split(", loss ")[0] for step in steps]
    assert words == [
        f"fold 1 network {member} epoch {epoch}"
        for member in (0, 1)
        for epoch in (1, 2)
        for _ in range(total // 2)
    ]

    first, second = (
        pd.read_csv(tmp_path / "two" / f"fold1-member{member}" / "history.csv")["loss"]
        for member in range(2)
    )
    assert np.abs(first / second - 1).min() > 1e-3
    # The first member is the same, however many there are.
    one = replace(short, members=1)
    train(sources, tmp_path / "one", network=settings.network, training=one, only=[1], jobs=1)
    again = pd.read_csv(tmp_path / "one" / "fold1-member0" / "history.csv")["loss"]
    np.testing.assert_allclose(again, first, rtol=1e-4)
    assert (tmp_path / "one" / "folds.json").read_bytes() == (
        tmp_path / "two" / "folds.json"
    ).read_bytes()


@pytest.mark.usefixtures("eagerly")
def test_bad_cases_are_named_and_no_inner_split_is_needed(few, tmp_path, settings):
    good = [source.id for source in open_cases(few)]
    for name in ("corrupt", "black", "unmarked"):
        shutil.copytree(few / good[0], few / name)
        for path in (few / name).iterdir():
            path.rename(path.with_name(path.name.replace(good[0], name)))
    (few / "corrupt" / "corrupt_3.tif").write_bytes(b"II*\0 and no more")
    for path in (few / "black").glob("*[0-9].tif"):
        tifffile.imwrite(path, np.zeros((56, 48, 3), dtype=np.uint8), photometric="rgb")
    for path in (few / "unmarked").glob("*_mask.tif"):
        path.unlink()
    (few / "hollow").mkdir()
    out = tmp_path / "run"
    plain = replace(settings.training, epochs=1, batch=32, inner=0.0)
    summary = train(
        open_cases(few), out, network=settings.network, training=plain, only=[0], jobs=1
    )
    assert set(summary.failures) == {"corrupt", "black", "unmarked", "hollow"}
    assert "corrupt_3.tif" in summary.failures["corrupt"]
    assert "contrast" in summary.failures["black"]
    assert "mask" in summary.failures["unmarked"]
    assert "found none" in summary.failures["hollow"]
    assert [case["case"] for case in read_json(out / "cases.json")["cases"]] == good
    network = read_json(out / "fold0-member0" / "network.json", ())
    assert network["calibration"] == {"slope": 1.0, "intercept": 0.0}
    assert (network["threshold"], network["inner_dice"]) == (0.5, {})


# --- what cannot work


def test_gpu_that_is_not_there(few, tmp_path, settings):
    if keras.distribution.list_devices("gpu"):
        pytest.skip("there is a GPU")
    with pytest.raises(InputError, match="Expected a GPU for device gpu, found none"):
        train(open_cases(few), tmp_path / "run", network=settings.network,
              training=settings.training, device="gpu")  # fmt: skip


# --- resumed


def test_a_finished_run_is_not_trained_again(cohort, networks, settings):
    before = contents(networks)
    summary = train(
        open_cases(cohort), networks, network=settings.network, training=settings.training,
        jobs=1, resume=True,
    )  # fmt: skip
    assert summary.members == ("fold0-member0", "fold1-member0")
    assert contents(networks) == before


@pytest.mark.usefixtures("eagerly")
def test_a_network_without_its_weights_is_trained_again(few, tmp_path, settings):
    once = replace(settings.training, epochs=1, batch=32)
    run = {"network": settings.network, "training": once, "jobs": 1}
    out = tmp_path / "run"
    train(open_cases(few), out, only=[0], **run)
    weights = out / "fold0-member0" / "weights.npz"
    before = weights.read_bytes()
    weights.unlink()
    train(open_cases(few), out, only=[0], resume=True, **run)
    assert weights.read_bytes() == before


# --- other tasks


def test_what_was_pretrained_on_is_refused_where_it_is_held_out(
    few, tmp_path, encoder, monkeypatch
):
    """An encoder that reconstructed the slices of a fold's training patients, and then detects."""
    sources = open_cases(few)
    network = NetworkConfiguration(filters=(4, 4, 4, 4), neighbours=0, size=32)
    quick = TrainingConfiguration(
        folds=2, epochs=1, batch=32, crop=1.0, inner=0.2, encoder_weights="none"
    )
    before = tmp_path / "before"
    task = replace(network, task="reconstruction")
    train(sources, before, network=task, training=quick, only=[0], jobs=1)
    inner = read_json(before / "fold0-member0" / "network.json")["inner_dice"]
    assert list(inner.values()) == [None]
    history = pd.read_csv(before / "fold0-member0" / "history.csv")
    assert list(history) == ["epoch", "loss", "seconds"]

    start = replace(quick, encoder_weights=str(before / "fold0-member0" / "weights.npz"))
    task = replace(network, task="detection")
    monkeypatch.setattr(fold_training.FoldTraining, "_run_epoch", lambda *_: 0.5)
    train(sources, tmp_path / "run", network=task, training=start, only=[0], jobs=1)
    with pytest.raises(InputError, match="an encoder that was not trained on a patient whom fold"):
        train(sources, tmp_path / "other", network=task, training=start, only=[1], jobs=1)


def test_weights_are_found_by_name_in_any_process_invariant(networks, settings):
    # Keras numbers layers that have no name of their own within a process.
    names = {variable.path for variable in build(settings.network).variables}
    for member in read_ensemble(networks).members:
        assert set(read_arrays(member.weights)) == names
