"""From the image of a case to its mask."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.case import FLAIR, Case
from lggshape.segmentation.inference.effort import Effort, may_show_tumour, workload
from lggshape.segmentation.inference.mask_check import UNKNOWN, read_model
from lggshape.segmentation.inference.mask_measures import agreement_of, measure_mask
from lggshape.segmentation.inference.network_cache import Networks
from lggshape.segmentation.inference.postprocessing import select_component
from lggshape.segmentation.inference.predictor import FLIPS
from lggshape.segmentation.inference.restored import Restored
from lggshape.segmentation.inference.segmentation import Segmentation
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.preprocessing.network_input import Volume, prepare_input
from lggshape.segmentation.run.folder import SHIPPED, Ensemble, Member, read_ensemble
from lggshape.slabwise import slabs_of

_SCORED = 0.001
"""Share of a slice's pixels, those of the highest probability, whose mean is its score."""

_AT_ONCE = 256
"""Slices that all networks see before the next ones: more of them would take gigabytes."""

Prepare = Callable[[Case, NetworkConfiguration], Volume]
"""From a case to what networks are shown of it, as `prepare_input` does."""


class Prepared(NamedTuple):
    """A case that networks are about to be shown.

    Attributes
    ----------
    case : Case
        With its image.
    volume : Volume
        What they are shown.
    members : tuple of Member
        The networks, none of which was trained on the patient.
    fold : int or None
        As of `Segmentation`.
    """

    case: Case
    volume: Volume
    members: tuple[Member, ...]
    fold: int | None


class NetworkOutput(NamedTuple):
    """What networks found in a case, on their grid (S, Y, X).

    Attributes
    ----------
    prepared : Prepared
        What they were shown.
    probability, spread : ndarray of float32
        The calibrated probability, and its standard deviation over networks and flips.
    agreement : float
        The agreement of the networks, as `agreement_of` computes it.
    singles : tuple of ndarray of float32
        The probability by each network and flip alone, if samples are asked for.
    """

    prepared: Prepared
    probability: NDArray[np.float32]
    spread: NDArray[np.float32]
    agreement: float
    singles: tuple[NDArray[np.float32], ...]


