"""A U-Net on an EfficientNet-Lite encoder, and a detector on the same encoder."""

from typing import Any

from lggshape.segmentation._backend import keras
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.networks.efficientnet import encoder
from lggshape.segmentation.networks.layers import block, output

Tensor = Any


def build(inputs: Tensor, configuration: NetworkConfiguration) -> Tensor:
    """Build a decoder on the encoder, or for detection a single layer.

    The decoder ends at half the resolution and returns the pixels of a block of 2 x 2 at once.
    """
    if configuration.task == "detection":
        return output(encoder(inputs, configuration.architecture)[-1], configuration)
    *skips, x = encoder(inputs, configuration.architecture)
    for level, filters in enumerate(configuration.filters, start=1):
        x = keras.layers.UpSampling2D(interpolation="nearest", name=f"up{level}")(x)
        x = keras.layers.Concatenate(name=f"join{level}")([x, skips[-level]])
        x = block(x, filters, f"decoder{level}", normalise=True)
    return output(x, configuration, pixels=4)
