"""What several architectures are made of."""

from typing import Any

from lggshape.segmentation._backend import keras
from lggshape.segmentation.networks.batch_normalisation import BatchNormalization
from lggshape.segmentation.networks.configuration import NetworkConfiguration

Tensor = Any

PRIOR_LOGIT = -4.0
"""First bias of the output: about one pixel in fifty is tumour."""

_FIRST = {"segmentation": PRIOR_LOGIT, "detection": 0.0, "reconstruction": 0.0}
"""First bias of the output. Slices with and without tumour are shown about as often, and the median
of the head is 0."""


def output(x: Tensor, configuration: NetworkConfiguration, *, pixels: int = 1) -> Tensor:
    """Return the output of a network: one number per pixel.

    In float32, because losses and probabilities need it. With four `pixels`, each of the features
    is a block of 2 x 2 pixels.
    """
    bias = keras.initializers.Constant(_FIRST[configuration.task])
    x = keras.layers.Conv2D(pixels, 1, bias_initializer=bias, dtype="float32", name="logits")(x)
    return DepthToSpace(dtype="float32", name="depth_to_space")(x) if pixels > 1 else x


def convolution(x: Tensor, filters: int, name: str, *, size: int, normalise: bool) -> Tensor:
    """Return a convolution of `size` x `size`, normalised by batch or with a bias."""
    x = keras.layers.Conv2D(
        filters,
        size,
        padding="same",
        use_bias=not normalise,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return BatchNormalization(name=f"{name}_norm")(x) if normalise else x


def block(x: Tensor, filters: int, name: str, *, normalise: bool) -> Tensor:
    """Return two convolutions of 3 x 3, each with ReLU."""
    for part in ("a", "b"):
        x = convolution(x, filters, f"{name}{part}", size=3, normalise=normalise)
        x = keras.layers.ReLU(name=f"{name}{part}_relu")(x)
    return x


class SpaceToDepth(keras.layers.Layer):
    """Make the four pixels of each block of 2 x 2 the channels of one."""

    def call(self, x: Tensor) -> Tensor:
        """Turn (B, Y, X, C) into (B, Y / 2, X / 2, 4 C)."""
        _, rows, columns, channels = x.shape
        x = keras.ops.reshape(x, (-1, rows // 2, 2, columns // 2, 2, channels))
        x = keras.ops.transpose(x, (0, 1, 3, 2, 4, 5))
        return keras.ops.reshape(x, (-1, rows // 2, columns // 2, 4 * channels))

    def compute_output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the output for that of the input."""
        batch, rows, columns, channels = shape
        return batch, rows // 2, columns // 2, 4 * channels


class DepthToSpace(keras.layers.Layer):
    """Make four channels the pixels of a block of 2 x 2."""

    def call(self, x: Tensor) -> Tensor:
        """Turn (B, Y, X, 4 C) into (B, 2 Y, 2 X, C)."""
        _, rows, columns, channels = x.shape
        x = keras.ops.reshape(x, (-1, rows, columns, 2, 2, channels // 4))
        x = keras.ops.transpose(x, (0, 1, 3, 2, 4, 5))
        return keras.ops.reshape(x, (-1, 2 * rows, 2 * columns, channels // 4))

    def compute_output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the output for that of the input."""
        batch, rows, columns, channels = shape
        return batch, 2 * rows, 2 * columns, channels // 4
