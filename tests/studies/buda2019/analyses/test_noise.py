from dataclasses import replace

import numpy as np
import pytest

from lggshape.phantoms import make_phantom
from lggshape.segmentation import NetworkConfiguration
from lggshape.segmentation.preprocessing.intensities import MISSING, STEP
from lggshape.segmentation.preprocessing.network_input import prepare
from lggshape.studies.buda2019.analyses.noise import Noise, add_noise


def test_noise_has_its_deviation_and_leaves_missing_sequences_analytic():
    codes = np.full((20, 100, 100, 2), 128, dtype=np.uint8)
    codes[..., 1] = MISSING
    noisy = add_noise(codes, 0.5, np.random.default_rng(0))
    assert (noisy[..., 1] == MISSING).all()
    added = (noisy[..., 0].astype(float) - 128) * STEP
    # Of 200,000 voxels, to four standard errors; rounding adds a variance of STEP ** 2 / 12.
    assert added.mean() == pytest.approx(0, abs=4 * 0.5 / np.sqrt(2e5))
    assert added.std() == pytest.approx(np.sqrt(0.25 + STEP**2 / 12), rel=4 / np.sqrt(4e5))


def test_the_noise_of_a_case_depends_on_its_name_and_the_seed_alone_invariant():
    case = make_phantom(np.random.default_rng(9), size=(5, 48, 60), name="a")
    configuration = NetworkConfiguration(size=64)
    plain = prepare(case, configuration)
    noise = Noise(0.5, seed=1)
    noisy = noise(case, configuration)
    other = noise(replace(case, id="b"), configuration)
    again = noise(case, configuration)
    np.testing.assert_array_equal(noisy.codes, again.codes)
    assert (noisy.frame, noisy.missing) == (plain.frame, plain.missing)
    for different in (plain, other, Noise(0.5, seed=2)(case, configuration)):
        assert not np.array_equal(different.codes, noisy.codes)
