import numpy as np
import pytest

from lggshape.segmentation._backend import keras
from lggshape.segmentation.inference.predictor import Predictor, slice_probability
from lggshape.segmentation.networks.build_network import build
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.networks.decode_codes import decode
from lggshape.segmentation.preprocessing.network_input import with_neighbours
from lggshape.segmentation.run.folder import write_arrays

EVERY_FLIP = ((), (1,), (2,), (1, 2))
CONFIGURATION = NetworkConfiguration(architecture="unet", filters=(4, 8), neighbours=1, size=16)


@pytest.fixture(scope="module")
def predictor():
    keras.utils.set_random_seed(0)
    return Predictor(CONFIGURATION)


def random_codes(count):
    return np.random.default_rng(count).integers(0, 256, (count, 16, 16, 3), dtype=np.uint8)


def computed(network, codes):
    """Return the probabilities slice by slice."""
    result = []
    for number in range(len(codes)):
        ends = np.array([0]), np.array([len(codes) - 1])
        shown = with_neighbours(codes, np.array([number]), *ends, CONFIGURATION)
        logits = keras.ops.convert_to_numpy(network(decode(shown), training=False))
        result.append(1 / (1 + np.exp(-logits[0, ..., 0].astype(float))))
    return np.stack(result)


@pytest.mark.parametrize("count", [1, 15, 16, 17, 33])
def test_every_slice_whatever_their_number_numpy(predictor, count):
    codes = random_codes(count)
    probability = predictor.predict(codes)
    assert probability.shape == (1, count, 16, 16)
    assert probability.dtype == np.float32
    np.testing.assert_allclose(probability[0], computed(predictor.network, codes), atol=1e-5)


def test_batches_at_once_give_the_same_bits_invariant(predictor, monkeypatch):
    codes = random_codes(70)
    at_once = predictor.predict(codes, flips=EVERY_FLIP)
    monkeypatch.setattr("lggshape.segmentation.inference.predictor._AT_ONCE", 1)
    np.testing.assert_array_equal(predictor.predict(codes, flips=EVERY_FLIP), at_once)


def test_flips_come_back_to_their_place_invariant(predictor):
    codes = random_codes(18)
    probability = predictor.predict(codes, flips=EVERY_FLIP)
    assert probability.shape == (4, 18, 16, 16)
    np.testing.assert_array_equal(probability[0], predictor.predict(codes)[0])
    for number, axes in enumerate(EVERY_FLIP):
        flipped = predictor.predict(np.flip(codes, axes))[0]
        np.testing.assert_allclose(probability[number], np.flip(flipped, axes), atol=1e-6)


def test_flips_do_not_matter_to_a_symmetric_network_invariant():
    predictor = Predictor(CONFIGURATION)
    predictor.set_weights(
        [
            sum(np.flip(weights, axes) for axes in ((), (0,), (1,), (0, 1))) / 4
            if weights.ndim == 4
            else weights
            for weights in predictor.network.get_weights()
        ]
    )
    probability = predictor.predict(random_codes(3), flips=EVERY_FLIP)
    assert probability[0].std() > 1e-3
    for flipped in probability[1:]:
        np.testing.assert_allclose(flipped, probability[0], atol=1e-5)


def test_weights_are_taken_by_path_invariant(tmp_path):
    other = build(CONFIGURATION)
    named = [(v.path, keras.ops.convert_to_numpy(v)) for v in other.variables]
    predictor = Predictor(CONFIGURATION)
    codes = random_codes(2)
    assert not np.allclose(predictor.predict(codes)[0], computed(other, codes), atol=1e-5)
    write_arrays(tmp_path / "weights.npz", dict(reversed(named)))
    predictor.load(tmp_path / "weights.npz")
    np.testing.assert_allclose(predictor.predict(codes)[0], computed(other, codes), atol=1e-5)
    # Small kernels are stored so.
    write_arrays(
        tmp_path / "weights.npz", {path: values.astype(np.float16) for path, values in named}
    )
    predictor.load(tmp_path / "weights.npz")
    np.testing.assert_allclose(predictor.predict(codes)[0], computed(other, codes), atol=1e-2)


def test_weights_in_the_order_of_keras_invariant():
    other, predictor = build(CONFIGURATION), Predictor(CONFIGURATION)
    predictor.set_weights(other.get_weights())
    codes = random_codes(2)
    np.testing.assert_allclose(predictor.predict(codes)[0], computed(other, codes), atol=1e-5)


def test_probabilities_are_in_single_precision_invariant():
    half, single = Predictor(CONFIGURATION, policy="mixed_bfloat16"), Predictor(CONFIGURATION)
    half.set_weights(single.network.get_weights())
    codes = random_codes(2)
    probability = half.predict(codes)
    assert probability.dtype == np.float32
    # bfloat16 alone would give no more than 128 values from one half to one.
    assert len(np.unique(probability)) > 400
    np.testing.assert_allclose(probability, single.predict(codes), atol=0.05)


def test_a_detector_gives_its_evidence_and_flips_it_back_invariant(encoder):
    keras.utils.set_random_seed(1)
    configuration = NetworkConfiguration(task="detection", size=64, neighbours=0)
    codes = np.random.default_rng(2).integers(1, 256, (17, 64, 64, 3), dtype=np.uint8)
    codes[..., :32, :] //= 2  # left and right differ
    detector = Predictor(configuration)
    rng = np.random.default_rng(4)
    # So large that something is left of the slices after all layers.
    detector.set_weights(
        [
            rng.normal(scale=np.sqrt(4 / w[..., 0].size), size=w.shape) if w.ndim > 1 else w
            for w in detector.network.get_weights()
        ]
    )
    plain, flipped = detector.predict(codes, flips=((), (2,)))
    assert plain.shape == (17, 2, 2)
    mirrored = detector.predict(np.ascontiguousarray(codes[:, :, ::-1]))[0]
    np.testing.assert_allclose(flipped, mirrored[:, :, ::-1], rtol=1e-5, atol=1e-6)
    assert not np.allclose(plain, flipped)


def test_the_probability_of_a_slice_numpy():
    evidence = np.random.default_rng(3).normal(scale=3, size=(2, 5, 4, 4)).astype(np.float32)
    logits = evidence.mean(axis=(2, 3), dtype=float)
    expected = (1 / (1 + np.exp(-logits))).mean(axis=0)
    np.testing.assert_allclose(slice_probability(evidence), expected, rtol=1e-5)
