from functools import cache

import numpy as np
import pytest

from lggshape.segmentation._backend import keras
from lggshape.segmentation.networks.build_network import build
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.networks.layers import DepthToSpace, SpaceToDepth

SMALL = {"filters": (4, 8), "size": 16}
NETWORKS = [
    NetworkConfiguration(architecture="unet", **SMALL),
    NetworkConfiguration(architecture="unet", batch_normalisation=False, **SMALL),
    NetworkConfiguration(architecture="unet", stem="space-to-depth", **SMALL),
    NetworkConfiguration(architecture="unet", sequences=("FLAIR",), neighbours=0, **SMALL),
    NetworkConfiguration(architecture="resunet", **SMALL),
    NetworkConfiguration(architecture="resunet", stem="space-to-depth", neighbours=2, **SMALL),
    NetworkConfiguration(filters=(8, 8, 8, 4), size=32),
]


built = cache(build)
"""A network for all tests that leave it as it is."""


def random_slices(configuration, count=2):
    shape = (count, configuration.size, configuration.size, configuration.channels)
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def output(network, slices):
    return keras.ops.convert_to_numpy(network(slices, training=False))


def trainable(network, prefix=""):
    return sum(
        int(np.prod(variable.shape))
        for variable in network.trainable_variables
        if variable.path.startswith(prefix)
    )


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("configuration", NETWORKS)
def test_one_logit_a_pixel_in_single_precision_invariant(configuration, policy):
    network = built(configuration, policy=policy)
    assert network.input_shape == (None, *[configuration.size] * 2, configuration.channels)
    logits = network(random_slices(configuration), training=False)
    assert logits.shape == (2, configuration.size, configuration.size, 1)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    assert {variable.dtype for variable in network.variables} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"  # as it was


def test_half_precision_computes_nearly_the_same_invariant():
    keras.utils.set_random_seed(0)
    single, half = (build(NETWORKS[0], policy=policy) for policy in ("float32", "mixed_bfloat16"))
    half.set_weights(single.get_weights())
    slices = random_slices(NETWORKS[0])
    expected, found = output(single, slices), output(half, slices)
    assert (expected != found).any()
    # bfloat16 has 8 bits of precision; a dozen layers lose a few of them.
    np.testing.assert_allclose(found, expected, atol=0.1 * expected.std())


@pytest.mark.parametrize("configuration", NETWORKS)
def test_a_new_network_expects_few_tumours_analytic(configuration):
    # A slice of zeros gives features of zeros, and so the first bias alone.
    network = built(configuration, policy="float32")
    logits = output(network, 0 * random_slices(configuration))
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), 0.018, atol=1e-4)


def test_a_detector_gives_evidence_a_block_analytic():
    configuration = NetworkConfiguration(task="detection", size=64, neighbours=0)
    network = build(configuration)
    evidence = output(network, random_slices(configuration))
    assert evidence.shape == (2, 2, 2, 1)
    # The encoder, and one weight for each of its 320 features with a bias.
    assert trainable(network) == trainable(network, "encoder_") + 320 + 1
    np.testing.assert_array_equal(output(network, 0 * random_slices(configuration)), 0)


def unet_parameters(filters, channels):
    """Count the weights of a U-Net of plain convolutions with their biases."""
    *levels, bottom = filters
    count, below = 0, channels
    for width in (*levels, bottom):
        count += (9 * below + 1) * width + (9 * width + 1) * width
        below = width
    for width in reversed(levels):
        count += (4 * below + 1) * width  # up by a transposed convolution of 2 x 2
        count += (9 * 2 * width + 1) * width + (9 * width + 1) * width
        below = width
    return count + below + 1


@pytest.mark.parametrize(
    ("filters", "sequences", "neighbours"),
    [
        ((32, 64, 128, 256, 512), ("pre-contrast", "FLAIR", "post-contrast"), 0),
        ((4, 8), ("FLAIR",), 0),
        ((4, 8, 16), ("T2", "FLAIR"), 2),
    ],
)
def test_parameters_of_the_unet_analytic(filters, sequences, neighbours):
    configuration = NetworkConfiguration(
        architecture="unet",
        batch_normalisation=False,
        filters=filters,
        sequences=sequences,
        neighbours=neighbours,
        size=16,
    )
    expected = unet_parameters(filters, len(sequences) + 2 * neighbours)
    assert build(configuration).count_params() == expected


def test_parameters_of_the_published_unet_paper():
    """Buda et al. count 7.76 million; their code with batch normalisation 7 763 041."""
    settings = {"architecture": "unet", "neighbours": 0, "size": 16}
    assert trainable(build(NetworkConfiguration(**settings))) == 7_763_041
    assert unet_parameters((32, 64, 128, 256, 512), 3) == 7_760_097


def test_parameters_of_the_encoder_paper():
    """EfficientNet-Lite0 has 4 652 008, of them 1 693 160 - 412 160 in its head."""
    head = (320 + 2) * 1280 + (1280 + 1) * 1000
    network = build(NetworkConfiguration(neighbours=0, size=32))
    assert trainable(network, "encoder_") == 4_652_008 - head
    # Two more channels: two more kernels of 3 x 3 for each of 32 filters.
    wider = build(NetworkConfiguration(neighbours=1, size=32))
    assert trainable(wider, "encoder_") == 4_652_008 - head + 2 * 9 * 32


def test_space_to_depth_and_back_numpy():
    images = np.arange(2 * 6 * 8 * 3, dtype=np.float32).reshape(2, 6, 8, 3)
    deep = keras.ops.convert_to_numpy(SpaceToDepth()(images))
    expected = np.concatenate(
        [images[:, row::2, column::2] for row in (0, 1) for column in (0, 1)], axis=-1
    )
    np.testing.assert_array_equal(deep, expected)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(DepthToSpace()(deep)), images)


@pytest.mark.parametrize("layer", [SpaceToDepth, DepthToSpace])
def test_shapes_are_known_before_the_computation_invariant(layer):
    computed = layer()(np.zeros((2, 6, 8, 12), dtype=np.float32)).shape
    assert layer().compute_output_shape((2, 6, 8, 12)) == tuple(computed)
    assert layer()(keras.Input((6, 8, 12))).shape == (None, *computed[1:])


def test_a_residual_block_without_its_convolutions_is_its_shortcut_invariant():
    configuration = NETWORKS[4]
    network = build(configuration)
    convolution = network.get_layer("encoder1b_conv")
    convolution.set_weights([0 * weights for weights in convolution.get_weights()])
    ends = [network.get_layer(f"encoder1_{name}").output for name in ("shortcut_norm", "relu")]
    shortcut, block = keras.Model(network.input, ends)(random_slices(configuration))
    np.testing.assert_array_equal(block, np.maximum(shortcut, 0))
    assert (keras.ops.convert_to_numpy(block) > 0).any()


def test_what_is_seen_is_only_what_is_near_invariant():
    """A pixel's logit does not depend on what lies beyond the reach of the convolutions."""
    configuration = NetworkConfiguration(architecture="unet", filters=(4, 8), size=64)
    network = build(configuration)
    slices = random_slices(configuration, count=1)
    changed = slices.copy()
    changed[:, 40:] += 1
    before, after = output(network, slices), output(network, changed)
    np.testing.assert_allclose(after[:, :20], before[:, :20], atol=1e-6)
    assert np.abs(after[:, 40:] - before[:, 40:]).max() > 1e-3
