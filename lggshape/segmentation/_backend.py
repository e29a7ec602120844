"""Keras, imported once and in the way this package needs it.

What has to be set before or right after Keras is imported is set here; the other modules take
`keras` from here.
"""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from lggshape.errors import InputError
from lggshape.extras import require


@contextmanager
def _without_stderr() -> Iterator[None]:
    """Drop what compiled libraries write to stderr past Python.

    For the import alone: TensorFlow then notes that it found no GPU, before any setting of it is
    read, and would do so at each command. What goes wrong shows as an exception.
    """
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def _without_collections() -> Iterator[None]:
    """Do not look for garbage meanwhile.

    What is imported stays, and looking through it again and again is a fifth of the seconds that
    importing TensorFlow takes.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


# Later notes of TensorFlow heed this. What goes wrong raises, whatever they say.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
require("keras", "to run networks")
if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
    require("tensorflow", "to run networks")
with _without_stderr(), _without_collections():
    import keras

__all__ = ["device_scope", "gpus", "keras", "precision_for"]


def device_scope(device: str) -> "keras.device":
    """Return the context in which networks run on a device; on some backends it serves once.

    Parameters
    ----------
    device : {"auto", "cpu", "gpu"}
        "auto" is a GPU where the backend of Keras finds one.

    Raises
    ------
    InputError
        If a GPU was asked for and there is none.
    """
    has_gpu = bool(gpus())
    if device == "gpu" and not has_gpu:
        msg = f"Expected a GPU for device gpu, found none by Keras on {keras.backend.backend()}."
        raise InputError(msg)
    # Tensors of PyTorch are on "cpu", and "cpu:0" is another device to Keras, which before 3.12
    # expected a number on JAX.
    cpu = "cpu" if keras.backend.backend() == "torch" else "cpu:0"
    return keras.device("gpu:0" if has_gpu and device != "cpu" else cpu)


def precision_for(precision: str, device: str) -> str:
    """Return the Keras dtype policy for a precision: "auto" is mixed bfloat16 on a GPU alone."""
    if precision == "auto":
        precision = "bfloat16" if device != "cpu" and gpus() else "float32"
    return "mixed_bfloat16" if precision == "bfloat16" else "float32"


def gpus() -> list[str]:
    """Return the GPUs that the backend of Keras finds."""
    if keras.backend.backend() == "torch":  # Keras does not list its devices
        import torch

        return [f"gpu:{number}" for number in range(torch.cuda.device_count())]
    # JAX raises if it is asked for the devices of a kind that is not there.
    return [name for name in keras.distribution.list_devices() if name.startswith("gpu")]
