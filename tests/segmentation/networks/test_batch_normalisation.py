import numpy as np
import pytest

from lggshape.segmentation._backend import keras
from lggshape.segmentation.networks.batch_normalisation import BatchNormalization

MAPS = np.random.default_rng(0).normal(2, 3, (4, 5, 6, 7)).astype(np.float32)


def layers(policy: str):
    """Return ours and that of Keras, with scale and offset away from where they start."""
    both = [
        kind(epsilon=1e-3, momentum=0.9, dtype=policy)
        for kind in (BatchNormalization, keras.layers.BatchNormalization)
    ]
    for layer in both:
        layer.build(MAPS.shape)
        layer.gamma.assign(np.linspace(0.5, 2, MAPS.shape[-1]))
        layer.beta.assign(np.linspace(-1, 1, MAPS.shape[-1]))
    return both


@pytest.mark.parametrize(("policy", "within"), [("float32", 1e-5), ("mixed_bfloat16", 1e-2)])
def test_values_and_statistics_keras(policy, within):
    ours, theirs = layers(policy)
    for training in (True, True, False):
        found, expected = (
            np.asarray(keras.ops.cast(layer(MAPS, training=training), "float32"))
            for layer in (ours, theirs)
        )
        np.testing.assert_allclose(found, expected, atol=within)
    for found, expected in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert not np.allclose(ours.moving_mean, 0)


def test_gradients_keras():
    tensorflow = pytest.importorskip("tensorflow")
    gradients = []
    for layer in layers("float32"):
        maps = tensorflow.constant(MAPS)
        with tensorflow.GradientTape() as tape:
            tape.watch(maps)
            loss = keras.ops.sum(layer(maps, training=True) ** 3)
        gradients.append(tape.gradient(loss, [maps, layer.gamma.value, layer.beta.value]))
    for found, expected in zip(*gradients, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_frozen_it_keeps_its_statistics_analytic():
    layer, _ = layers("float32")
    layer.trainable = False
    found = np.asarray(layer(MAPS, training=True))
    gamma, beta = np.linspace(0.5, 2, 7), np.linspace(-1, 1, 7)
    np.testing.assert_allclose(found, MAPS / np.sqrt(1.001) * gamma + beta, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(layer.moving_mean, 0)
