"""A network in use: codes in, probabilities out."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lggshape.segmentation._backend import device_scope, keras
from lggshape.segmentation.networks.build_network import build
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.networks.decode_codes import decode
from lggshape.segmentation.networks.fold_batch_normalisation import (
    fold_weights,
    without_normalisation,
)
from lggshape.segmentation.preprocessing.network_input import with_neighbours
from lggshape.segmentation.run.folder import load_weights

Tensor = Any

FLIPS: tuple[tuple[int, ...], ...] = ((), (2,))
"""The axes (of Z, Y, X) along which slices are flipped: none, and left-right, as heads are nearly
symmetric. Up-down flips cost as much again and made masks worse."""

_BATCH = 8

_AT_ONCE = 2 if keras.backend.backend() == "tensorflow" else 1
"""Batches that are predicted at the same time: where one leaves a core idle, the other uses it.
With other backends a Keras model keeps the state of a call, so there is one at a time."""


class Predictor:
    """A network without its weights, ready to predict with those of one member after another.

    Parameters
    ----------
    configuration : NetworkConfiguration
        What the network looks like.
    policy : str
        The dtype policy of Keras, "float32" or "mixed_bfloat16".
    device : {"auto", "cpu", "gpu"}
        Where to compute.
    """

    def __init__(
        self, configuration: NetworkConfiguration, *, policy: str = "float32", device: str = "auto"
    ) -> None:
        self.configuration = configuration
        self._device = device
        self.network = build(configuration, policy=policy)
        shape = (configuration.size, configuration.size, configuration.channels)
        codes = keras.Input(shape, dtype="uint8")
        self._folded = without_normalisation(self.network)
        fold_weights(self.network, self._folded)
        activation = "linear" if configuration.task == "detection" else "sigmoid"
        self._model = keras.Model(codes, _Prediction(self._folded, activation)(codes))
        self._model.make_predict_function()  # now, as two threads would make one each

    def load(self, path: Path) -> None:
        """Take the weights of a member, as `load_weights` does."""
        load_weights(self.network, path)
        fold_weights(self.network, self._folded)

    @property
    def state(self) -> list[NDArray[np.float32]]:
        """What it predicts with. Setting it takes much less time than `load`."""
        weights: list[NDArray[np.float32]] = self._folded.get_weights()
        return weights

    @state.setter
    def state(self, weights: list[NDArray[np.float32]]) -> None:
        self._folded.set_weights(weights)

    def set_weights(self, weights: Sequence[NDArray[np.generic]]) -> None:
        """Take the weights of a network of the same configuration, in the order of Keras."""
        self.network.set_weights(list(weights))
        fold_weights(self.network, self._folded)

    def predict(
        self,
        codes: NDArray[np.uint8],
        *,
        flips: Sequence[tuple[int, ...]] = ((),),
        slices: NDArray[np.intp] | None = None,
    ) -> NDArray[np.float32]:
        """Predict the slices of one volume.

        Parameters
        ----------
        codes : ndarray of uint8, shape (Z, size, size, C)
            Standardised intensities, one channel per sequence.
        flips : sequence of tuple of int
            The axes along which the volume is flipped before, and the result after.
        slices : ndarray of int, shape (N,), optional
            Which slices to predict; all by default.

        Returns
        -------
        ndarray of float32, shape (len(flips), N, size, size)
            Probability of tumour. Of a detector the evidence, on a grid 32 times coarser.
        """
        wanted = np.arange(len(codes)) if slices is None else slices
        count, grid = len(wanted), self._model.output_shape[1:3]
        total = len(flips) * count
        result = np.empty((total, *grid), dtype=np.float32)

        def predict_batch(start: int) -> None:
            # Batches of one size alone, because some backends compile for each; what is too many
            # is the last slice again.
            chosen = np.minimum(np.arange(start, start + _BATCH), total - 1)
            ways, numbers = np.divmod(chosen, count)
            places = wanted[numbers]
            first, last = np.zeros_like(places), np.full_like(places, len(codes) - 1)
            shown = with_neighbours(codes, places, first, last, self.configuration)
            with device_scope(self._device):  # a thread does not inherit it
                predicted = np.asarray(self._model.predict_on_batch(_flipped(shown, ways, flips)))
            result[start : start + _BATCH] = _flipped(predicted[..., 0], ways, flips)[
                : total - start
            ]

        with ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(predict_batch, range(0, total, _BATCH)))
        return result.reshape(len(flips), count, *grid)


def slice_probability(evidence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probability of tumour in each slice from the evidence of a detector.

    Parameters
    ----------
    evidence : ndarray of shape (F, Z, y, x)
        As `Predictor.predict` returns it for F flips.

    Returns
    -------
    ndarray of float32, shape (Z,)
        The mean over the flips, not calibrated.
    """
    from scipy.special import expit

    probability: NDArray[np.float32] = expit(evidence.mean(axis=(2, 3))).mean(axis=0)
    return probability


def _flipped(
    slices: NDArray[Any], ways: NDArray[np.intp], flips: Sequence[tuple[int, ...]]
) -> NDArray[Any]:
    """Flip each of some slices (B, Y, X, ...) in its own way, one of the `flips`."""
    result = np.empty_like(slices)
    for way, axes in enumerate(flips):
        result[ways == way] = np.flip(slices[ways == way], axes)
    return result


class _Prediction(keras.layers.Layer):
    """Decode, predict, and turn logits into probabilities, in one compiled step."""

    def __init__(self, network: "keras.Model", activation: str) -> None:
        super().__init__(dtype="float32", autocast=False)
        self.network = network
        self._activation = keras.activations.get(activation)

    def call(self, codes: Tensor) -> Tensor:
        """Turn codes (B, size, size, C) into probabilities or evidence (B, y, x, 1)."""
        return self._activation(self.network(decode(codes), training=False))

    def compute_output_spec(self, codes: Tensor) -> Tensor:
        """Return the shape and type of the output."""
        return keras.KerasTensor((codes.shape[0], *self.network.output_shape[1:]), dtype="float32")
