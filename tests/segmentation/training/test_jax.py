"""Training and prediction on JAX are those on TensorFlow. As a script: what is compared."""

import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.test_settings import shrink_unet
from helpers.toy_training import fit, toy_learner
from lggshape.files import read_json
from lggshape.phantoms import make_phantom
from lggshape.readers import open_cases
from lggshape.segmentation import read_configuration, segment, train, write_configuration
from lggshape.segmentation._backend import keras
from lggshape.segmentation.networks.build_network import build
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.preprocessing.network_input import prepare_input, with_neighbours
from lggshape.segmentation.run.folder import read_arrays, read_folds
from lggshape.segmentation.training.augmentation import augment, draw
from lggshape.segmentation.training.learner import averaged_weights

TESTS = Path(__file__).resolve().parents[2]


def trained():
    """Train the toy network for two epochs; give its trained and its averaged weights."""
    learner = toy_learner(compiled=True, weight_decay=0.1, encoder_rate=0.5)
    for epoch in range(2):
        fit(learner, epoch)
    return [*learner.network.get_weights(), *averaged_weights(learner)]


def augmented(compiled=lambda function: function):
    """Return slices of a phantom and their masks as a network is shown them."""
    configuration = NetworkConfiguration(architecture="unet", filters=(4, 8), neighbours=1, size=32)
    phantom = make_phantom(np.random.default_rng(1), size=(12, 32, 32))
    slices, ends = np.arange(4, 8), (np.zeros(4, dtype=int), np.full(4, 11))
    codes = prepare_input(phantom, configuration).codes
    codes = with_neighbours(codes, slices, *ends, configuration)
    draws = draw(np.random.default_rng(0), 4, configuration, crop=16, sequence_dropout=0.3)
    found = compiled(partial(augment, crop=16))(codes, phantom.mask[slices].astype("u1"), draws)
    return [keras.ops.convert_to_numpy(part) for part in found]


def held_out(cohort, run):
    """Segment the first case that fold 0 of a run has not seen."""
    folds = read_folds(run / "folds.json")
    case = next(s for s in open_cases(cohort)[:4] if folds[s.patient] == 0).read(mask=False)
    return segment(case, run).probability


# Compiling is most of what the script takes; the flags halve its time.
JAX = {
    "KERAS_BACKEND": "jax",
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true",
    "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]),
}


@pytest.fixture(scope="module")
def by_jax(cohort, settings, tmp_path_factory):
    """Run this file as a script on JAX; give the folder of what it made."""
    pytest.importorskip("jax", reason="the extra jax is not installed")
    folder = tmp_path_factory.mktemp("jax")
    chosen = replace(settings.training, epochs=4, inner=0.0)
    write_configuration(folder / "configuration.json", settings.network, chosen)
    subprocess.run(
        [sys.executable, __file__, folder, cohort],
        env={**os.environ, **JAX},
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
    patch = pytest.MonkeyPatch()
    patch.setitem(sys.modules, "tensorflow", None)  # Keras would import it, which takes seconds
    shrink_unet(patch)  # as it is where the run is used
    np.savez(made_in / "trained.npz", *trained())
    np.savez(made_in / "augmented.npz", *augmented(import_module("jax").jit))
    network, training = read_configuration(made_in / "configuration.json")
    train(open_cases(cases)[:4], made_in / "run", network=network, training=training, only=[0],
          jobs=1)  # fmt: skip
    np.save(made_in / "held_out.npy", held_out(cases, made_in / "run"))