class _Closely(NamedTuple):
    """What all networks found in some slices (N, Y, X).

    Attributes
    ----------
    mean, deviation : ndarray of float64
        The calibrated probability, and its standard deviation over networks and flips.
    squares : float
        The sum of the squares of the probabilities of all networks.
    singles : list of ndarray of float32
        The probability by each network and flip alone, if samples are asked for.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    squares: float
    singles: list[NDArray[np.float32]]


class Segmenter:
    """Networks ready to segment one case after another.

    Parameters
    ----------
    ensemble : Ensemble
        The networks.
    effort : {"fast", "usual", "thorough"}
        How much is computed; see `EFFORTS`.
    device : {"auto", "cpu", "gpu"}
        Where to compute.
    samples : bool
        Whether to return the mask of each network and flip alone, too.
    prepare : callable
        Turns a case into what the networks are shown. An experiment may change it, for example by
        noise.

    Attributes
    ----------
    precision : str
        The dtype policy of Keras that it computes with.

    Raises
    ------
    InputError
        If the networks do something else, or a GPU is asked for and there is none.
    """

    def __init__(
        self,
        ensemble: Ensemble,
        *,
        effort: Effort = "usual",
        device: str = "auto",
        samples: bool = False,
        prepare: Prepare = prepare_input,
    ) -> None:
        self._networks = Networks(ensemble, task="segmentation", device=device)
        self.precision = self._networks.precision
        self._samples, self._prepare = samples, prepare
        self._workload = workload(effort)
        self._model = read_model(ensemble.folder)

    def segment(self, case: Case) -> Segmentation:
        """Segment a case.

        A patient that some of the networks were trained on is segmented by the others alone, also
        when the case comes under another name or in another format.

        Parameters
        ----------
        case : Case
            With an image that has FLAIR.

        Returns
        -------
        Segmentation
            On the grid of the case.

        Raises
        ------
        SeenCaseError
            If all networks were trained on the patient.
        CaseError
            If the image has no FLAIR, cannot be scaled, or its axial slices are too coarse.
        InputError
            If the weights of a network cannot be read.
        """
        return self.finish(self.predict(self.prepare(case)))

    def prepare(self, case: Case) -> Prepared:
        """Do what comes before the networks: the first part of `segment`."""
        volume = self._prepare(case, self._networks.configuration)
        unseen, fold = self._networks.unseen_by(case)
        members = tuple(self._workload.choose(unseen))
        return Prepared(case, volume, members, fold)

    def predict(self, prepared: Prepared) -> NetworkOutput:
        """Show the slices to the networks: the second part of `segment`."""
        codes, members = prepared.volume.codes, prepared.members
        first = self._workload.first(members)
        looks = {member: self._first_look(member, codes) for member in first}
        probability, seen = self._summary(looks)
        spread = np.zeros_like(probability)
        count = len(members) * len(self._workload.flips)
        singles = [probability.copy() for _ in range(count if self._samples else 0)]
        together, alone = 0.0, 0.0
        for start in range(0, len(seen), _AT_ONCE):
            part = seen[start : start + _AT_ONCE]
            mean, deviation, squares, masks = self._look_closely(prepared, part, looks)
            probability[part], spread[part] = mean, deviation
            together += float(np.square(mean).sum())
            alone += squares
            for single, values in zip(singles, masks, strict=True):
                single[part] = values
        return NetworkOutput(
            prepared, probability, spread, agreement_of(together, alone, len(members)),
            tuple(singles),
        )  # fmt: skip

    def _summary(
        self, looks: Mapping[Member, NDArray[np.float32]]
    ) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
        """Return the mean probability by the first networks, and the slices for all of them."""
        one = next(iter(looks.values()))
        mean, highest = np.empty_like(one), np.empty((len(one), 1, 1), dtype=np.float32)
        for start in range(0, len(one), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            calibrated = [member.calibration.apply(look[part]) for member, look in looks.items()]
            mean[part] = np.mean(calibrated, axis=0)
            highest[part] = np.max(calibrated, axis=(0, 2, 3)).reshape(-1, 1, 1)
        every = self._workload.every_slice
        return mean, np.arange(len(one)) if every else may_show_tumour(highest)

    def _look_closely(
        self,
        prepared: Prepared,
        slices: NDArray[np.intp],
        looks: Mapping[Member, NDArray[np.float32]],
    ) -> _Closely:
        """Show some slices to all networks."""
        codes, members, flips = prepared.volume.codes, prepared.members, self._workload.flips
        mean, squared = np.zeros((len(slices), *codes.shape[1:3])), 0.0
        sums, squares = np.zeros_like(mean), np.zeros_like(mean)
        singles = []
        for member in members:
            known = [looks[member][slices]] if member in looks else []  # without flip
            ways = flips[len(known) :]
            predicted = self._networks.predict(member, codes, flips=ways, slices=slices)
            predicted = np.stack([*known, *predicted])
            # Averaged before it is calibrated: so it was when the calibration was fitted.
            own = member.calibration.apply(predicted.mean(axis=0))
            mean += own / len(members)
            squared += float(np.square(own, dtype=np.float64).sum())
            for one in predicted:
                calibrated = member.calibration.apply(one)
                sums += calibrated
                squares += np.square(calibrated, dtype=np.float64)
                if self._samples:
                    singles.append(calibrated)
        count = len(members) * len(flips)
        deviation = np.sqrt(np.maximum(squares / count - (sums / count) ** 2, 0))
        return _Closely(mean, deviation, squared, singles)

    def finish(self, predicted: NetworkOutput) -> Segmentation:
        """Make the mask: the last part of `segment`."""
        case, volume, members, fold = predicted.prepared
        threshold = float(np.mean([member.threshold for member in members]))
        flair = volume.codes[..., self._networks.configuration.sequences.index(FLAIR)]
        measures = measure_mask(
            flair, predicted.probability, threshold=threshold, frame=volume.frame,
            agreement=predicted.agreement, missing=len(volume.missing),
        )  # fmt: skip
        restored = Restored(predicted.probability, volume.frame, volume.slabs)
        mask, removed = select_component(restored, threshold)
        samples = [
            select_component(Restored(single, volume.frame, volume.slabs), threshold).mask
            for single in predicted.singles
        ]
        return Segmentation(
            case=case,
            mask=mask,
            threshold=threshold,
            restored=restored,
            spread=Restored(predicted.spread, volume.frame, volume.slabs),
            slice_scores=_slice_scores(restored),
            removed=removed,
            networks=tuple(member.name for member in members),
            fold=fold,
            missing=volume.missing,
            notes=volume.notes,
            samples=np.stack(samples) if self._samples else None,
            measures=measures,
            check=self._model.judge(measures) if self._model else UNKNOWN,
        )

    def _first_look(self, member: Member, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return what a network predicts of all slices (S, Y, X); 0 in those of air alone."""
        look = np.zeros(codes.shape[:3], dtype=np.float32)
        shown = np.arange(len(codes))
        if not self._workload.every_slice:
            shown = np.flatnonzero((codes != codes[:, :1, :1]).any(axis=(1, 2, 3)))
        look[shown] = self._networks.predict(member, codes, flips=FLIPS[:1], slices=shown)[0]
        return look


def segment(
    case: Case,
    networks: str | os.PathLike[str] = SHIPPED,
    *,
    effort: Effort = "usual",
    device: str = "auto",
) -> Segmentation:
    """Segment a case with the bundled networks, or with those of a training run.

    Parameters
    ----------
    case : Case
        With an image that has FLAIR.
    networks : str or Path
        Folder of a run, as `lggshape train` writes it; by default the bundled networks. Their
        weights are read anew in each call; for many cases, make a `Segmenter`.
    effort : {"fast", "usual", "thorough"}
        How much is computed; see `EFFORTS`.
    device : {"auto", "cpu", "gpu"}
        Where to compute.

    Returns
    -------
    Segmentation
        Mask, probability and uncertainty on the grid of the case.

    Raises
    ------
    SeenCaseError
        If all networks were trained on the patient.
    CaseError
        If the image has no FLAIR, cannot be scaled, or its axial slices are too coarse.
    InputError
        If there are no networks in the folder, or a GPU is asked for and there is none.

    Examples
    --------
    >>> from lggshape.phantoms import make_phantom
    >>> case = make_phantom(np.random.default_rng(0), size=(2, 64, 64), name="phantom")
    >>> segment(case, effort="fast").mask.shape
    (2, 64, 64)
    """
    return Segmenter(read_ensemble(Path(networks)), effort=effort, device=device).segment(case)


def _slice_scores(probability: Restored) -> NDArray[np.float32]:
    scores: list[NDArray[np.float32]] = []
    for part in slabs_of(probability.shape):
        flat = probability[part].reshape(part.stop - part.start, -1)
        count = max(1, round(_SCORED * flat.shape[1]))
        scores.append(np.partition(flat, -count, axis=1)[:, -count:].mean(axis=1))
    return np.concatenate(scores)
