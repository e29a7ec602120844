"""From the codes of preprocessing to what a network computes with."""

from typing import Any

from lggshape.segmentation._backend import keras
from lggshape.segmentation.preprocessing.intensities import LOWEST, MISSING, STEP

Tensor = Any


def decode(codes: Tensor) -> Tensor:
    """Turn codes into standard deviations from the median; a missing sequence is 0 throughout.

    Parameters
    ----------
    codes : tensor of uint8, shape (B, Y, X, C)
        As `lggshape.segmentation.preprocessing.intensities` makes them.

    Returns
    -------
    tensor of float32, shape (B, Y, X, C)
        What networks are shown.
    """
    values = keras.ops.cast(codes, "float32")
    return keras.ops.where(values == MISSING, 0.0, (values - 1.0) * STEP + LOWEST)
