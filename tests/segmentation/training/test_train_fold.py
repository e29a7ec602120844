import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers.toy_training import RATE, toy_network
from lggshape.errors import InputError
from lggshape.files import read_json
from lggshape.masks import dice
from lggshape.phantoms import write_cohort
from lggshape.readers import open_cases
from lggshape.segmentation import (
    NetworkConfiguration,
    Segmenter,
    TrainingConfiguration,
    train,
)
from lggshape.segmentation.run.fingerprints import KnownCases
from lggshape.segmentation.run.folder import read_arrays, read_ensemble, write_weights
from lggshape.segmentation.training import cross_validation
from lggshape.segmentation.training import train_fold as fold_training
from lggshape.segmentation.training.checkpoint import write_checkpoint
from lggshape.segmentation.training.slice_store import SliceStore


def epoch_of(progress):
    """Return the epoch from 0 that a step of a training is of; None for the reading of cases."""
    found = re.search(r"epoch (\d+), loss \d", progress.doing)
    return int(found[1]) - 1 if found else None


def train_until(epochs, *arguments, **settings):
    """Train until the checkpoint of so many epochs is written."""

    def write(learner, past):
        write_checkpoint(learner, past)
        if len(past.history) == epochs:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fold_training, "write_checkpoint", write)
        with pytest.raises(KeyboardInterrupt):
            train(*arguments, **settings)


@pytest.mark.usefixtures("eagerly")
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
    chosen = replace(settings.training, epochs=4, batch=16, epoch="inner", inner_every=every)
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


@pytest.mark.usefixtures("eagerly")
def test_who_is_held_out_or_set_aside_is_not_trained_on_invariant(
    cohort, tmp_path, settings, monkeypatch
):
    """What the network is shown are the slices of exactly the patients that it may see."""
    shown = []

    def keep(cases, configuration):
        shown.append({case.patient for case in cases})
        return SliceStore(cases, configuration)

    monkeypatch.setattr(fold_training, "SliceStore", keep)
    run = tmp_path / "run"
    train(open_cases(cohort), run, network=settings.network, jobs=1,
          training=replace(settings.training, epochs=1, batch=64))  # fmt: skip
    folds = read_json(run / "folds.json")["patients"]
    assert len(shown) == 2
    for fold, patients in enumerate(shown):
        network = read_json(run / f"fold{fold}-member0" / "network.json", ())
        others = {patient for patient in folds if folds[patient] != fold}
        assert patients == others - set(network["inner_dice"])
        assert len(patients) == network["training_patients"] == 4


@pytest.mark.usefixtures("eagerly")
def test_what_the_inner_split_scored_is_what_is_segmented_invariant(tmp_path, settings):
    # Of the size of the network, so that nothing is scaled between the two.
    cohort = write_cohort(tmp_path / "cases", patients=6, seed=5, size=(6, 32, 32))
    run = tmp_path / "run"
    normalised = replace(settings.network, batch_normalisation=True)
    chosen = replace(settings.training, epochs=4, batch=8, learning_rate=5e-2, inner=0.4)
    train(open_cases(cohort), run, network=normalised, training=chosen, only=[0], jobs=1)
    network = read_json(run / "fold0-member0" / "network.json", ())
    assert network["calibration"]["slope"] != 1
    ensemble = replace(read_ensemble(run), known=KnownCases([]))
    segmenter = Segmenter(ensemble)
    for source in open_cases(cohort):
        if source.id in network["inner_dice"]:
            case = source.read()
            found = dice(segmenter.segment(case).mask, case.mask)
            assert network["inner_dice"][case.id] == pytest.approx(found, abs=1e-4)
    assert len(network["inner_dice"]) == 1


@pytest.mark.usefixtures("eagerly")
def test_an_interrupted_training_goes_on_as_an_unbroken_one_invariant(few, tmp_path, settings):
    network = replace(settings.network, batch_normalisation=True)
    chosen = replace(settings.training, epochs=3, batch=16, epoch="inner", inner_every=2)
    run = {"network": network, "training": chosen, "only": [0], "jobs": 1}
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    train(open_cases(few), unbroken, **run)

    folder = broken / "fold0-member0"
    train_until(2, open_cases(few), broken, **run)
    assert not (folder / "network.json").exists()
    done = len(read_arrays(folder / "checkpoint.npz")["history_epoch"])
    assert done == 2
    # What a kill in the middle of a checkpoint leaves.
    (folder / ".checkpoint.npz.1.part").write_bytes((folder / "checkpoint.npz").read_bytes()[:999])

    epochs = []
    summary = train(
        open_cases(few), broken, **run, resume=True,
        on_progress=lambda progress: epochs.append(epoch_of(progress)),
    )  # fmt: skip
    assert summary.members == ("fold0-member0",)
    assert next(epoch for epoch in epochs if epoch is not None) == done
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
    assert read_json(unbroken / folder.name / "network.json", ()) == read_json(
        folder / "network.json", ()
    )


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
    shutil.copytree(tmp_path / "aside", out, dirs_exist_ok=True)
    with pytest.raises(InputError, match=r"checkpoint\.npz"):
        train(open_cases(few), out, network=settings.network, training=short, only=[0], jobs=1,
              resume=True)  # fmt: skip


@pytest.mark.usefixtures("eagerly")
def test_a_training_with_a_frozen_encoder_is_resumed_invariant(few, tmp_path, monkeypatch):
    """Stopped between its two parts, and again in the second."""
    # The curves of a toy network are enough; it has an encoder of one layer.
    monkeypatch.setattr(fold_training, "Predictor", lambda *_, **__: None)
    monkeypatch.setattr(fold_training.FoldTraining, "_finish", lambda *_: None)
    monkeypatch.setattr(cross_validation, "refuse_start", lambda *_: None)
    monkeypatch.setattr(fold_training, "build", lambda *_, **__: toy_network(32, channels=3))
    network = NetworkConfiguration(neighbours=0, size=32)
    start = tmp_path / "start.npz"
    write_weights(start, {v.path: v.numpy() for v in toy_network(32, channels=3).variables})
    chosen = TrainingConfiguration(
        folds=2,
        epochs=3,
        frozen_epochs=1,
        batch=32,
        crop=1.0,
        inner=0.0,
        learning_rate=RATE,
        encoder_weights=str(start),
    )
    run = {"network": network, "training": chosen, "only": [0], "jobs": 1}
    train(open_cases(few), tmp_path / "unbroken", **run)

    epochs = []

    def keep(progress):
        if (epoch := epoch_of(progress)) is not None:
            epochs.append(epoch)

    broken = tmp_path / "broken"
    for done in (1, 2):
        train_until(done, open_cases(few), broken, resume=done > 1, on_progress=keep, **run)
    train(open_cases(few), broken, resume=True, on_progress=keep, **run)
    # No epoch was done twice.
    assert epochs == [0, 1, 2]
    folders = [out / "fold0-member0" for out in (tmp_path / "unbroken", broken)]
    whole, pieces = (pd.read_csv(folder / "history.csv")["loss"] for folder in folders)
    np.testing.assert_allclose(pieces, whole, rtol=1e-4)
    # The part that begins anew has not forgotten what the first part learnt.
    assert whole[2] < whole[0]


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
