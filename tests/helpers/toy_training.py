"""A toy network that is trained on a toy data set within a second."""

import numpy as np

from lggshape.segmentation._backend import keras
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.run.configuration import TrainingConfiguration
from lggshape.segmentation.training.augmentation import draw
from lggshape.segmentation.training.learner import ResidentSlices, make_learner
from lggshape.segmentation.training.slice_store import SliceStore
from lggshape.segmentation.training.training_cases import TrainingCase

CONFIGURATION = NetworkConfiguration(
    architecture="unet", filters=(4, 8), sequences=("FLAIR",), neighbours=0, size=16
)
RATE = 0.01


def toy_network(size=8, channels=1):
    """Make a network of two layers, the first of them named as an encoder's."""
    inputs = keras.Input((size, size, channels))
    x = keras.layers.Conv2D(3, 3, padding="same", use_bias=False, name="encoder_conv")(inputs)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(name="norm")(x))
    network = keras.Model(inputs, keras.layers.Conv2D(1, 1, name="logits")(x))
    rng = np.random.default_rng(5)
    network.set_weights([np.abs(rng.normal(size=w.shape)) for w in network.get_weights()])
    return network


def toy_store(configuration=CONFIGURATION):
    """Make two cases of six slices of 16 x 16 with bright squares, the masks."""
    rng = np.random.default_rng(7)
    masks = np.zeros((6, 16, 16), dtype=np.uint8)
    masks[:, 4:12, 4:12] = 1
    cases = []
    for name in "ab":
        noise = rng.integers(0, 20, (*masks.shape, len(configuration.sequences)))
        codes = (100 + 60 * masks[..., None] + noise).astype(np.uint8)
        cases.append(TrainingCase(name, name, "CS", codes, masks, ()))
    return SliceStore(cases, configuration)


def toy_learner(*, steps=6, compiled=False, **settings):
    defaults = {"weight_decay": 0, "warmup": 0, "learning_rate": RATE, "average": 0.8}
    training = TrainingConfiguration(**defaults | settings)
    learner = make_learner(toy_network(), ResidentSlices(toy_store()), training, steps=steps)
    learner.run_eagerly = not compiled  # a few steps take less time than to compile one
    return learner


def batches(epoch, *, steps=3):
    """Return batches of the places of 4 slices, to be cut to 8 x 8."""
    rng = np.random.default_rng([7, epoch])
    store = toy_store()
    for _ in range(steps):
        places = store.with_neighbours(rng.integers(0, 12, 4))
        draws = draw(rng, 4, CONFIGURATION, crop=8, sequence_dropout=0)
        yield ((places, *draws),)


def fit(learner, epoch, *, steps=3, callbacks=()):
    return learner.fit(
        batches(epoch, steps=steps),
        steps_per_epoch=steps,
        shuffle=False,
        verbose=0,
        callbacks=list(callbacks),
    )
