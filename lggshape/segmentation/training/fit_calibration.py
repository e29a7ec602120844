"""What is fitted on inner splits: honest probabilities, and the threshold of the mask."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.masks import Mask, dice
from lggshape.segmentation.inference.postprocessing import select_component
from lggshape.segmentation.run.calibration import LIMIT, Calibration, Probabilities, logits_of

_BINS = 512
_THRESHOLDS = np.round(np.arange(0.2, 0.81, 0.05), 2)


class Fitted(NamedTuple):
    """What is fitted on an inner split.

    Attributes
    ----------
    calibration : Calibration
        What turns probabilities into calibrated ones.
    threshold : float
        The lowest calibrated probability that is inside the mask.
    dice : tuple of float
        Dice of the mask of each volume.
    """

    calibration: Calibration
    threshold: float
    dice: tuple[float, ...]


def fit_to_inner_split(probabilities: Sequence[Probabilities], masks: Sequence[Mask]) -> Fitted:
    """Fit the calibration, and then the threshold.

    Parameters
    ----------
    probabilities, masks : sequences of ndarray, shape (Z, Y, X)
        One of each for each volume of the inner split. Without any, nothing is calibrated and the
        threshold is one half.

    Returns
    -------
    Fitted
        Both, and the Dice that they come to.
    """
    if not probabilities:
        return Fitted(Calibration(), 0.5, ())
    calibration = fit_calibration(probabilities, masks)
    calibrated = [calibration.apply(probability) for probability in probabilities]
    threshold = choose_threshold(calibrated, masks)
    selected = (select_component(one, threshold).mask for one in calibrated)
    scores = (dice(mask, reference) for mask, reference in zip(selected, masks, strict=True))
    return Fitted(calibration, threshold, tuple(scores))


def fit_calibration(probabilities: Sequence[Probabilities], masks: Sequence[Mask]) -> Calibration:
    """Fit slope and intercept by maximum likelihood over all pixels, as in [1]_.

    The targets are not 0 and 1 but Platt's, (N + 1) / (N + 2) for the N pixels inside
    and 1 / (N + 2) for the N outside: so the fit stays finite where no pixel is wrong.

    Parameters
    ----------
    probabilities, masks : sequences of ndarray
        One of each for each volume, of the same shape.

    Returns
    -------
    Calibration
        The identity where the pixels are all inside or all outside, or predicted alike.

    References
    ----------
    .. [1] Platt J. Probabilistic outputs for support vector machines. Advances in Large Margin
       Classifiers, MIT Press 1999, 61-74.
    """
    from scipy.optimize import minimize

    limit = float(np.log(1 / LIMIT))
    edges = np.linspace(-limit, limit, _BINS + 1)
    centres = (edges[1:] + edges[:-1]) / 2
    total, inside = np.zeros(_BINS), np.zeros(_BINS)
    for probability, mask in zip(probabilities, masks, strict=True):
        logits = logits_of(probability)
        total += np.histogram(logits, edges)[0]
        inside += np.histogram(logits[mask], edges)[0]
    used = total > 0
    if np.count_nonzero(used) < 2 or inside.sum() in (0, total.sum()):
        return Calibration()
    outside = total - inside
    targets = inside * (inside.sum() + 1) / (inside.sum() + 2) + outside / (outside.sum() + 2)

    def loss(parameters: NDArray[np.float64]) -> float:
        logits = parameters[0] * centres[used] + parameters[1]
        return float(
            np.sum(total[used] * np.logaddexp(0, logits) - targets[used] * logits) / total.sum()
        )

    fitted = minimize(loss, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-4})
    slope, intercept = (float(value) for value in fitted.x)
    # With a slope of 0 or less the network has learnt nothing: nothing to calibrate.
    return Calibration(slope, intercept) if slope > 0 else Calibration()


def choose_threshold(probabilities: Sequence[Probabilities], masks: Sequence[Mask]) -> float:
    """Choose the threshold of the mask by the mean Dice of some volumes.

    A few volumes say little about thresholds that lie close together. So it is not the best one
    that is taken, but, of those that are worse by no more than one standard error of the paired
    difference, the one nearest to one half: the one-standard-error rule of [1]_.

    Parameters
    ----------
    probabilities, masks : sequences of ndarray, shape (Z, Y, X)
        One of each for each volume.

    Returns
    -------
    float
        The threshold, from 0.2 to 0.8.

    References
    ----------
    .. [1] Breiman L, Friedman JH, Olshen RA, Stone CJ. Classification and regression trees.
       Wadsworth 1984, section 3.4.3.
    """
    scores = np.array(
        [
            [dice(select_component(probability, threshold).mask, mask) for threshold in _THRESHOLDS]
            for probability, mask in zip(probabilities, masks, strict=True)
        ]
    )
    worse = scores[:, [scores.mean(axis=0).argmax()]] - scores
    error = worse.std(axis=0, ddof=1) / np.sqrt(len(worse)) if len(worse) > 1 else 0
    good = _THRESHOLDS[worse.mean(axis=0) <= error + 1e-9]
    return float(good[np.argmin(np.abs(good - 0.5))])
