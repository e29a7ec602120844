"""From the probabilities of a network to honest ones."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float32]

LIMIT = 1e-5
"""Probabilities nearer to 0 or 1 are taken for this near."""


class Calibration(NamedTuple):
    """A map of probabilities by slope and intercept on the scale of logits."""

    slope: float = 1.0
    intercept: float = 0.0

    def apply(self, probability: Probabilities) -> Probabilities:
        """Map probabilities of any shape."""
        if self == Calibration():
            return probability
        from scipy.special import expit

        mapped: Probabilities = expit(self.slope * logits_of(probability) + self.intercept)
        return mapped


def logits_of(probability: Probabilities) -> NDArray[np.float32]:
    """Return the logits of probabilities of any shape, of bounded size."""
    from scipy.special import logit

    logits: NDArray[np.float32] = logit(np.clip(probability, LIMIT, 1 - LIMIT))
    return logits
