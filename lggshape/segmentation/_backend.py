"""Keras, imported once and in the way this package needs it.

Everything of the deep-learning layer that has to be said before or right after Keras is imported
lies here; the other modules take `keras` from here.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's notes on the machine's CPU

import keras

from lggshape.errors import InputError

__all__ = ["device_scope", "keras", "precision_for"]


def device_scope(device: str) -> "keras.device":
    """Give the context in which networks run on a device.

    Parameters
    ----------
    device : {"auto", "cpu", "gpu"}
        "auto" is a GPU where the backend of Keras finds one.

    Raises
    ------
    InputError
        If a GPU was asked for and there is none.
    """
    has_gpu = bool(_gpus())
    if device == "gpu" and not has_gpu:
        msg = f"Expected a GPU for --device gpu, found none by Keras on {keras.backend.backend()}."
        raise InputError(msg)
    return keras.device("gpu:0" if has_gpu and device != "cpu" else "cpu:0")


def precision_for(precision: str, device: str) -> str:
    """Give the Keras dtype policy for a precision: "auto" is mixed bfloat16 on a GPU alone."""
    if precision == "auto":
        precision = "bfloat16" if device != "cpu" and _gpus() else "float32"
    return "mixed_bfloat16" if precision == "bfloat16" else "float32"


def _gpus() -> list[str]:
    return list(keras.distribution.list_devices("gpu"))
