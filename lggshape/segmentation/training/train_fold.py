"""The training of the networks of one fold, resumable after each epoch."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.errors import InputError
from lggshape.files import write_figure, write_json, write_table
from lggshape.masks import dice
from lggshape.progress import OnProgress, Progress
from lggshape.results import record_file
from lggshape.segmentation._backend import keras, precision_for
from lggshape.segmentation.inference.postprocessing import select_component
from lggshape.segmentation.inference.predictor import FLIPS, Predictor, slice_probability
from lggshape.segmentation.networks.build_network import build
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.run import folder as runs
from lggshape.segmentation.run.calibration import Calibration
from lggshape.segmentation.run.configuration import TrainingConfiguration, crop_of
from lggshape.segmentation.run.fingerprints import KnownCase
from lggshape.segmentation.training.augmentation import draw
from lggshape.segmentation.training.checkpoint import CHECKPOINT, read_checkpoint, write_checkpoint
from lggshape.segmentation.training.fit_calibration import (
    Fitted,
    fit_calibration,
    fit_to_inner_split,
)
from lggshape.segmentation.training.folds import split_patients
from lggshape.segmentation.training.learner import (
    Learner,
    ResidentSlices,
    averaged_weights,
    make_learner,
)
from lggshape.segmentation.training.slice_store import SliceStore
from lggshape.segmentation.training.start_encoder import start_encoder
from lggshape.segmentation.training.start_network import choose_start
from lggshape.segmentation.training.training_cases import TrainingCase

_FILES = (runs.HISTORY, runs.NETWORK, runs.WEIGHTS, "training.png", "training.svg")


class _StepProgress(keras.callbacks.Callback):
    """Reports how far a `fit` is: calls a function with the steps done and the loss so far."""

    def __init__(self, tell: Callable[[int, float], None]) -> None:
        super().__init__()
        self._tell = tell

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float]) -> None:
        """Report a step; Keras calls this."""
        self._tell(batch + 1, float(logs["loss"]))


class FoldTraining:
    """The training of the members of one fold; the arguments are those of `train_on`."""

    def __init__(
        self,
        out: Path,
        cases: Sequence[TrainingCase],
        folds: Mapping[str, int],
        fold: int,
        network: NetworkConfiguration,
        training: TrainingConfiguration,
        device: str,
    ) -> None:
        self._out = out
        self._fold = fold
        self._network = network
        self._training = training
        self._device = device
        self._policy = precision_for(training.precision, device)
        sites = {case.patient: case.site for case in cases}
        self._patients, inner = split_patients(sites, folds, fold, training)
        self._inner = _of_patients(cases, inner)
        self._start: list[runs.Member] = []
        if training.start_from:
            own = [KnownCase(case.id, case.patient, case.fingerprints) for case in cases]
            apart = {*inner, *(patient for patient in sites if folds[patient] == fold)}
            self._start = choose_start(own, apart, fold, training.members, training)
        self._store = SliceStore(_of_patients(cases, self._patients), network)
        self._slices = ResidentSlices(self._store)
        self._steps = self._store.epoch_length(
            batch=training.batch, empty_slices=training.empty_slices
        )

    def train_member(self, member: int, on_progress: OnProgress | None) -> None:
        """Train one network, from the beginning or from its last whole epoch."""
        training = self._training
        folder = self._out / runs.member_folder(self._fold, member)
        keras.utils.set_random_seed(_integer(training.seed, self._fold, member))
        crop = dataclasses.replace(self._network, size=crop_of(self._network, training))
        network = build(crop, policy=self._policy)
        if self._start:
            runs.load_weights(network, self._start[member].weights)
        else:
            start_encoder(network, crop.architecture, training)
        learner = self._learner(network, epoch=0)
        predictor = Predictor(self._network, policy=self._policy, device=self._device)
        past = read_checkpoint(folder)
        for growing in (runs.HISTORY, CHECKPOINT):
            record_file(self._out, folder / growing, finished=False)
        if past.history:
            learner = self._learner(network, epoch=len(past.history) - 1)
            past.restore(learner)
        for epoch in range(len(past.history), training.epochs):
            started = perf_counter()
            if 0 < epoch == training.frozen_epochs:
                learner = self._learner(network, epoch=epoch)
            loss = self._run_epoch(learner, member, epoch, on_progress)
            # Of the steps alone, however often the inner split is measured.
            seconds = round(perf_counter() - started, 2)
            row: dict[str, Any] = {"epoch": epoch + 1, "loss": loss}
            if self._inner and self._network.task == "segmentation":
                row["inner_dice"] = np.nan
                if (epoch + 1) % training.inner_every == 0 or epoch + 1 == training.epochs:
                    weights = averaged_weights(learner)
                    predictor.set_weights(weights)
                    row["inner_dice"] = self._inner_dice(predictor)
                    if training.epoch == "inner" and past.is_better(row["inner_dice"]):
                        past = past._replace(best=weights)
            past = past._replace(history=[*past.history, row | {"seconds": seconds}])
            write_table(folder / runs.HISTORY, pd.DataFrame(past.history))
            write_checkpoint(learner, past)
        weights = past.best or averaged_weights(learner)
        self._finish(folder, member, predictor, weights, past.history)

    def _learner(self, network: "keras.Model", *, epoch: int) -> Learner:
        """Prepare a network for the part of the training that an epoch is in.

        The epochs with a frozen encoder are the first part, the others the second.
        """
        training = self._training
        frozen = epoch < training.frozen_epochs
        epochs = training.frozen_epochs if frozen else training.epochs - training.frozen_epochs
        steps = self._steps * epochs
        return make_learner(
            network, self._slices, training, steps=steps, frozen=frozen, device=self._device
        )

    def _run_epoch(
        self, learner: Learner, member: int, epoch: int, on_progress: OnProgress | None
    ) -> float:
        words = f"fold {self._fold} network {member} epoch {epoch + 1}"
        total = self._steps * self._training.epochs

        def tell(steps: int, loss: float) -> None:
            if on_progress is not None:
                # Of several steps at once, Keras names the last, also beyond the epoch's.
                done = epoch * self._steps + min(steps, self._steps)
                on_progress(Progress(f"{words}, loss {loss:.3f}", done, total))

        result = learner.fit(
            self._batches(member, epoch),
            steps_per_epoch=self._steps,
            shuffle=False,
            verbose=0,
            callbacks=[_StepProgress(tell)],
        )
        loss = float(result.history["loss"][-1])
        if not np.isfinite(loss):
            msg = f"Expected the loss of fold {self._fold} to be finite, found {loss}."
            raise InputError(msg)
        return loss

    def _batches(self, member: int, epoch: int) -> Iterator[tuple[tuple[Any, ...]]]:
        training = self._training
        seed = (training.seed, self._fold, member)
        # Of the epoch too: a resumed training draws what an unbroken one would have drawn.
        rng = np.random.default_rng([*seed, 2, epoch])
        crop = crop_of(self._network, training)
        for slices in self._store.epoch(
            seed, epoch, batch=training.batch, empty_slices=training.empty_slices
        ):
            draws = draw(
                rng,
                len(slices),
                self._network,
                crop=crop,
                sequence_dropout=training.sequence_dropout,
            )
            yield ((self._store.with_neighbours(slices), *draws),)

    def _inner_dice(self, predictor: Predictor) -> float:
        masks = [(case.mask, predictor.predict(case.codes)[0]) for case in self._inner]
        selected = (
            (mask > 0, select_component(probability, 0.5).mask) for mask, probability in masks
        )
        return float(np.mean([dice(predicted, mask) for mask, predicted in selected]))

    def _finish(
        self,
        folder: Path,
        member: int,
        predictor: Predictor,
        weights: Sequence[NDArray[np.generic]],
        history: Sequence[Mapping[str, Any]],
    ) -> None:
        """Write the weights, and what was fitted to the inner split for them."""
        predictor.set_weights(weights)
        named = {variable.path: variable.numpy() for variable in predictor.network.variables}
        runs.write_weights(folder / runs.WEIGHTS, named)
        # What is calibrated is what was written, with its rounding.
        predictor.load(folder / runs.WEIGHTS)
        fitted = self._fit(predictor, member)
        scores: list[float | None] = [round(score, 4) for score in fitted.dice]
        scores = scores or [None] * len(self._inner)
        epoch = (
            max(history, key=lambda row: np.nan_to_num(row["inner_dice"], nan=-1.0))["epoch"]
            if self._training.epoch == "inner"
            else history[-1]["epoch"]
        )
        _draw_training(folder, pd.DataFrame(history))
        write_json(
            folder / runs.NETWORK,
            {
                "fold": self._fold,
                "member": member,
                "epoch": int(epoch),
                "calibration": fitted.calibration._asdict(),
                "threshold": fitted.threshold,
                "training_patients": len(self._patients),
                "training_slices": len(self._store.codes),
                "inner_dice": dict(zip((case.id for case in self._inner), scores, strict=True)),
                "parameters": int(predictor.network.count_params()),
                "backend": keras.backend.backend(),
                "precision": self._policy,
            },
        )
        for name in _FILES:
            record_file(self._out, folder / name)

    def _fit(self, predictor: Predictor, member: int) -> Fitted:
        """Fit to the inner split what is kept with the weights.

        Without one, it stays as it was for the network that the training started from.
        """
        if self._start and not self._inner:
            start = self._start[member]
            return Fitted(start.calibration, start.threshold, ())
        task = self._network.task
        if task == "reconstruction":
            return Fitted(Calibration(), 0.5, ())
        predicted = [predictor.predict(case.codes, flips=FLIPS) for case in self._inner]
        if task == "detection":
            scores = [slice_probability(evidence) for evidence in predicted]
            tumours = [np.asarray(case.mask.any(axis=(1, 2))) for case in self._inner]
            return Fitted(fit_calibration(scores, tumours), 0.5, ())
        probabilities = [flips.mean(axis=0) for flips in predicted]
        return fit_to_inner_split(probabilities, [case.mask > 0 for case in self._inner])


def _draw_training(folder: Path, history: pd.DataFrame) -> None:
    from lggshape.figures import render, training_curve

    curves = {"loss": history["loss"].to_list()}
    if "inner_dice" in history:
        curves["Dice of the inner split"] = history["inner_dice"].to_list()
    write_figure(folder / "training", *render(training_curve(curves)))


def _of_patients(cases: Sequence[TrainingCase], patients: Iterable[str]) -> list[TrainingCase]:
    wanted = set(patients)
    return [case for case in cases if case.patient in wanted]


def _integer(*seed: int) -> int:
    """Return one number of 32 bits for several."""
    return int(np.random.SeedSequence(seed).generate_state(1)[0])
