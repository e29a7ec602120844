"""Tests of the learner. As a script: what is compared between backends."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from time import perf_counter, sleep

import numpy as np
import pandas as pd
import pytest

from lggshape.files import read_json
from lggshape.phantoms import make_phantom
from lggshape.readers import open_cases
from lggshape.segmentation import read_configuration, segment, train, write_configuration
from lggshape.segmentation._backend import keras
from lggshape.segmentation.networks.build_network import build
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.preprocessing.network_input import prepare_input, with_neighbours
from lggshape.segmentation.run.configuration import TrainingConfiguration
from lggshape.segmentation.run.folder import read_arrays, read_folds
from lggshape.segmentation.training import learner as learner_module
from lggshape.segmentation.training.augmentation import augment, draw
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

CONFIGURATION = NetworkConfiguration(
    architecture="unet", filters=(4, 8), sequences=("FLAIR",), neighbours=0, size=16
)
RATE = 0.01


def toy_network():
    """Make a network of two layers, the first of them named as an encoder's."""
    inputs = keras.Input((8, 8, 1))
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
    """Give batches of the places of 4 slices, to be cut to 8 x 8."""
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
    """Give how far the first step moves the encoder and the rest, by the name of the layer."""
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


def test_training_lowers_the_loss_invariant():
    learner = toy_learner(steps=60, compiled=True, learning_rate=0.05)
    first = fit(learner, 0, steps=30).history["loss"][-1]
    second = fit(learner, 1, steps=30).history["loss"][-1]
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
    assert perf_counter() - slow.stopped < 1


@pytest.mark.parametrize("task", ["detection", "reconstruction"])
def test_learning_another_task_lowers_its_loss_invariant(task, small_encoder):
    configuration = NetworkConfiguration(
        task=task, filters=(4, 4, 4, 4), sequences=("FLAIR",), neighbours=0, size=32
    )
    rng = np.random.default_rng(2)
    masks = np.zeros((8, 32, 32), dtype=np.uint8)
    masks[::2, 4:28, 4:28] = 1  # every second slice has tumour
    codes = (100 + 60 * masks + rng.integers(0, 10, masks.shape)).astype(np.uint8)[..., None]
    store = SliceStore([TrainingCase("a", "a", "", codes, masks, ())], configuration)
    training = TrainingConfiguration(encoder_weights="none", learning_rate=RATE)
    keras.utils.set_random_seed(0)
    with small_encoder(compiled=True):
        learner = make_learner(build(configuration), ResidentSlices(store), training, steps=40)

    def batches():
        for _ in range(20):
            places = store.with_neighbours(rng.permutation(8))
            yield ((places, *draw(rng, 8, configuration, crop=32, sequence_dropout=0)),)

    first, second = (
        learner.fit(batches(), steps_per_epoch=20, shuffle=False, verbose=0).history["loss"][-1]
        for _ in range(2)
    )
    assert second < 0.8 * first


# --- the other backend


def trained():
    """Train the toy network for two epochs; give its trained and its averaged weights."""
    learner = toy_learner(compiled=True, weight_decay=0.1, encoder_rate=0.5)
    for epoch in range(2):
        fit(learner, epoch)
    return [*learner.network.get_weights(), *averaged_weights(learner)]


def augmented():
    """Give slices of a phantom and their masks as a network is shown them."""
    configuration = NetworkConfiguration(architecture="unet", filters=(4, 8), neighbours=1, size=32)
    phantom = make_phantom(np.random.default_rng(1), size=(12, 32, 32))
    slices, ends = np.arange(4, 8), (np.zeros(4, dtype=int), np.full(4, 11))
    codes = prepare_input(phantom, configuration).codes
    codes = with_neighbours(codes, slices, *ends, configuration)
    draws = draw(np.random.default_rng(0), 4, configuration, crop=16, sequence_dropout=0.3)
    found = augment(codes, phantom.mask[slices].astype("u1"), draws, crop=16)
    return [keras.ops.convert_to_numpy(part) for part in found]


def held_out(cohort, run):
    """Segment the first case that fold 0 of a run has not seen."""
    folds = read_folds(run / "folds.json")
    case = next(s for s in open_cases(cohort)[:4] if folds[s.patient] == 0).read(mask=False)
    return segment(case, run).probability


QUICK = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
"""Halves the time of compiling, which is most of what the script takes."""


@pytest.fixture(scope="module")
def by_jax(cohort, settings, tmp_path_factory):
    """Run this file as a script on JAX; give the folder of what it made."""
    pytest.importorskip("jax", reason="the extra jax is not installed")
    folder = tmp_path_factory.mktemp("jax")
    chosen = replace(settings.training, epochs=6, inner=0.0)
    write_configuration(folder / "configuration.json", settings.network, chosen)
    subprocess.run(
        [sys.executable, __file__, folder, cohort],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "XLA_FLAGS": QUICK},
        check=True,
    )
    return folder


def test_the_learner_trains_the_same_jax(by_jax):
    made = np.load(by_jax / "trained.npz")
    for place, expected in enumerate(trained()):
        # Adam divides small gradients by their size, and with them the rounding.
        np.testing.assert_allclose(made[f"arr_{place}"], expected, atol=1e-3)


def test_slices_are_augmented_the_same_jax(by_jax):
    made = np.load(by_jax / "augmented.npz")
    slices, masks = augmented()
    np.testing.assert_allclose(made["arr_0"], slices, atol=1e-4)
    assert masks.any()
    assert (made["arr_1"] != masks).mean() <= 1e-3  # a pixel may lie on the edge


def test_a_run_predicts_the_same_jax(by_jax, cohort, settings):
    run = by_jax / "run"
    folder = run / "fold0-member0"
    assert read_json(folder / "network.json")["backend"] == "jax"
    loss = pd.read_csv(folder / "history.csv")["loss"]
    assert loss.iloc[-1] < loss.iloc[0] - 0.02
    names = {variable.path for variable in build(settings.network).variables}
    assert set(read_arrays(folder / "weights.npz")) == names
    expected = held_out(cohort, run)
    np.testing.assert_allclose(np.load(by_jax / "held_out.npy"), expected, rtol=0, atol=1e-4)


if __name__ == "__main__":
    made_in, cases = map(Path, sys.argv[1:])
    np.savez(made_in / "trained.npz", *trained())
    np.savez(made_in / "augmented.npz", *augmented())
    network, training = read_configuration(made_in / "configuration.json")
    train(open_cases(cases)[:4], made_in / "run", network=network, training=training, only=[0],
          jobs=1)  # fmt: skip
    np.save(made_in / "held_out.npy", held_out(cases, made_in / "run"))
