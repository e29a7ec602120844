"""From the image of a case to its mask."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.case import FLAIR, Case
from lggshape.segmentation.inference.effort import Effort, may_show_tumour, workload
from lggshape.segmentation.inference.mask_check import UNKNOWN, Check, read_model
from lggshape.segmentation.inference.mask_measures import agreement_of, measure_mask
from lggshape.segmentation.inference.network_cache import Networks
from lggshape.segmentation.inference.postprocessing import select_component
from lggshape.segmentation.inference.predictor import FLIPS
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.preprocessing.network_input import Volume, prepare_input
from lggshape.segmentation.run.folder import SHIPPED, Ensemble, Member, read_ensemble

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SCORED = 0.001
"""Share of a slice's pixels, those of the highest probability, whose mean is its score."""

Prepare = Callable[[Case, NetworkConfiguration], Volume]
"""From a case to what networks are shown of it, as `prepare_input` does."""


@dataclass(frozen=True, eq=False, repr=False)
class Segmentation:
    """The mask of a case by networks, and how sure they are of it.

    Attributes
    ----------
    case : Case
        What was segmented, with its image.
    mask : ndarray of bool, shape (Z, Y, X)
        The tumour: one 6-connected component, or nothing.
    threshold : float
        The lowest probability that is inside the mask.
    probability : ndarray of float32, shape (Z, Y, X)
        Calibrated probability of tumour, the mean over networks and flips. Unless all of them see
        every slice, it is that of the networks that looked first where these found no tumour.
    uncertainty : ndarray of float32, shape (Z, Y, X)
        Standard deviation of the probability over networks and flips, each calibrated by itself; 0
        where only those networks have looked.
    slice_scores : ndarray of float32, shape (Z,)
        Score for tumour in each slice: the mean of its highest probabilities, those of a thousandth
        of its pixels.
    removed : int
        Components that were removed.
    networks : tuple of str
        Names of the networks that were used.
    fold : int or None
        The fold that the patient was held out in, for a patient of the networks' data set.
    missing : tuple of str
        The sequences that the case lacks.
    notes : tuple of str
        What was done to slices of an unusual geometry before the networks saw them.
    samples : ndarray of bool, shape (N, Z, Y, X), or None
        The mask of each network and flip alone; None unless it was asked for. There is nothing in
        it where not all networks have looked.
    measures : mapping of str to float
        What tells how good the mask may be, see `mask_measures`; nothing if it is empty.
    check : Check
        The Dice to expect and whether to look at the mask, if the networks come with a model.
    """

    case: Case
    mask: NDArray[np.bool_]
    threshold: float
    probability: NDArray[np.float32]
    uncertainty: NDArray[np.float32]
    slice_scores: NDArray[np.float32]
    removed: int
    networks: tuple[str, ...]
    fold: int | None
    missing: tuple[str, ...]
    notes: tuple[str, ...] = ()
    samples: NDArray[np.bool_] | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    check: Check = UNKNOWN

    @property
    def entropy(self) -> NDArray[np.float32]:
        """Entropy of the probability, in bits: 1 where it is one half, 0 where it is certain."""
        from scipy.special import entr

        return np.stack([(entr(p) + entr(1 - p)) / np.float32(np.log(2)) for p in self.probability])

    def __repr__(self) -> str:
        """Return what was found, in one line."""
        described, count = self._described(), len(self.networks)
        networks = f"{count} network{'' if count == 1 else 's'}"
        without = [f"without {', '.join(self.missing)}"] if self.missing else []
        parts = [described["case"], described["tumour"], networks, *without]
        return f"Segmentation({', '.join(parts)})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{name}</th><td>{escape(value)}</td></tr>"
            for name, value in self._described().items()
        )
        return f"<table>{rows}</table>"

    def plot(self) -> "Figure":
        """Draw the slices with the outline of the mask, and of the case's own mask if it has one.

        Returns
        -------
        matplotlib.figure.Figure
            FLAIR of the slices with tumour, or of all slices if none was found.
        """
        return self.case.plot(predicted=self.mask)

    def _described(self) -> dict[str, str]:
        """Return what was found, in words."""
        voxels = int(np.count_nonzero(self.mask))
        spacing = self.case.geometry.spacing
        volume = f" ({voxels * float(np.prod(spacing)) / 1000:.1f} ml)" if spacing else ""
        slices = int(self.mask.any(axis=(1, 2)).sum())
        return {
            "case": self.case.id,
            "tumour": f"{voxels} voxels{volume} in {slices} of {len(self.mask)} slices"
            if voxels
            else "no tumour found",
            "networks": ", ".join(self.networks),
            "missing sequences": ", ".join(self.missing) or "none",
        }


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
        codes, members, flips = prepared.volume.codes, prepared.members, self._workload.flips
        first = self._workload.first(members)
        looks = {member: self._first_look(member, codes) for member in first}
        calibrated_looks = [member.calibration.apply(looks[member]) for member in first]
        elsewhere = np.mean(calibrated_looks, axis=0)
        seen = np.arange(len(codes))
        if not self._workload.every_slice:
            seen = may_show_tumour(np.max(calibrated_looks, axis=0))
        mean, alone = np.zeros((len(seen), *elsewhere.shape[1:])), 0.0
        sums, squares = np.zeros_like(mean), np.zeros_like(mean)
        singles = []
        for member in members:
            known = [looks[member][seen]] if member in looks else []  # without flip
            ways = flips[len(known) :]
            predicted = self._networks.predict(member, codes, flips=ways, slices=seen)
            predicted = np.stack([*known, *predicted])
            # Averaged before it is calibrated: so it was when the calibration was fitted.
            own = member.calibration.apply(predicted.mean(axis=0))
            mean += own / len(members)
            alone += float(np.square(own, dtype=np.float64).sum())
            for one in predicted:
                calibrated = member.calibration.apply(one)
                sums += calibrated
                squares += np.square(calibrated, dtype=np.float64)
                if self._samples:
                    singles.append(_filled(elsewhere, seen, calibrated))
        count = len(members) * len(flips)
        spread = np.sqrt(np.maximum(squares / count - (sums / count) ** 2, 0))
        return NetworkOutput(
            prepared,
            _filled(elsewhere, seen, mean),
            _filled(np.zeros_like(elsewhere), seen, spread),
            agreement_of(float(np.square(mean).sum()), alone, len(members)),
            tuple(singles),
        )

    def finish(self, predicted: NetworkOutput) -> Segmentation:
        """Make the mask: the last part of `segment`."""
        case, volume, members, fold = predicted.prepared
        threshold = float(np.mean([member.threshold for member in members]))
        probability = np.clip(volume.restore(predicted.probability), 0, 1)
        mask, removed = select_component(probability, threshold)
        samples = [
            select_component(volume.restore(single), threshold).mask for single in predicted.singles
        ]
        flair = volume.codes[..., self._networks.configuration.sequences.index(FLAIR)]
        measures = measure_mask(
            flair, predicted.probability, threshold=threshold, frame=volume.frame,
            agreement=predicted.agreement, missing=len(volume.missing),
        )  # fmt: skip
        return Segmentation(
            case=case,
            mask=mask,
            threshold=threshold,
            probability=probability,
            uncertainty=volume.restore(predicted.spread),
            slice_scores=_slice_scores(probability),
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


def _filled(
    elsewhere: NDArray[np.float32], seen: NDArray[np.intp], values: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Return values (S, Y, X) with others (N, Y, X) in some of the slices."""
    filled = elsewhere.copy()
    filled[seen] = values
    return filled


def _slice_scores(probability: NDArray[np.float32]) -> NDArray[np.float32]:
    flat = probability.reshape(len(probability), -1)
    count = max(1, round(_SCORED * flat.shape[1]))
    scores: NDArray[np.float32] = np.partition(flat, -count, axis=1)[:, -count:].mean(axis=1)
    return scores
