import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tifffile

from lggshape.errors import InputError
from lggshape.phantoms import write_cohort
from lggshape.readers import open_cases
from lggshape.segmentation import (
    NetworkConfiguration,
    Segmenter,
    TrainingConfiguration,
    fold_training,
    segment,
    train,
    write_configuration,
)
from lggshape.segmentation.identity import KnownCases
from lggshape.segmentation.networks import build
from lggshape.segmentation.runs import read_arrays, read_ensemble, write_weights
from lggshape.segmentation.sampling import SliceStore


def dice(one, other):
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


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
    assert {path.name for path in networks.iterdir()} == {
        "configuration.json", "folds.json", "cases.json", "fold0-member0", "fold1-member0",
    }  # fmt: skip
    patients = {source.patient for source in open_cases(cohort)}
    folds = read_json(networks / "folds.json")
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
        network = read_json(folder / "network.json")
        assert (network["fold"], network["member"], network["epoch"]) == (fold, 0, 24)
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


def test_members_differ_and_the_seed_makes_the_curve_invariant(few, tmp_path, settings):
    sources = open_cases(few)
    steps = []

    def on_step(step):
        # Who is held out is written before the training.
        assert (tmp_path / "two" / "folds.json").exists()
        steps.append(step)

    short = replace(settings.training, epochs=2, members=2)
    summary = train(
        sources, tmp_path / "two", network=settings.network, training=short, only=[1, 1], jobs=1,
        on_step=on_step,
    )  # fmt: skip
    assert summary == (summary.__class__(("fold1-member0", "fold1-member1"), {}))
    assert not (tmp_path / "two" / "fold0-member0").exists()
    assert {(step.fold, step.member) for step in steps} == {(1, 0), (1, 1)}
    total = steps[0].total
    assert [step.done for step in steps] == [*range(1, total + 1)] * 2
    assert [step.epoch for step in steps[:total]] == sorted([0, 1] * (total // 2))

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


@pytest.mark.parametrize(
    ("every", "curve", "best"),
    [(1, [0.1, 0.3, 0.3, 0.2], 2), (3, [None, None, 0.3, 0.2], 3)],
)
def test_the_epoch_of_the_best_inner_dice_is_taken_invariant(
    few, tmp_path, settings, monkeypatch, every, curve, best
):
    kept = []
    average = fold_training.averaged_weights

    def keep(learner):
        kept.append(average(learner))
        return kept[-1]

    monkeypatch.setattr(fold_training, "averaged_weights", keep)
    scores = iter([score for score in curve if score is not None])
    monkeypatch.setattr(fold_training.FoldTraining, "_inner_dice", lambda *_: next(scores))
    chosen = replace(settings.training, epochs=4, epoch="inner", inner_every=every)
    train(open_cases(few), tmp_path / "run", network=settings.network, training=chosen, only=[0],
          jobs=1)  # fmt: skip
    folder = tmp_path / "run" / "fold0-member0"
    assert read_json(folder / "network.json")["epoch"] == best
    measured = pd.read_csv(folder / "history.csv")["inner_dice"]
    np.testing.assert_array_equal(measured, np.array(curve, dtype=float))
    saved = list(read_arrays(folder / "weights.npz").values())
    for values, taken, last in zip(saved, kept[-3 if every == 1 else -2], kept[-1], strict=True):
        np.testing.assert_array_equal(values, taken.astype(values.dtype))
        assert not np.array_equal(values, last.astype(values.dtype))


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
    plain = replace(settings.training, epochs=1, inner=0.0)
    summary = train(
        open_cases(few), out, network=settings.network, training=plain, only=[0], jobs=1
    )
    assert set(summary.failures) == {"corrupt", "black", "unmarked", "hollow"}
    assert "corrupt_3.tif" in summary.failures["corrupt"]
    assert "contrast" in summary.failures["black"]
    assert "mask" in summary.failures["unmarked"]
    assert "found none" in summary.failures["hollow"]
    assert [case["case"] for case in read_json(out / "cases.json")["cases"]] == good
    network = read_json(out / "fold0-member0" / "network.json")
    assert network["calibration"] == {"slope": 1.0, "intercept": 0.0}
    assert (network["threshold"], network["inner_dice"]) == (0.5, {})


# --- what cannot work


def test_gpu_that_is_not_there(few, tmp_path, settings):
    if fold_training.keras.distribution.list_devices("gpu"):
        pytest.skip("there is a GPU")
    with pytest.raises(InputError, match="Expected a GPU for --device gpu, found none"):
        train(open_cases(few), tmp_path / "run", network=settings.network,
              training=settings.training, device="gpu")  # fmt: skip


def test_who_is_held_out_or_set_aside_is_not_trained_on_invariant(
    cohort, tmp_path, settings, monkeypatch
):
    """What the network is shown are the slices of exactly the patients that it may see."""
    shown = []

    def keep(cases, configuration):
        shown.append({case.patient for case in cases})
        return SliceStore(cases, configuration)

    monkeypatch.setattr(fold_training, "SliceStore", keep)
    monkeypatch.setattr(fold_training, "_draw_training", lambda *_: None)
    run = tmp_path / "run"
    train(open_cases(cohort), run, network=settings.network, jobs=1,
          training=replace(settings.training, epochs=1))  # fmt: skip
    folds = read_json(run / "folds.json")["patients"]
    assert len(shown) == 2
    for fold, patients in enumerate(shown):
        network = read_json(run / f"fold{fold}-member0" / "network.json")
        others = {patient for patient in folds if folds[patient] != fold}
        assert patients == others - set(network["inner_dice"])
        assert len(patients) == network["training_patients"] == 4


def test_what_the_inner_split_scored_is_what_is_segmented_invariant(tmp_path, settings):
    # Of the size of the network, so that nothing is scaled between the two.
    cohort = write_cohort(tmp_path / "cases", patients=6, seed=5, size=(6, 32, 32))
    run = tmp_path / "run"
    chosen = replace(settings.training, epochs=4, inner=0.4)
    train(open_cases(cohort), run, network=settings.network, training=chosen, only=[0], jobs=1)
    network = read_json(run / "fold0-member0" / "network.json")
    assert network["calibration"]["slope"] != 1
    ensemble = replace(read_ensemble(run), known=KnownCases([]))
    segmenter = Segmenter(ensemble)
    for source in open_cases(cohort):
        if source.id in network["inner_dice"]:
            case = source.read()
            found = dice(segmenter.segment(case).mask, case.mask)
            assert network["inner_dice"][case.id] == pytest.approx(found, abs=1e-4)
    assert len(network["inner_dice"]) == 1


# --- resumed


def test_kill_and_resume_is_an_unbroken_run_invariant(few, tmp_path, settings, kill_once):
    chosen = replace(settings.training, epochs=9, epoch="inner", inner_every=2)
    configuration = tmp_path / "configuration.json"
    write_configuration(configuration, settings.network, chosen)
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    train(open_cases(few), unbroken, network=settings.network, training=chosen, only=[0], jobs=1)

    folder = broken / "fold0-member0"
    kill_once(
        folder / "checkpoint.npz",
        *("train", few, "--out", broken, "--configuration", configuration),
        *("--fold", "0", "--jobs", "1"),
    )
    assert not (folder / "network.json").exists()
    assert not (broken / "run.json").exists()
    done = len(read_arrays(folder / "checkpoint.npz")["history_epoch"])
    assert 1 <= done < 9
    # What a kill in the middle of a checkpoint leaves.
    (folder / ".checkpoint.npz.1.part").write_bytes((folder / "checkpoint.npz").read_bytes()[:999])

    epochs = []
    summary = train(
        open_cases(few), broken, network=settings.network, training=chosen, only=[0], jobs=1,
        resume=True, on_step=lambda step: epochs.append(step.epoch),
    )  # fmt: skip
    assert summary.members == ("fold0-member0",)
    assert epochs[0] == done
    for name in ("epoch", "loss", "inner_dice"):
        curves = [
            pd.read_csv(out / folder.name / "history.csv")[name] for out in (unbroken, broken)
        ]
        np.testing.assert_allclose(*curves, rtol=1e-4)
    weights = [read_arrays(out / folder.name / "weights.npz") for out in (unbroken, broken)]
    assert weights[0].keys() == weights[1].keys()
    for name, values in weights[0].items():
        # A step of half precision may lie between them.
        np.testing.assert_allclose(weights[1][name], values, rtol=1e-3, atol=1e-5)
    assert read_json(unbroken / folder.name / "network.json") == read_json(folder / "network.json")


def test_a_finished_run_is_not_trained_again(cohort, networks, settings):
    before = contents(networks)
    summary = train(
        open_cases(cohort), networks, network=settings.network, training=settings.training,
        jobs=1, resume=True,
    )  # fmt: skip
    assert summary.members == ("fold0-member0", "fold1-member0")
    assert contents(networks) == before


def test_a_network_without_its_weights_is_trained_again(few, tmp_path, settings):
    run = {"network": settings.network, "training": replace(settings.training, epochs=1), "jobs": 1}
    out = tmp_path / "run"
    train(open_cases(few), out, only=[0], **run)
    weights = out / "fold0-member0" / "weights.npz"
    before = weights.read_bytes()
    weights.unlink()
    train(open_cases(few), out, only=[0], resume=True, **run)
    assert weights.read_bytes() == before


@pytest.mark.parametrize("damage", [b"PK\3\4 and no more", None])
def test_checkpoint_that_cannot_be_read(few, tmp_path, settings, damage):
    short = replace(settings.training, epochs=1, inner=0.0)
    out = tmp_path / "run"
    checkpoint = out / "fold0-member0" / "checkpoint.npz"
    checkpoint.parent.mkdir(parents=True)
    if damage is None:
        np.savez(checkpoint, history_epoch=[1], history_loss=[1.0])
    else:
        checkpoint.write_bytes(damage)
    shutil.move(out, tmp_path / "aside")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fold_training.FoldTraining, "train_member", lambda *_: None)
        train(open_cases(few), out, network=settings.network, training=short, only=[0], jobs=1)
    shutil.move(tmp_path / "aside" / "fold0-member0", out)
    with pytest.raises(InputError, match=r"checkpoint\.npz"):
        train(open_cases(few), out, network=settings.network, training=short, only=[0], jobs=1,
              resume=True)  # fmt: skip


def test_a_training_with_a_frozen_encoder_is_resumed_invariant(few, tmp_path, encoder):
    """Stopped between its two parts, and again in the second."""
    network = NetworkConfiguration(filters=(4, 4, 4, 4), neighbours=0, size=32)
    start = tmp_path / "start.npz"
    write_weights(start, {v.path: v.numpy() for v in build(network).variables})
    chosen = TrainingConfiguration(
        folds=2, epochs=4, frozen_epochs=2, batch=8, crop=1.0, inner=0.0, encoder_weights=str(start)
    )
    run = {"network": network, "training": chosen, "only": [0], "jobs": 1}
    train(open_cases(few), tmp_path / "unbroken", **run)

    class StoppedError(Exception):
        pass

    epochs = []

    def stop(step):
        epochs.append(step.epoch)
        if step.epoch == last:
            raise StoppedError

    broken = tmp_path / "broken"
    for last in (2, 3):
        with pytest.raises(StoppedError):
            train(open_cases(few), broken, resume=last > 2, on_step=stop, **run)
    train(open_cases(few), broken, resume=True, on_step=lambda step: epochs.append(step.epoch),
          **run)  # fmt: skip
    # Each goes on with the epoch that the one before had begun.
    steps = epochs.count(0)
    assert epochs == [0] * steps + [1] * steps + [2] + [2] * steps + [3] + [3] * steps
    folders = [out / "fold0-member0" for out in (tmp_path / "unbroken", broken)]
    whole, pieces = (pd.read_csv(folder / "history.csv")["loss"] for folder in folders)
    np.testing.assert_allclose(pieces, whole, rtol=1e-4)
    # The part that begins anew has not forgotten what the first part learnt.
    assert whole[3] < whole[0]


# --- other tasks


def test_what_was_pretrained_on_is_refused_where_it_is_held_out(cohort, tmp_path, encoder):
    """An encoder that reconstructed the slices of a fold's training patients, and then detects."""
    sources = open_cases(cohort)
    network = NetworkConfiguration(filters=(4, 4, 4, 4), neighbours=0, size=32)
    quick = TrainingConfiguration(
        folds=2, epochs=1, batch=8, crop=1.0, inner=0.2, encoder_weights="none"
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
    train(sources, tmp_path / "run", network=task, training=start, only=[0], jobs=1)
    with pytest.raises(InputError, match="an encoder that was not trained on a patient whom fold"):
        train(sources, tmp_path / "other", network=task, training=start, only=[1], jobs=1)


def test_fewer_patients_are_trained_on(cohort, tmp_path, settings, monkeypatch):
    monkeypatch.setattr(fold_training.FoldTraining, "train_member", lambda *_: None)
    shown = []
    monkeypatch.setattr(
        fold_training, "SliceStore", lambda cases, _: shown.append(cases) or SliceStore(cases, _)
    )
    for patients in (4, 2, 3):
        train(open_cases(cohort), tmp_path / str(patients), network=settings.network, only=[0],
              training=replace(settings.training, patients=patients), jobs=1)  # fmt: skip
    four, two, three = ({case.patient for case in cases} for cases in shown)
    assert [len(two), len(three), len(four)] == [2, 3, 4]
    assert two < three < four
    with pytest.raises(InputError, match="Expected 5 patients to train fold 0 on, found 4"):
        train(open_cases(cohort), tmp_path / "more", network=settings.network, only=[0],
              training=replace(settings.training, patients=5), jobs=1)  # fmt: skip


# --- the other backend

JAX = """
import sys
from pathlib import Path
import numpy as np
from lggshape.readers import open_cases
from lggshape.segmentation import read_configuration, segment, train
from lggshape.segmentation.runs import read_folds
cohort, configuration, out, networks = map(Path, sys.argv[1:])
network, training = read_configuration(configuration)
train(open_cases(cohort), out, network=network, training=training, only=[0], jobs=1)
folds = read_folds(out / "folds.json")
case = next(s for s in open_cases(cohort) if folds[s.patient] == 0).read(mask=False)
for folder in (out, networks):
    np.save(out / f"{folder.name}.npy", segment(case, folder).probability)
"""


def test_jax_trains_and_predicts_as_tensorflow_does(cohort, networks, few, tmp_path, settings):
    chosen = replace(settings.training, epochs=6)
    configuration, out = tmp_path / "configuration.json", tmp_path / "jax"
    write_configuration(configuration, settings.network, chosen)
    subprocess.run(
        [sys.executable, "-c", JAX, few, configuration, out, networks],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        check=True,
    )
    folder = out / "fold0-member0"
    assert read_json(folder / "network.json")["backend"] == "jax"
    loss = pd.read_csv(folder / "history.csv")["loss"]
    assert loss.iloc[-1] < loss.iloc[0] - 0.02
    folds = read_json(out / "folds.json")["patients"]
    case = next(s for s in open_cases(few) if folds[s.patient] == 0).read(mask=False)
    for run in (out, networks):
        theirs = np.load(out / f"{run.name}.npy")
        np.testing.assert_allclose(segment(case, run).probability, theirs, rtol=0, atol=1e-4)


def test_weights_are_found_by_name_in_any_process_invariant(networks, settings):
    # Keras numbers layers that have no name of their own within a process.
    names = {variable.path for variable in build(settings.network).variables}
    for member in read_ensemble(networks).members:
        assert set(read_arrays(member.weights)) == names
