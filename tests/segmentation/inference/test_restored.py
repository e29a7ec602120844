import numpy as np
import pytest

from lggshape import slabwise
from lggshape.segmentation.inference.restored import Restored
from lggshape.segmentation.preprocessing.frame import Frame
from lggshape.segmentation.preprocessing.slabs import Slabs


@pytest.mark.parametrize("each", [1, 3])
@pytest.mark.parametrize("shape", [(32, 32), (40, 50)])
def test_some_slices_are_those_of_the_whole_invariant(each, shape, monkeypatch):
    slabs = Slabs(10, each)
    frame = Frame.of(shape, 32)
    values = np.random.default_rng(0).random((slabs.number, 32, 32), dtype=np.float32)
    whole = slabs.restore(frame.restore(values))
    assert whole.shape == (10, *shape)
    restored = Restored(values, frame, slabs)
    assert restored.shape == whole.shape
    np.testing.assert_array_equal(restored.whole(), whole)
    for part in (slice(0, 4), slice(3, 8), slice(9, 10), slice(0, 10)):
        # A product of matrices of another size may be rounded otherwise.
        np.testing.assert_allclose(restored[part], whole[part], atol=1e-6)
    monkeypatch.setattr(slabwise, "_VOXELS", 5000)
    np.testing.assert_allclose(restored.whole(), whole, atol=1e-6)


def test_overshoot_is_cut_off_analytic():
    values = np.full((2, 8, 8), 1 + 1e-6, dtype=np.float32)
    restored = Restored(values, Frame.of((8, 8), 8), Slabs(2))
    assert restored.whole().max() == 1
    assert values.max() > 1  # it is left as it is
