from time import perf_counter, sleep

import numpy as np
import pytest

from helpers.toy_training import RATE, batches, fit, toy_learner, toy_network, toy_store
from lggshape.segmentation._backend import keras
from lggshape.segmentation.networks.build_network import build
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.preprocessing.network_input import with_neighbours
from lggshape.segmentation.run.configuration import TrainingConfiguration
from lggshape.segmentation.training import learner as learner_module
from lggshape.segmentation.training.augmentation import draw
from lggshape.segmentation.training.learner import (
    ResidentSlices,
    SlowEncoderAdamW,
    WarmupCosine,
    averaged_weights,
    make_learner,
    restore_state,
    state_of,
)
from lggshape.segmentation.training.slice_store import SliceStore
from lggshape.segmentation.training.training_cases import TrainingCase


class Weights(keras.callbacks.Callback):
    """Keeps the weights after each step."""

    def __init__(self):
        super().__init__()
        self.steps = []

    def on_train_batch_end(self, batch, logs=None):
        variables = self.model.network.trainable_variables
        self.steps.append([keras.ops.convert_to_numpy(variable) for variable in variables])


# --- optimiser


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 0.1),  # the tenth of the way up
        (4, 0.5),
        (9, 1.0),
        (9 + 45, 0.5),  # half of the way down
        (9 + 30, 0.75),  # a third: (1 + cos 60 degrees) / 2
        (99, 0.0),
        (150, 0.0),
    ],
)
def test_the_rate_rises_in_a_line_and_falls_as_a_cosine_analytic(step, expected):
    schedule = WarmupCosine(0.2, 100, 0.1)
    assert float(schedule(step)) == pytest.approx(0.2 * expected, abs=1e-7)
    again = WarmupCosine.from_config(schedule.get_config())
    assert float(again(step)) == float(schedule(step))


@pytest.mark.parametrize("warmup", [0, 0.5])
def test_the_rate_of_the_shortest_training_is_a_number_analytic(warmup):
    assert float(WarmupCosine(0.2, 1, warmup)(0)) == pytest.approx(0.2)


def test_first_step_of_slow_variables_analytic():
    # The first step of Adam is the rate times the sign of the gradient.
    slow, fast = (keras.Variable(np.full((2, 3), 2.0, dtype="float32")) for _ in range(2))
    optimizer = SlowEncoderAdamW([slow], 0.25, learning_rate=0.1, weight_decay=0.0)
    optimizer.build([slow, fast])
    gradient = np.float32([[1, -1, 2], [-3, 5, -5]])
    optimizer.apply([gradient, gradient], [slow, fast])
    for variable, rate in ((slow, 0.025), (fast, 0.1)):
        moved = keras.ops.convert_to_numpy(variable) - 2
        np.testing.assert_allclose(moved, -rate * np.sign(gradient), rtol=1e-4)


def step_sizes(**settings):
    """Return how far the first step moves the encoder and the rest, by the name of the layer."""
    learner = toy_learner(**settings)
    before = [keras.ops.convert_to_numpy(v) for v in learner.network.trainable_variables]
    fit(learner, 0, steps=1)
    return {
        variable.path: keras.ops.convert_to_numpy(variable) - earlier
        for variable, earlier in zip(learner.network.trainable_variables, before, strict=True)
    }


@pytest.mark.parametrize(
    ("encoder_weights", "factor"), [("imagenet", 0.25), ("x.npz", 0.25), ("none", 1.0)]
)
def test_a_pretrained_encoder_is_slow_in_training_analytic(encoder_weights, factor):
    for path, moved in step_sizes(encoder_weights=encoder_weights, encoder_rate=0.25).items():
        rate = RATE * (factor if path.startswith("encoder_") else 1)
        # Where the gradient is as good as 0, the step is smaller.
        assert np.abs(moved).max() == pytest.approx(rate, rel=1e-2), path


def test_kernels_decay_and_nothing_else_does_analytic():
    plain, decayed = (step_sizes(weight_decay=decay, encoder_weights="none") for decay in (0, 0.5))
    before = {v.path: keras.ops.convert_to_numpy(v) for v in toy_network().trainable_variables}
    for path, moved in decayed.items():
        expected = -RATE * 0.5 * before[path] if path.endswith("/kernel") else 0 * moved
        np.testing.assert_allclose(moved - plain[path], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("found", "backend", "device", "expected"),
    [
        ([], "tensorflow", "auto", 1),
        (["gpu:0"], "tensorflow", "auto", 16),
        (["gpu:0"], "jax", "gpu", 16),
        (["gpu:0"], "jax", "cpu", 1),
        (["gpu:0"], "torch", "auto", 1),  # Keras refuses more
    ],
)
def test_a_gpu_is_given_several_steps_at_once(monkeypatch, found, backend, device, expected):
    monkeypatch.setattr(learner_module, "gpus", lambda: found)
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    training = TrainingConfiguration(encoder_weights="none")
    slices = ResidentSlices(toy_store())
    made = make_learner(toy_network(), slices, training, steps=3, device=device)
    assert made.steps_per_execution == expected


# --- training


def test_the_network_is_shown_squares_that_are_cut_from_the_slices_invariant():
    learner = toy_learner()
    ((batch,),) = batches(0, steps=1)
    logits, masks = learner(batch)
    assert logits.shape == masks.shape == (4, 8, 8, 1)
    assert set(np.unique(masks)) <= {0, 1}


