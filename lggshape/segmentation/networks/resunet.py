"""The U-Net of residual blocks.

References
----------
.. [1] Zhang Z, Liu Q, Wang Y. Road extraction by deep residual U-Net. IEEE GRSL 2018; 15: 749-753.
"""

from typing import Any

from lggshape.segmentation._backend import keras
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.networks.layers import convolution
from lggshape.segmentation.networks.unet import of_blocks

Tensor = Any


def build(inputs: Tensor, configuration: NetworkConfiguration) -> Tensor:
    """Build a U-Net of residual blocks [1]_, always with batch normalisation."""
    return of_blocks(_residual_block, inputs, configuration, normalise=True)


def _residual_block(x: Tensor, filters: int, name: str, *, normalise: bool) -> Tensor:
    """Two convolutions of 3 x 3 with the input added before the last ReLU."""
    shortcut = convolution(x, filters, f"{name}_shortcut", size=1, normalise=normalise)
    x = convolution(x, filters, f"{name}a", size=3, normalise=normalise)
    x = keras.layers.ReLU(name=f"{name}a_relu")(x)
    x = convolution(x, filters, f"{name}b", size=3, normalise=normalise)
    x = keras.layers.Add(name=f"{name}_add")([x, shortcut])
    return keras.layers.ReLU(name=f"{name}_relu")(x)
