"""The U-Net.

References
----------
.. [1] Ronneberger O, Fischer P, Brox T. U-Net. MICCAI 2015, 234-241.
.. [2] Buda M, Saha A, Mazurowski MA. Comput Biol Med 2019; 109: 218-225.
"""

from collections.abc import Callable
from typing import Any

from lggshape.segmentation._backend import keras
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.networks.layers import SpaceToDepth, block, output

Tensor = Any


def build(inputs: Tensor, configuration: NetworkConfiguration) -> Tensor:
    """Build the U-Net [1]_ with the transposed convolutions and the filters of [2]_."""
    return of_blocks(block, inputs, configuration, normalise=configuration.batch_normalisation)


def of_blocks(
    block: Callable[..., Tensor],
    inputs: Tensor,
    configuration: NetworkConfiguration,
    *,
    normalise: bool,
) -> Tensor:
    """Build a U-Net of any blocks of convolutions.

    Parameters
    ----------
    block : callable
        Called with a tensor, the number of filters, a name and `normalise`.
    inputs : tensor of shape (B, size, size, channels)
        The slices.
    configuration : NetworkConfiguration
        The settings.
    normalise : bool
        Whether a batch normalisation follows each convolution.

    Returns
    -------
    tensor of shape (B, size, size, 1)
    """
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
    return output(x, configuration, pixels=4 if in_blocks else 1)