@pytest.mark.parametrize("neighbours", [0, 2])
def test_what_is_gathered_is_what_a_network_is_shown_invariant(neighbours):
    settings = {"sequences": ("post-contrast", "FLAIR"), "neighbours": neighbours}
    configuration = NetworkConfiguration(architecture="unet", filters=(4, 8), size=16, **settings)
    store = toy_store(configuration)
    slices = np.array([0, 5, 7, 11])
    codes, masks = ResidentSlices(store)(store.with_neighbours(slices))
    first, last = np.repeat([[0, 6], [5, 11]], 2, axis=1)
    expected = with_neighbours(store.codes, slices, first, last, configuration)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(codes), expected)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(masks), store.masks[slices])


@pytest.mark.parametrize("task", ["segmentation", "detection", "reconstruction"])
def test_training_lowers_the_loss_of_the_task_invariant(task):
    configuration = NetworkConfiguration(task=task, sequences=("FLAIR",), neighbours=0, size=32)
    rng = np.random.default_rng(2)
    masks = np.zeros((8, 32, 32), dtype=np.uint8)
    masks[::2, 4:28, 4:28] = 1  # every second slice has tumour
    codes = (100 + 60 * masks + rng.integers(0, 10, masks.shape)).astype(np.uint8)[..., None]
    store = SliceStore([TrainingCase("a", "a", "", codes, masks, ())], configuration)
    training = TrainingConfiguration(encoder_weights="none", learning_rate=0.05)
    learner = make_learner(toy_network(size=32), ResidentSlices(store), training, steps=40)

    def shuffled():
        for _ in range(20):
            places = store.with_neighbours(rng.permutation(8))
            yield ((places, *draw(rng, 8, configuration, crop=32, sequence_dropout=0)),)

    first, second = (
        learner.fit(shuffled(), steps_per_epoch=20, shuffle=False, verbose=0).history["loss"][-1]
        for _ in range(2)
    )
    assert second < 0.8 * first


def test_averaged_weights_numpy():
    """Over two epochs, each a `fit` of its own, and without a trace in the trained weights."""
    learner, seen = toy_learner(), Weights()
    for epoch in range(2):
        fit(learner, epoch, callbacks=[seen])
    average = seen.steps[0]
    for weights in seen.steps[1:]:
        average = [0.8 * a + 0.2 * w for a, w in zip(average, weights, strict=True)]
    current = learner.network.get_weights()
    found = averaged_weights(learner)
    places = [v.path for v in learner.network.weights]
    for variable, expected, last in zip(
        learner.network.trainable_variables, average, seen.steps[-1], strict=True
    ):
        place = places.index(variable.path)
        np.testing.assert_allclose(found[place], expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(current[place], last)
    for before, after in zip(current, learner.network.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_without_an_average_the_weights_are_the_trained_ones():
    learner = toy_learner(average=0)
    fit(learner, 0)
    for average, trained in zip(
        averaged_weights(learner), learner.network.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(average, trained)


@pytest.mark.parametrize("average", [0, 0.8])
def test_a_restored_learner_goes_on_as_if_nothing_had_been_invariant(average):
    unbroken = toy_learner(average=average)
    fit(unbroken, 0)
    state = {name: values.copy() for name, values in state_of(unbroken).items()}
    fit(unbroken, 1)
    resumed = toy_learner(average=average)
    fit(resumed, 5, steps=1)  # anything else
    restore_state(resumed, state)
    fit(resumed, 1)
    assert state_of(resumed).keys() == state_of(unbroken).keys()
    for name, values in state_of(unbroken).items():
        np.testing.assert_allclose(state_of(resumed)[name], values, atol=1e-6, err_msg=name)
    for one, other in zip(averaged_weights(resumed), averaged_weights(unbroken), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def values_of(network):
    return {variable.path: keras.ops.convert_to_numpy(variable) for variable in network.variables}


@pytest.mark.usefixtures("encoder")
def test_a_frozen_encoder_stays_and_is_released_invariant():
    network = build(NetworkConfiguration(filters=(4, 4, 4, 4), sequences=("FLAIR",), size=32,
                                         neighbours=0))  # fmt: skip
    rng = np.random.default_rng(1)
    codes = rng.integers(50, 90, (6, 32, 32, 1)).astype(np.uint8)
    mask = np.zeros((6, 32, 32), dtype=np.uint8)
    mask[:, 8:20, 8:20] = 1
    configuration = NetworkConfiguration(sequences=("FLAIR",), neighbours=0, size=32)
    store = SliceStore([TrainingCase("a", "a", "", codes, mask, ())], configuration)
    training = TrainingConfiguration(learning_rate=RATE, warmup=0)
    for frozen in (True, False):
        before = values_of(network)
        learner = make_learner(network, ResidentSlices(store), training, steps=2, frozen=frozen)
        draws = draw(rng, 4, configuration, crop=32, sequence_dropout=0)
        batch = ((store.with_neighbours(np.arange(4)), *draws),)
        learner.fit((each for each in [batch]), steps_per_epoch=1, shuffle=False, verbose=0)
        moved = {path for path, now in values_of(network).items() if (now != before[path]).any()}
        encoder = {path for path in before if path.startswith("encoder_")}
        assert {path for path in before if "decoder1" in path and "moving" in path} <= moved
        # The statistics of its batch normalisation are among what stays, and what is released.
        assert not moved & encoder if frozen else encoder <= moved


def test_a_fit_ends_with_its_last_step():
    """TensorFlow would wait until 0.01 s x (2 ** n - 1) are over: from 2.7 to 5.1 s here."""

    class Slow(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            sleep(0.9)
            self.stopped = perf_counter()

    learner, slow = toy_learner(compiled=True), Slow()
    fit(learner, 0)  # compiles
    fit(learner, 1, callbacks=[slow])
    assert perf_counter() - slow.stopped < 1.5
