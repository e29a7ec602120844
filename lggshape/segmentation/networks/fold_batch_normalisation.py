"""A network for prediction alone: batch normalisation folded into the convolutions.

In prediction a batch normalisation multiplies and shifts each channel by constants. The convolution
before it can do that with another kernel and a bias, in one pass over memory in place of three.
"""

from typing import Any

import numpy as np

from lggshape.segmentation._backend import keras


def without_normalisation(network: "keras.Model") -> "keras.Model":
    """Build a network of the same layers but batch normalisations, for `fold_weights` to fill.

    Parameters
    ----------
    network : keras.Model
        As `networks.build` makes it: the convolution `<name>_conv` comes before the batch
        normalisation `<name>_norm`.

    Returns
    -------
    keras.Model
        With random weights.
    """
    normalised = {f"{name}_conv" for name in _normalised(network)}

    def clone(layer: "keras.Layer") -> "keras.Layer":
        more = {"use_bias": True} if layer.name in normalised else {}
        return type(layer).from_config(layer.get_config() | more)

    def call(layer: "keras.Layer", inputs: Any, *others: Any, **settings: Any) -> Any:
        if isinstance(layer, keras.layers.BatchNormalization):
            return inputs
        return layer(inputs, *others, **settings)

    return keras.models.clone_model(network, clone_function=clone, call_function=call)


def fold_weights(network: "keras.Model", folded: "keras.Model") -> None:
    """Set the weights of a network that `without_normalisation` made so that it does the same.

    Parameters
    ----------
    network : keras.Model
        The network with its weights.
    folded : keras.Model
        Takes them.
    """
    names = _normalised(network)
    for layer in network.layers:
        name = layer.name.removesuffix("_conv")
        if name != layer.name and name in names:
            norm = network.get_layer(f"{name}_norm")
            gamma, beta, mean, variance = norm.get_weights()
            factor = gamma / np.sqrt(variance + norm.epsilon)
            (kernel,) = layer.get_weights()
            # A depthwise kernel has its channels on the last axis but one.
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            scaled = kernel * (factor[:, None] if depthwise else factor)
            folded.get_layer(layer.name).set_weights([scaled, beta - mean * factor])
        elif layer.weights and not isinstance(layer, keras.layers.BatchNormalization):
            folded.get_layer(layer.name).set_weights(layer.get_weights())


def _normalised(network: "keras.Model") -> set[str]:
    """Return the names, without ending, of the convolutions that are normalised."""
    return {
        layer.name.removesuffix("_norm")
        for layer in network.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    }
