"""The networks: U-Net, ResUNet, and a U-Net or a detector on an EfficientNet-Lite0 encoder.

All take standardised slices (B, size, size, channels) and give one number a pixel (B, size, size,
1) in float32, the detector one for each of its own, coarser pixels. They are written with Keras
alone and run on each of its backends.
"""

from typing import Any

from lggshape.segmentation._backend import keras
from lggshape.segmentation.networks.batch_normalisation import BatchNormalization
from lggshape.segmentation.networks.efficientnet import encoder
from lggshape.segmentation.run.configuration import NetworkConfiguration

Tensor = Any

PRIOR_LOGIT = -4.0
"""First bias of the output: about one pixel in fifty is tumour."""

_FIRST = {"segmentation": PRIOR_LOGIT, "detection": 0.0, "reconstruction": 0.0}
"""First bias of the output. Slices with and without tumour are shown about as often, and the median
of the head is 0."""


def build(configuration: NetworkConfiguration, *, policy: str = "float32") -> "keras.Model":
    """Build a network with random weights.

    Parameters
    ----------
    configuration : NetworkConfiguration
        What it looks like.
    policy : str
        The dtype policy of Keras: "float32" or "mixed_bfloat16". The weights are float32 in either
        case, and so are the logits.

    Returns
    -------
    keras.Model
        From (B, size, size, channels) to (B, size, size, 1): a logit of tumour, or FLAIR. A
        detector gives (B, size / 32, size / 32, 1), whose mean is the logit of tumour in the slice;
        what lies above 0 speaks for it there, as in the class activation maps of [4]_.

    References
    ----------
    .. [1] Ronneberger O, Fischer P, Brox T. U-Net. MICCAI 2015, 234-241.
    .. [2] Buda M, Saha A, Mazurowski MA. Comput Biol Med 2019; 109: 218-225.
    .. [3] Zhang Z, Liu Q, Wang Y. Road extraction by deep residual U-Net. IEEE GRSL 2018; 15:
       749-753.
    .. [4] Zhou B, et al. Learning deep features for discriminative localization. CVPR 2016,
       2921-2929.
    """
    earlier = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        shape = (configuration.size, configuration.size, configuration.channels)
        inputs = keras.Input(shape, name="slices")
        if configuration.task == "detection":
            features = _output(encoder(inputs, configuration.architecture)[-1], configuration)
        elif configuration.has_encoder:
            features = _efficientnet_unet(inputs, configuration)
        else:
            features = _plain_unet(inputs, configuration)
        return keras.Model(inputs, features, name=configuration.architecture.replace("-", "_"))
    finally:
        keras.config.set_dtype_policy(earlier)


def _plain_unet(inputs: Tensor, configuration: NetworkConfiguration) -> Tensor:
    """Build the U-Net of [2], or the same of residual blocks [3]."""
    block = _residual_block if configuration.architecture == "resunet" else _block
    normalise = configuration.batch_normalisation or configuration.architecture == "resunet"
    *levels, bottom = configuration.filters
    in_blocks = configuration.stem == "space-to-depth"
    x = SpaceToDepth(name="space_to_depth")(inputs) if in_blocks else inputs
    skips = []
    for level, filters in enumerate(levels, start=1):
        x = block(x, filters, f"encoder{level}", normalise=normalise)
        skips.append(x)
        x = keras.layers.MaxPooling2D(name=f"pool{level}")(x)
    x = block(x, bottom, "bottom", normalise=normalise)
    for level, filters in reversed(list(enumerate(levels, start=1))):
        x = keras.layers.Conv2DTranspose(filters, 2, strides=2, name=f"up{level}")(x)
        x = keras.layers.Concatenate(name=f"join{level}")([x, skips[level - 1]])
        x = block(x, filters, f"decoder{level}", normalise=normalise)
    return _output(x, configuration, pixels=4 if in_blocks else 1)


def _efficientnet_unet(inputs: Tensor, configuration: NetworkConfiguration) -> Tensor:
    """Build a decoder that ends at half the resolution and gives the pixels of a block at once."""
    *skips, x = encoder(inputs, configuration.architecture)
    for level, filters in enumerate(configuration.filters, start=1):
        x = keras.layers.UpSampling2D(interpolation="nearest", name=f"up{level}")(x)
        x = keras.layers.Concatenate(name=f"join{level}")([x, skips[-level]])
        x = _block(x, filters, f"decoder{level}", normalise=True)
    return _output(x, configuration, pixels=4)


def _output(x: Tensor, configuration: NetworkConfiguration, *, pixels: int = 1) -> Tensor:
    """One number a pixel; in float32, because losses and probabilities need it."""
    bias = keras.initializers.Constant(_FIRST[configuration.task])
    x = keras.layers.Conv2D(pixels, 1, bias_initializer=bias, dtype="float32", name="logits")(x)
    return DepthToSpace(dtype="float32", name="depth_to_space")(x) if pixels > 1 else x


def _convolution(x: Tensor, filters: int, name: str, *, size: int, normalise: bool) -> Tensor:
    x = keras.layers.Conv2D(
        filters,
        size,
        padding="same",
        use_bias=not normalise,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return _normalised(x, name) if normalise else x


def _normalised(x: Tensor, name: str) -> Tensor:
    return BatchNormalization(name=f"{name}_norm")(x)


def _block(x: Tensor, filters: int, name: str, *, normalise: bool) -> Tensor:
    """Two convolutions of 3 x 3, each with ReLU."""
    for part in ("a", "b"):
        x = _convolution(x, filters, f"{name}{part}", size=3, normalise=normalise)
        x = keras.layers.ReLU(name=f"{name}{part}_relu")(x)
    return x


def _residual_block(x: Tensor, filters: int, name: str, *, normalise: bool) -> Tensor:
    """Two convolutions of 3 x 3 with the input added before the last ReLU."""
    shortcut = _convolution(x, filters, f"{name}_shortcut", size=1, normalise=normalise)
    x = _convolution(x, filters, f"{name}a", size=3, normalise=normalise)
    x = keras.layers.ReLU(name=f"{name}a_relu")(x)
    x = _convolution(x, filters, f"{name}b", size=3, normalise=normalise)
    x = keras.layers.Add(name=f"{name}_add")([x, shortcut])
    return keras.layers.ReLU(name=f"{name}_relu")(x)


class SpaceToDepth(keras.layers.Layer):
    """Make the four pixels of each block of 2 x 2 the channels of one."""

    def call(self, x: Tensor) -> Tensor:
        """Turn (B, Y, X, C) into (B, Y / 2, X / 2, 4 C)."""
        _, rows, columns, channels = x.shape
        x = keras.ops.reshape(x, (-1, rows // 2, 2, columns // 2, 2, channels))
        x = keras.ops.transpose(x, (0, 1, 3, 2, 4, 5))
        return keras.ops.reshape(x, (-1, rows // 2, columns // 2, 4 * channels))

    def compute_output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Give the shape of the output for that of the input."""
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
        """Give the shape of the output for that of the input."""
        batch, rows, columns, channels = shape
        return batch, 2 * rows, 2 * columns, channels // 4
