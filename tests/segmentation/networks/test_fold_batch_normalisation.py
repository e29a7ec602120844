import numpy as np
import pytest

from lggshape.segmentation import NetworkConfiguration
from lggshape.segmentation._backend import keras
from lggshape.segmentation.networks.build_network import build
from lggshape.segmentation.networks.fold_batch_normalisation import (
    fold_weights,
    without_normalisation,
)

SLICES = np.random.default_rng(0).normal(size=(2, 32, 32, 5)).astype(np.float32)


@pytest.mark.parametrize(
    "settings",
    [
        {"architecture": "efficientnet-lite0"},
        {"architecture": "resunet", "filters": (4, 6, 8)},
        {"architecture": "unet", "filters": (4, 6)},
        {"architecture": "unet", "filters": (4, 6), "stem": "space-to-depth"},
        {"architecture": "unet", "filters": (4, 6), "batch_normalisation": False},
    ],
)
def test_the_folded_network_predicts_the_same_keras(settings):
    network = build(NetworkConfiguration(size=32, **settings))
    rng = np.random.default_rng(1)
    # Away from where they start, where a normalisation does nothing.
    for variable in network.variables:
        if variable.path.endswith(("gamma", "moving_variance")):
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
        elif variable.path.endswith(("beta", "moving_mean", "bias")):
            variable.assign(rng.normal(0, 0.3, variable.shape))
    folded = without_normalisation(network)
    fold_weights(network, folded)
    expected = np.asarray(network(SLICES, training=False))
    np.testing.assert_allclose(np.asarray(folded(SLICES)), expected, rtol=1e-3, atol=1e-3)
    assert expected.std() > 0.1
    normalisation = keras.layers.BatchNormalization
    assert not any(isinstance(layer, normalisation) for layer in folded.layers)
