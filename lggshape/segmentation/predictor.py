"""A network in use: codes in, probabilities out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lggshape.segmentation._backend import keras
from lggshape.segmentation.augmentation import decode
from lggshape.segmentation.configuration import NetworkConfiguration
from lggshape.segmentation.folding import fold, without_normalisation
from lggshape.segmentation.networks import build
from lggshape.segmentation.volumes import with_neighbours

Tensor = Any

FLIPS: tuple[tuple[int, ...], ...] = ((), (2,))
"""The axes (of Z, Y, X) along which slices are flipped: none, and left-right, as heads are nearly
symmetric. Up-down flips cost as much again and made masks worse."""

_BATCH = 16


class Predictor:
    """A network without its weights, ready to predict with those of one member after another.

    Parameters
    ----------
    configuration : NetworkConfiguration
        What the network looks like.
    policy : str
        The dtype policy of Keras, "float32" or "mixed_bfloat16".
    """

    def __init__(self, configuration: NetworkConfiguration, *, policy: str = "float32") -> None:
        self.configuration = configuration
        self.network = build(configuration, policy=policy)
        shape = (configuration.size, configuration.size, configuration.channels)
        codes = keras.Input(shape, dtype="uint8")
        self._folded = without_normalisation(self.network)
        fold(self.network, self._folded)
        activation = "linear" if configuration.task == "detection" else "sigmoid"
        self._model = keras.Model(codes, _Prediction(self._folded, activation)(codes))

    def load(self, weights: Mapping[str, NDArray[np.floating]]) -> None:
        """Take the weights of a member, by the paths of its variables."""
        for variable in self.network.variables:
            variable.assign(weights[variable.path].astype(np.float32))
        fold(self.network, self._folded)

    def set_weights(self, weights: Sequence[NDArray[np.generic]]) -> None:
        """Take the weights of a network of the same configuration, in the order of Keras."""
        self.network.set_weights(list(weights))
        fold(self.network, self._folded)

    def predict(
        self, codes: NDArray[np.uint8], *, flips: Sequence[tuple[int, ...]] = ((),)
    ) -> NDArray[np.float32]:
        """Predict the slices of one volume.

        Parameters
        ----------
        codes : ndarray of uint8, shape (Z, size, size, C)
            Standardised intensities, one channel a sequence.
        flips : sequence of tuple of int
            The axes along which the volume is flipped before, and the result after.

        Returns
        -------
        ndarray of float32, shape (len(flips), Z, size, size)
            Probability of tumour. Of a detector the evidence, on a grid 32 times coarser.
        """
        count = len(codes)
        grid = self._model.output_shape[1:3]
        result = np.empty((len(flips), count, *grid), dtype=np.float32)
        for start in range(0, count, _BATCH):
            # Batches of one size alone, because some backends compile for each; what is too many
            # is the last slice again.
            places = np.minimum(np.arange(start, start + _BATCH), count - 1)
            first, last = np.zeros_like(places), np.full_like(places, count - 1)
            shown = with_neighbours(codes, places, first, last, self.configuration)
            kept = min(_BATCH, count - start)
            for number, axes in enumerate(flips):
                flipped = np.ascontiguousarray(np.flip(shown, axes))
                probability = np.asarray(self._model.predict_on_batch(flipped))[..., 0]
                result[number, start : start + kept] = np.flip(probability, axes)[:kept]
        return result


def slice_probability(evidence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the probability of tumour in each slice by what a detector found.

    Parameters
    ----------
    evidence : ndarray of shape (F, Z, y, x)
        As `Predictor.predict` gives it for F flips.

    Returns
    -------
    ndarray of float32, shape (Z,)
        The mean over the flips, not calibrated.
    """
    from scipy.special import expit

    probability: NDArray[np.float32] = expit(evidence.mean(axis=(2, 3))).mean(axis=0)
    return probability


class _Prediction(keras.layers.Layer):
    """Decode, predict, and turn logits into what is given, in one compiled step."""

    def __init__(self, network: "keras.Model", activation: str) -> None:
        super().__init__(dtype="float32", autocast=False)
        self.network = network
        self._activation = keras.activations.get(activation)

    def call(self, codes: Tensor) -> Tensor:
        """Turn codes (B, size, size, C) into probabilities or evidence (B, y, x, 1)."""
        return self._activation(self.network(decode(codes), training=False))

    def compute_output_spec(self, codes: Tensor) -> Tensor:
        """Give the shape and type of the output."""
        return keras.KerasTensor((codes.shape[0], *self.network.output_shape[1:]), dtype="float32")
